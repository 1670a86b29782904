import { secret } from "../converge/secrets";
import { literal } from "../converge/text";
import { data, home, isReplicated, type RedisConfig, socket, tls } from "./model";
import { replication } from "./users";

/** Read at the start only. */
export const fixedFile = `${home}/fixed.conf`;
/** Can be changed while Redis runs (CONFIG SET). */
export const loadableFile = `${home}/loadable.conf`;
export const usersFile = `${home}/users.acl`;

export const tlsFiles = ["ca.crt", "server.crt", "server.key"].map((name) => `${tls}/${name}`);

const byComponent = "the component sets it";
const byArgument = (argument: string) => `give it as the argument ${argument}`;

/** Settings that `settings` may not hold, and why. */
export const refusedSettings: Readonly<Record<string, string>> = {
  ...Object.fromEntries(
    [
      "aclfile",
      "bind",
      "daemonize",
      "dir",
      "include",
      "logfile",
      "masterauth",
      "masteruser",
      "min-replicas-to-write",
      "protected-mode",
      "rename-command",
      "replicaof",
      "replica-announce-ip",
      "slaveof",
      "supervised",
      "tls-auth-clients",
      "tls-ca-cert-file",
      "tls-cert-file",
      "tls-key-file",
      "tls-replication",
      "unixsocket",
      "unixsocketperm",
      "user",
    ].map((name) => [name, byComponent]),
  ),
  port: byArgument("port"),
  "tls-port": byArgument("port"),
  requirepass: byArgument("password"),
  maxclients: byArgument("maxClients"),
  maxmemory: byArgument("maxMemoryMiB"),
  "maxmemory-policy": byArgument("evictionPolicy"),
};

/** What Redis 7 and 8 refuse to change while they run ("can't set immutable config"). */
const immutable = [
  "aof-rewrite-cpulist",
  "appenddirname",
  "appendfilename",
  "bgsave-cpulist",
  "bio-cpulist",
  "databases",
  "disable-thp",
  "enable-debug-command",
  "enable-module-command",
  "enable-protected-configs",
  "io-threads",
  "io-threads-do-reads",
  "server-cpulist",
  "set-proc-title",
  "syslog-enabled",
  "syslog-facility",
  "syslog-ident",
  "tcp-backlog",
];

/** redis.conf, what needs a restart. */
export function renderFixed(config: RedisConfig): string {
  const { settings, self } = config;
  return lines({
    // Nothing is bound that is not named here.
    bind: `${self.address} 127.0.0.1`,
    "protected-mode": "yes",
    port: settings.tls ? 0 : settings.port,
    ...(settings.tls && { "tls-port": settings.port }),
    unixsocket: socket,
    unixsocketperm: "700",
    dir: data,
    aclfile: usersFile,
    logfile: '""',
    ...(isReplicated(config) && { "replica-announce-ip": self.address }),
    ...quoted(pick(settings.settings, (name) => immutable.includes(name))),
  });
}

/** redis.conf, what can be loaded: values as CONFIG GET gives them. */
export function renderLoadable(config: RedisConfig): string {
  const { settings, memoryMiB } = config;
  const maxMemoryMiB = settings.maxMemoryMiB ?? Math.floor(memoryMiB / 2);
  const loadable = {
    maxclients: settings.maxClients,
    // The other half is for the system, and for what changes while a snapshot is written.
    maxmemory: maxMemoryMiB * 1024 * 1024,
    "maxmemory-policy": settings.evictionPolicy,
    appendonly: "yes",
    appendfsync: "everysec",
    "aof-use-rdb-preamble": "yes",
    save: "3600 1 300 100 60 10000",
    "tcp-keepalive": 60,
    ...(settings.tls && {
      "tls-cert-file": `${tls}/server.crt`,
      "tls-key-file": `${tls}/server.key`,
      "tls-ca-cert-file": `${tls}/ca.crt`,
      // Clients prove who they are by their password.
      "tls-auth-clients": "no",
      "tls-protocols": "TLSv1.2 TLSv1.3",
    }),
    ...(isReplicated(config) && {
      masteruser: replication,
      masterauth: secret(`${replication}-password`),
      // A master that no replica follows (any more) refuses to write: another one may have taken its place.
      "min-replicas-to-write": 1,
      "min-replicas-max-lag": 5,
      "repl-backlog-size": Math.min(256, Math.max(8, Math.floor(maxMemoryMiB / 16))) * 1024 * 1024,
      ...(settings.tls && { "tls-replication": "yes" }),
    }),
    ...pick(settings.settings, (name) => !immutable.includes(name)),
  };
  return lines(quoted(loadable));
}

function lines(settings: Readonly<Record<string, string | number>>): string {
  return Object.entries(settings)
    .map(([name, value]) => `${name} ${value}\n`)
    .join("");
}

/** In a form that redis.conf and CONFIG SET share: several words are one value. */
function quoted(settings: Readonly<Record<string, string | number>>) {
  return Object.fromEntries(
    Object.entries(settings).map(([name, value]) => [name, /^$| /.test(String(value)) ? `"${value}"` : value]),
  );
}

function pick(settings: Readonly<Record<string, string | number>>, wanted: (name: string) => boolean) {
  return Object.fromEntries(
    Object.entries(settings)
      .filter(([name]) => wanted(name))
      .map(([name, value]) => [name, literal(String(value))]),
  );
}
