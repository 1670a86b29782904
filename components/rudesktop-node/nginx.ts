import type { NodeConfig } from "./args";

export const certificateFile = "/etc/nginx/hastack/rudesktop.crt";
export const keyFile = "/etc/nginx/hastack/rudesktop.key";

/** The node's own nginx: TLS in front of RuDesktop's ports on loopback, WebSockets passed on (nginx manual). */
export function renderNginx(config: NodeConfig): string {
  const { balancers = [] } = config;
  return [
    "# nothing is kept between requests that are no WebSocket",
    "map $http_upgrade $rudesktop_connection {",
    "  default upgrade;",
    '  "" "";',
    "}",
    "",
    "server {",
    `  listen ${config.address}:${config.httpsPort} ssl;`,
    "  server_name _;",
    `  ssl_certificate ${certificateFile};`,
    `  ssl_certificate_key ${keyFile};`,
    "  ssl_protocols TLSv1.2 TLSv1.3;",
    "  ssl_session_cache shared:rudesktop:5m;",
    "  ssl_session_tickets off;",
    "  server_tokens off;",
    "",
    ...(balancers.length > 0
      ? [
          "  # who the client is, is believed from a balancer only",
          ...balancers.map((from) => `  set_real_ip_from ${from};`),
          "  real_ip_header X-Forwarded-For;",
          "  real_ip_recursive on;",
          "",
        ]
      : []),
    "  # large files, and connections that are silent for long",
    `  client_max_body_size ${config.largestBodyMiB}m;`,
    "  client_body_timeout 300s;",
    "  send_timeout 300s;",
    "  proxy_connect_timeout 5s;",
    "  proxy_send_timeout 300s;",
    "  proxy_read_timeout 300s;",
    "  proxy_request_buffering off;",
    "  proxy_buffering off;",
    "",
    "  proxy_http_version 1.1;",
    "  proxy_set_header Host $host;",
    "  proxy_set_header Upgrade $http_upgrade;",
    "  proxy_set_header Connection $rudesktop_connection;",
    "  proxy_set_header X-Real-IP $remote_addr;",
    "  proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;",
    "  proxy_set_header X-Forwarded-Proto https;",
    "",
    `  location = ${config.healthPath} {`,
    `    proxy_pass http://127.0.0.1:${config.webPort};`,
    "    proxy_read_timeout 5s;",
    "    access_log off;",
    "  }",
    `  location ${config.relayPath} {`,
    `    proxy_pass http://127.0.0.1:${config.relayPort};`,
    "  }",
    "  location / {",
    `    proxy_pass http://127.0.0.1:${config.webPort};`,
    "  }",
    "}",
    "",
  ].join("\n");
}
