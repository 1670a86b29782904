import { program } from "../converge/program";
import { secret } from "../converge/secrets";
import {
  dataDirectory,
  directory,
  disturbs,
  ensure,
  file,
  generatedDirectory,
  literal,
  packages,
  port,
  service,
  unitText,
} from "../converge/text";
import { addressMovesFirst, handOver, installVirtualIp, virtualIp } from "../virtual-ip";
import { type BalancerConfig, portsOf, role, statusPort, upstreamName } from "./model";
import { filesOf, logDirectory, renderNginx, renderUpstream } from "./nginx";

const home = "/etc/nginx/hastack";
const wanted = `${home}/wanted`;
const tested = `${home}/tested`;
const live = `${tested}/live/nginx.conf`;
const readinessFile = `${home}/readiness.conf`;
const programs = "/usr/local/lib/hastack/nginx";
const dropIns = "/etc/systemd/system/nginx.service.d";
const dropIn = `${dropIns}/hastack.conf`;
const readinessService = "/etc/systemd/system/hastack-nginx-readiness.service";
const readable = { mode: "0644", owner: "root:root" };
const searchable = { mode: "0755", owner: "root:root" };
const executable = { mode: "0755", owner: "root:root" };
const forRoot = { mode: "0600", owner: "root:root" };
const rootOnly = { mode: "0700", owner: "root:root" };

const wantedPackages = ["nginx", "curl", "logrotate"];

/** Lines of the check for holding the address: nginx here answers. Whether an upstream does is the same on all hosts. */
export const nginxAnswers = [
  `curl --silent --fail --max-time 1 --noproxy '*' --output /dev/null http://127.0.0.1:${statusPort}/status || exit 1`,
];

/** The unit `balancer-install`: packages, on all hosts at once. */
export function renderInstall(config: BalancerConfig): string {
  return unitText(
    ...portsOf(config.settings).map((number) => port(number, "nginx.service", "clients")),
    port(statusPort, "nginx.service", "nginx's status page"),
    ...(config.virtualIp ? installVirtualIp(config.virtualIp) : []),
    packages(wantedPackages),
  );
}

/** The files that nginx serves with, once it has accepted them. */
function served({ settings }: BalancerConfig): string[] {
  const names = [
    "server.crt",
    "server.key",
    ...(settings.upstreamTls.enabled ? ["ca.crt"] : []),
    "upstream.conf",
    "nginx.conf",
  ];
  return names.map((name) => `${wanted}/${name}`);
}

/**
 * The unit `balancer`: nginx and the host's share in the address, one host at a time. nginx never reads the files that
 * are written here, but a copy of them that has passed its own test (see host/live).
 */
export function renderBalancer(config: BalancerConfig): string {
  const { settings } = config;
  return unitText(
    packages(wantedPackages),
    dataDirectory(logDirectory, { mode: "0755", owner: "root:adm" }),
    file("/etc/logrotate.d/hastack-nginx", renderLogrotate(config), readable),
    directory(programs, searchable),
    file(`${programs}/live`, program(__dirname, "live"), executable),
    file(`${programs}/readiness`, program(__dirname, "readiness"), executable),
    directory(home, searchable),
    directory(wanted, rootOnly),
    file(`${wanted}/server.crt`, secret("server.crt"), readable),
    file(`${wanted}/server.key`, secret("server.key"), forRoot),
    ...(settings.upstreamTls.enabled ? [file(`${wanted}/ca.crt`, secret("ca"), readable)] : []),
    file(`${wanted}/upstream.conf`, renderUpstream(config), readable),
    file(`${wanted}/nginx.conf`, renderNginx(config), readable),
    generatedDirectory(tested, rootOnly),
    directory(dropIns, searchable),
    file(dropIn, renderDropIn(config), readable),
    ...disturbs({ by: "reload", of: "nginx", on: served(config), how: "no connection breaks" }),
    ensure("nginx serves what is wanted", { check: `${programs}/live check`, fix: `${programs}/live take` }),
    service("nginx", {
      enabled: true,
      started: true,
      restartOn: [dropIn, "package:nginx"],
      ...(config.virtualIp && { beforeRestart: handOver(config.virtualIp), disturbs: addressMovesFirst }),
    }),
    file(readinessFile, renderReadiness(config), readable),
    file(readinessService, renderReadinessService(), readable),
    service("hastack-nginx-readiness", {
      enabled: true,
      started: true,
      restartOn: [`${programs}/readiness`, readinessFile, readinessService],
      disturbs: { by: "quiet", how: "requests are served meanwhile" },
    }),
    ...(config.virtualIp ? virtualIp(config.virtualIp) : []),
  );
}

function renderReadiness(config: BalancerConfig): string {
  const { health, upstreamTls } = config.settings;
  return [
    `url ${upstreamTls.enabled ? "https" : "http"}://${upstreamName(config)}${literal(health.path)}`,
    `interval ${health.interval}`,
    `timeout ${health.timeout}`,
    `fall ${health.fall}`,
    `rise ${health.rise}`,
    "",
  ].join("\n");
}

function renderReadinessService(): string {
  return [
    "[Unit]",
    `Description=Readiness of the upstreams of nginx (${role})`,
    "After=network.target nginx.service",
    "StartLimitIntervalSec=0",
    "",
    "[Service]",
    `ExecStart=${programs}/readiness ${readinessFile}`,
    "Restart=always",
    "RestartSec=1",
    "",
    "[Install]",
    "WantedBy=multi-user.target",
    "",
  ].join("\n");
}

/** Debian's own configuration and its sites stay as they are, and are not read. */
function renderDropIn(config: BalancerConfig): string {
  const nginx = `/usr/sbin/nginx -c ${live} -g 'daemon on; master_process on;'`;
  return [
    "[Unit]",
    "StartLimitIntervalSec=0",
    "[Service]",
    "ExecStartPre=",
    `ExecStartPre=${nginx} -t -q`,
    "ExecStart=",
    `ExecStart=${nginx}`,
    "ExecReload=",
    `ExecReload=${nginx} -s reload`,
    "Restart=always",
    "RestartSec=1",
    `LimitNOFILE=${filesOf(config)}`,
    "",
  ].join("\n");
}

function renderLogrotate({ settings }: BalancerConfig): string {
  return [
    `${logDirectory}/*.log {`,
    "  daily",
    `  rotate ${settings.logDays}`,
    "  missingok",
    "  notifempty",
    "  compress",
    "  delaycompress",
    "  create 0640 www-data adm",
    "  sharedscripts",
    "  postrotate",
    "    [ ! -f /run/nginx.pid ] || kill -USR1 $(cat /run/nginx.pid)",
    "  endscript",
    "}",
    "",
  ].join("\n");
}
