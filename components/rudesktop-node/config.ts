import { program } from "../converge/program";
import { secret } from "../converge/secrets";
import {
  absent,
  comment,
  directory,
  disturbs,
  ensure,
  file,
  literal,
  packages,
  port,
  service,
  unitText,
  waitFor,
} from "../converge/text";
import { type Firewall, reachedFrom } from "../firewall/table";
import { envFile, shell, url } from "../formats";
import { type NodeConfig, relayFile } from "./args";
import { certificateFile, keyFile, renderNginx } from "./nginx";

const variablesFile = "/etc/default/rudesktop";
const settings = "/etc/rudesktop";
const databaseCa = `${settings}/postgres-ca.crt`;
const site = "/etc/nginx/conf.d/hastack-rudesktop.conf";
const programs = "/usr/local/lib/hastack/rudesktop";
export const check = `${programs}/check.py`;
const restart = `${programs}/restart.sh`;
/** It is there from when a node that has served stops until balancers know it again, see host/restart.sh. */
const unseen = "/var/lib/hastack/rudesktop-unseen";
const dropIns = "/etc/systemd/system/nginx.service.d";
const ordering = `${dropIns}/hastack-rudesktop.conf`;
const readable = { mode: "0644", owner: "root:root" };
const searchable = { mode: "0755", owner: "root:root" };
const executable = { mode: "0755", owner: "root:root" };
const forRoot = { mode: "0600", owner: "root:root" };

/** The unit `rudesktop-install`, on all hosts at once: what the node needs besides RuDesktop itself. */
export function renderInstall(config: NodeConfig): string {
  return unitText(port(config.httpsPort, "nginx.service", "the node's nginx"), installed());
}

/** In both units: the first installs on all hosts at once, the second knows when nginx has to be restarted. */
function installed(): string {
  return packages(["nginx", "postgresql-client", "python3"]);
}

/** The unit `rudesktop`, on one host after the other. */
export function renderNode(config: NodeConfig): string {
  const forRuDesktop = { mode: "0640", owner: `root:${config.group}` };
  const tomlFiles = Object.entries(config.tomlFiles).map(
    ([name, content]) => [`${settings}/${name}`, literal(ending(content))] as const,
  );
  const read = [variablesFile, relayFile, databaseCa, ...tomlFiles.map(([path]) => path)];
  const due = [config.packageName, shell(config.services.join(" ")), ...read].join(" ");
  return unitText(
    installed(),
    config.install,
    comment("PostgreSQL and Redis are shared by all nodes: those of the package stay off"),
    ...config.embeddedServices.map((name) => service(name, { masked: true })),
    directory(settings, searchable),
    file(databaseCa, secret("database-ca"), readable),
    file(variablesFile, renderVariables(config), forRoot),
    file(relayFile, renderRelay(config), forRuDesktop),
    ...tomlFiles.map(([path, content]) => file(path, content, forRuDesktop)),
    directory(programs, searchable),
    ...[check, restart].map((path) => file(path, program(__dirname, path), executable)),
    waitFor("PostgreSQL lets RuDesktop in", 60, `${check} postgres 2>&1`),
    waitFor("Redis lets RuDesktop in", 60, `${check} redis 2>&1`),
    ...disturbs({
      by: "restart",
      of: "RuDesktop",
      on: [...read, `package:${config.packageName}`],
      how: "one node at a time",
    }),
    ensure("RuDesktop runs with its files", {
      check: `${restart} check ${due}`,
      fix: `${restart} run ${due} 2>&1`,
      timeout: 120,
    }),
    ...config.services.map((name) => service(name, { enabled: true, started: true })),
    waitFor("RuDesktop is healthy", 60, healthy(`http://127.0.0.1:${config.webPort}${config.healthPath}`)),
    absent("/etc/nginx/sites-enabled/default"),
    directory("/etc/nginx/hastack", { mode: "0700", owner: "root:root" }),
    file(certificateFile, secret("server.crt"), readable),
    file(keyFile, secret("server.key"), forRoot),
    file(site, renderNginx(config), readable),
    directory(dropIns, searchable),
    file(ordering, renderOrdering(config), readable),
    waitFor("nginx accepts its configuration", 10, "nginx -q -t 2>&1"),
    service("nginx", {
      enabled: true,
      started: true,
      reloadOn: [site, certificateFile, keyFile],
      restartOn: ["package:nginx"],
      disturbs: { by: "restart", how: "one node at a time" },
    }),
    ensure("balancers have seen that it serves again", {
      check: `[ ! -e ${unseen} ]`,
      fix: `sleep ${config.minReadySeconds} && rm ${unseen}`,
      timeout: config.minReadySeconds + 30,
    }),
  );
}

/** Systemd stops in the opposite order: a host that goes down closes its port before RuDesktop behind it is gone. */
function renderOrdering({ services }: NodeConfig): string {
  return `[Unit]\nAfter=${services.map((name) => (name.includes(".") ? name : `${name}.service`)).join(" ")}\n`;
}

/** /etc/default/rudesktop: read by systemd, and by the shell in `rude`. */
export function renderVariables(config: NodeConfig): string {
  const { database } = config;
  const text = (value: string) => literal(envFile(value));
  const variables: Record<string, string> = {
    POSTGRES_HOST: text(database.host),
    POSTGRES_PORT: text(String(database.port)),
    POSTGRES_DB: text(database.database),
    POSTGRES_USER: text(database.user),
    POSTGRES_PASSWORD: secret("database-password", "envFile"),
    POSTGRES_SSL_MODE: text(config.sslMode),
    // libpq would verify with `require` too, were there a file to do it with.
    ...(config.sslMode === "verify-ca" && { POSTGRES_CA_FILE: text(databaseCa) }),
    REDIS_URL: `"${redisUrl(config, secret("redis-password", "url"))}"`,
    RELAY_ARGS: text(config.relayArgs),
    SECRET_KEY: secret("secret-key", "envFile"),
    ...Object.fromEntries(Object.entries(config.variables).map(([name, value]) => [name, text(value)])),
  };
  return Object.entries(variables)
    .map(([name, value]) => `${name}=${value}\n`)
    .join("");
}

/** /etc/rudesktop-relay.toml */
export function renderRelay(config: NodeConfig): string {
  return `redis_server = "${redisUrl(config, secret("redis-password", "url"))}"\n${literal(ending(config.relaySettings))}`;
}

/** What has to be the same on every node. */
export interface SharedValues {
  SECRET_KEY: string;
  REDIS_URL: string;
  RELAY_ARGS: string;
  redis_server: string;
}

export function sharedOf(config: NodeConfig): SharedValues {
  const server = redisUrl(config, url(config.redis.password));
  return { SECRET_KEY: config.secretKey, REDIS_URL: server, RELAY_ARGS: config.relayArgs, redis_server: server };
}

/** Percent-encoded throughout, so it needs no quoting between double quotes, neither in TOML nor for a shell. */
function redisUrl({ redis }: NodeConfig, password: string): string {
  const host = redis.host.includes(":") ? `[${redis.host}]` : redis.host;
  return `redis://${url(redis.user ?? "")}:${password}@${host}:${redis.port}`;
}

/** Balancers reach the node's nginx, and nobody else. */
export function firewallOf({ balancers = [], httpsPort }: NodeConfig): Firewall {
  return reachedFrom({ name: "balancers", from: balancers }, "rudesktop", [httpsPort]);
}

/** Exit 0 when the address answers with 200; else the answer. */
function healthy(address: string): string {
  return [
    "python3 - 2>&1 <<'PYTHON'",
    "import sys, urllib.request, urllib.error",
    "try:",
    `    urllib.request.urlopen(${JSON.stringify(address)}, timeout=5)`,
    "except urllib.error.HTTPError as error:",
    "    sys.exit(f'{error}: {error.read().decode(errors=\"replace\")}')",
    "except OSError as error:",
    "    sys.exit(str(error))",
    "PYTHON",
  ].join("\n");
}

function ending(text: string): string {
  return text === "" || text.endsWith("\n") ? text : `${text}\n`;
}
