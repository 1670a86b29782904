import { literal } from "../converge/text";
import { type BalancerConfig, namesOf, statusPort, upstreamName } from "./model";

export const logDirectory = "/var/log/nginx/hastack";

/** Mozilla's intermediate configuration, version 5.7: what every client of the last ten years speaks. */
const ciphers = [
  "ECDHE-ECDSA-AES128-GCM-SHA256",
  "ECDHE-RSA-AES128-GCM-SHA256",
  "ECDHE-ECDSA-AES256-GCM-SHA384",
  "ECDHE-RSA-AES256-GCM-SHA384",
  "ECDHE-ECDSA-CHACHA20-POLY1305",
  "ECDHE-RSA-CHACHA20-POLY1305",
].join(":");

/** The servers, one a line; `live` on the host marks those down that are not ready. */
export function renderUpstream({ settings }: BalancerConfig): string {
  return settings.upstreams
    .map(({ name, address, port }) => `server ${address}:${port} max_fails=3 fail_timeout=10s; # ${name}\n`)
    .join("");
}

/** The whole configuration of nginx (documentation of its modules at nginx.org); Debian's sites are no part of it. */
export function renderNginx(config: BalancerConfig): string {
  const { settings } = config;
  return [
    "user www-data;",
    "worker_processes auto;",
    `worker_rlimit_nofile ${filesOf(config)};`,
    "# after a reload: how long connections of before may last",
    `worker_shutdown_timeout ${settings.drainTimeout}s;`,
    "pid /run/nginx.pid;",
    `error_log ${logDirectory}/error.log warn;`,
    "",
    "events {",
    `  worker_connections ${settings.maxConnections};`,
    "}",
    "",
    "http {",
    ...indented([...general(config), ...clients(config), ...tls(config)]),
    ...extra(settings.httpExtra, "  "),
    "",
    ...indented([...upstream(config), "", ...stranger(config), ...entry(config), ...redirect(config), ...status()]),
    "}",
    "",
  ].join("\n");
}

/** Two for each connection (the client's and the upstream's), and some for the program itself. */
export function filesOf({ settings }: BalancerConfig): number {
  return 2 * settings.maxConnections + 512;
}

function general({ settings }: BalancerConfig): string[] {
  return [
    "log_format hastack '$remote_addr - $remote_user [$time_iso8601] \"$request\" $status $body_bytes_sent '",
    '  \'"$http_referer" "$http_user_agent" $host $request_time "$upstream_addr" "$upstream_status" $upstream_response_time\';',
    `access_log ${logDirectory}/access.log hastack;`,
    "",
    "server_tokens off;",
    "sendfile on;",
    "tcp_nopush on;",
    "# compressed answers give secrets in them away (BREACH)",
    "gzip off;",
    "server_names_hash_bucket_size 256;",
    "client_header_timeout 30s;",
    `client_body_timeout ${settings.timeout}s;`,
    `client_max_body_size ${settings.maxBodyMiB}m;`,
    `send_timeout ${settings.timeout}s;`,
    "reset_timedout_connection on;",
    "default_type text/plain;",
    "",
  ];
}

/** Who a client is, and how much one may have. */
function clients({ settings }: BalancerConfig): string[] {
  const { trustedProxies, connectionsPerClient } = settings;
  return [
    ...(trustedProxies.length > 0
      ? [
          ...trustedProxies.map((network) => `set_real_ip_from ${network};`),
          "real_ip_header X-Forwarded-For;",
          "real_ip_recursive on;",
          "",
        ]
      : []),
    ...(connectionsPerClient > 0
      ? [
          "limit_conn_zone $binary_remote_addr zone=hastack_clients:10m;",
          `limit_conn hastack_clients ${connectionsPerClient};`,
          "limit_conn_status 429;",
          "",
        ]
      : []),
  ];
}

function tls({ settings }: BalancerConfig): string[] {
  return [
    "ssl_certificate server.crt;",
    "ssl_certificate_key server.key;",
    "ssl_protocols TLSv1.2 TLSv1.3;",
    `ssl_ciphers ${ciphers};`,
    "ssl_prefer_server_ciphers off;",
    "ssl_session_cache shared:hastack_tls:10m;",
    "ssl_session_timeout 1d;",
    "# a ticket's key that lives as long as nginx would undo forward secrecy",
    "ssl_session_tickets off;",
    ...(settings.ocspResolvers.length > 0
      ? ["ssl_stapling on;", "ssl_stapling_verify on;", `resolver ${settings.ocspResolvers.join(" ")};`]
      : []),
    "",
    "map $http_upgrade $hastack_connection {",
    "  default upgrade;",
    settings.keepalive > 0 ? `  "" "";` : `  "" close;`,
    "}",
  ];
}

function upstream({ settings }: BalancerConfig): string[] {
  return [
    "upstream hastack {",
    "  zone hastack_upstream 1m;",
    `  ${settings.method};`,
    "  include upstream.conf;",
    ...(settings.keepalive > 0 ? [`  keepalive ${settings.keepalive};`] : []),
    "}",
  ];
}

/** Whoever asks for a name that is not ours: no application builds its links from it. */
function stranger({ settings }: BalancerConfig): string[] {
  return [
    "server {",
    `  listen ${settings.httpsPort} ssl default_server;`,
    ...(settings.httpPort > 0 ? [`  listen ${settings.httpPort} default_server;`] : []),
    "  return 421;",
    "}",
    "",
  ];
}

function entry(config: BalancerConfig): string[] {
  const { settings } = config;
  const hsts = `add_header Strict-Transport-Security "max-age=${settings.hstsSeconds}" always;`;
  return [
    "server {",
    `  listen ${settings.httpsPort} ssl;`,
    `  server_name ${namesOf(config).join(" ")};`,
    ...(settings.hstsSeconds > 0 ? ["  proxy_hide_header Strict-Transport-Security;", `  ${hsts}`] : []),
    "",
    "  location / {",
    ...indented(indented(proxying(config))),
    "  }",
    ...extra(settings.serverExtra, "    "),
    "}",
    "",
  ];
}

function proxying(config: BalancerConfig): string[] {
  const { settings } = config;
  const host = settings.httpsPort === 443 ? "$host" : `$host:${settings.httpsPort}`;
  return [
    `proxy_pass ${settings.upstreamTls.enabled ? "https" : "http"}://hastack;`,
    ...(settings.upstreamTls.enabled
      ? [
          "proxy_ssl_verify on;",
          "proxy_ssl_verify_depth 3;",
          "proxy_ssl_trusted_certificate ca.crt;",
          `proxy_ssl_name ${upstreamName(config)};`,
          "proxy_ssl_server_name on;",
          "proxy_ssl_protocols TLSv1.2 TLSv1.3;",
        ]
      : []),
    "proxy_http_version 1.1;",
    `proxy_set_header Host ${host};`,
    "proxy_set_header Upgrade $http_upgrade;",
    "proxy_set_header Connection $hastack_connection;",
    "# who the client is says nginx alone",
    "proxy_set_header X-Real-IP $remote_addr;",
    "proxy_set_header X-Forwarded-For $remote_addr;",
    "proxy_set_header X-Forwarded-Proto https;",
    `proxy_set_header X-Forwarded-Host ${host};`,
    `proxy_set_header X-Forwarded-Port ${settings.httpsPort};`,
    'proxy_set_header Forwarded "";',
    'proxy_set_header Proxy "";',
    "proxy_connect_timeout 2s;",
    `proxy_send_timeout ${settings.timeout}s;`,
    `proxy_read_timeout ${settings.timeout}s;`,
    "# POST, PATCH and LOCK only while nothing of the request has been sent; a long request is not made twice",
    "proxy_next_upstream error timeout http_502;",
    "proxy_next_upstream_timeout 30s;",
  ];
}

function redirect(config: BalancerConfig): string[] {
  const { httpPort, httpsPort } = config.settings;
  if (httpPort === 0) return [];
  return [
    "server {",
    `  listen ${httpPort};`,
    `  server_name ${namesOf(config).join(" ")};`,
    `  return 301 https://$host${httpsPort === 443 ? "" : `:${httpsPort}`}$request_uri;`,
    "}",
    "",
  ];
}

function status(): string[] {
  return [
    "server {",
    `  listen 127.0.0.1:${statusPort};`,
    "  access_log off;",
    "  location = /status {",
    "    stub_status;",
    "  }",
    "  location = /version {",
    "    include version.conf;",
    "  }",
    "}",
  ];
}

function indented(lines: readonly string[]): string[] {
  return lines.map((line) => (line === "" ? "" : `  ${line}`));
}

/** Lines as they were given. */
function extra(text: string, indent: string): string[] {
  const lines = literal(text).replace(/\n+$/, "").split("\n");
  return text.trim() === "" ? [] : ["", ...lines.map((line) => (line === "" ? "" : `${indent}${line}`))];
}
