import { createHash } from "node:crypto";
import { secret } from "../converge/secrets";
import {
  comment,
  dataDirectory,
  directory,
  disturbs,
  ensure,
  file,
  packages,
  port,
  requirement,
  service,
  sysctl,
  unitText,
  waitFor,
} from "../converge/text";
import { firewallOpening } from "../firewall/config";
import { haproxy, haproxyAnswers, haproxyHolds } from "../haproxy/config";
import { installVirtualIp, virtualIp } from "../virtual-ip";
import { caFile, connectionsLetIn, renderHaproxy } from "./haproxy";
import { library, load, renderLibrary, renderLoad, script, settingsInForce, usersAsIn } from "./library";
import {
  data,
  firewallOf,
  home,
  isReplicated,
  programs,
  type RedisConfig,
  type ReplicatedConfig,
  role,
  sentinelPort,
  tls,
} from "./model";
import {
  follow,
  inStep,
  renderFollow,
  renderMasterIsMember,
  renderMasterRestart,
  renderReplicaRestart,
  runFile,
} from "./replication";
import {
  compose,
  founding,
  renderCompose,
  renderPeers,
  renderPlace,
  renderSentinel,
  renderWatch,
  sentinelFile,
  sentinelUsersFile,
  stateDirectory,
  stateFile,
} from "./sentinel";
import { fixedFile, loadableFile, renderFixed, renderLoadable, tlsFiles, usersFile } from "./settings";
import { renderSentinelUsers, renderUsers } from "./users";

const mainFile = `${home}/redis.conf`;
const dropIns = "/etc/systemd/system/redis-server.service.d";
const dropIn = `${dropIns}/hastack.conf`;
const sentinelDropIns = "/etc/systemd/system/redis-sentinel.service.d";
const sentinelDropIn = `${sentinelDropIns}/hastack.conf`;
const readable = { mode: "0644", owner: "root:root" };
const searchable = { mode: "0755", owner: "root:root" };
const executable = { mode: "0755", owner: "root:root" };
const forRoot = { mode: "0600", owner: "root:root" };
const forRedis = { mode: "0640", owner: "root:redis" };

/** The check for holding the address: HAProxy here answers. Redis is not asked: it may be anywhere. */
export const addressCheck = { check: [`${haproxyAnswers} || exit 1`], checkUser: "haproxy" };

/** The unit `redis-install`: packages, on all hosts at once. */
export function renderInstall(config: RedisConfig): string {
  const replicated = isReplicated(config);
  return unitText(
    ...(replicated
      ? [
          portIsFree(config.settings.port),
          port(sentinelPort, "redis-sentinel.service", "Sentinel"),
          ...installVirtualIp(config.virtualIp),
        ]
      : [port(config.settings.port, "redis-server.service", "Redis")]),
    install(config),
    ...(replicated ? [packages(["haproxy"])] : []),
    ...(replicated && config.firewall ? [firewallOpening(firewallOf(config), "members")] : []),
  );
}

/** Redis listens on the host's address, and HAProxy for the virtual address on the same port. */
function portIsFree(number: number): string {
  return requirement(
    `port ${number} is needed for Redis: stop what listens on it, or choose another port`,
    [
      `found=$(ss -Hltnp 'sport = :${number}' | grep -v -e '"redis-server"' -e '"haproxy"' || true)`,
      '[ -z "$found" ] || { echo "$found"; exit 1; }',
    ].join("\n"),
  );
}

/** In both units: the first installs on all hosts at once, the second knows when a restart is due. */
function install(config: RedisConfig): string {
  return packages(["redis-server", "redis-tools", ...(isReplicated(config) ? ["redis-sentinel"] : [])], { hold: true });
}

/** The unit `redis`: one host's Redis, and with others its Sentinel and its share in the address; one host at a time. */
export function renderMember(config: RedisConfig): string {
  return unitText(
    install(config),
    comment("a snapshot is written by a copy of the process, which shares its memory (Redis manual, Administration)"),
    sysctl("vm.overcommit_memory", 1),
    directory("/etc/hastack", searchable),
    directory(home, searchable),
    ...certificates(config),
    directory(programs, searchable),
    file(library, renderLibrary(config), forRoot),
    file(load, renderLoad(), executable),
    file(usersFile, renderUsers(config), forRedis),
    file(fixedFile, renderFixed(config), forRedis),
    file(loadableFile, renderLoadable(config), forRedis),
    dataDirectory(data, { mode: "0750", owner: "redis:redis" }),
    directory(dropIns, searchable),
    ...(isReplicated(config) ? replicated(config) : alone(config)),
  );
}

function certificates({ settings }: RedisConfig): string[] {
  if (!settings.tls) return [];
  const content: Record<string, string> = { "ca.crt": "ca" };
  return [
    directory(tls, { mode: "0750", owner: "root:redis" }),
    ...tlsFiles.map((path) => {
      const name = path.slice(tls.length + 1);
      return file(path, secret(content[name] ?? name), forRedis);
    }),
  ];
}

function alone(config: RedisConfig): string[] {
  return [
    file(mainFile, `include ${fixedFile}\ninclude ${loadableFile}\n`, forRedis),
    file(dropIn, renderDropIn(mainFile), readable),
    service("redis-server", {
      enabled: true,
      started: true,
      restartOn: [mainFile, fixedFile, dropIn, "package:redis-server"],
      ...reload(config),
    }),
    ...inForce(),
  ];
}

function replicated(config: ReplicatedConfig): string[] {
  return [
    ...watched(config),
    file(follow, renderFollow(config, dropIn), executable),
    file(dropIn, renderDropIn(runFile, follow), readable),
    service("redis-server", { enabled: true, started: true, ...reload(config) }),
    ...inForce(),
    ...disturbs({
      by: "failover",
      of: "redis-server",
      on: [fixedFile, dropIn, follow, "package:redis-server"],
      how: "the replicas one at a time, then the master, after it has handed over",
    }),
    ensure("a replica runs with what is configured", renderReplicaRestart(config, dropIn)),
    waitFor("Redis is the master, or in step with it", 300, inStep(config)),
    ...haproxy(role, renderHaproxy(config), config.settings.tls ? { [caFile]: secret("ca") } : {}),
    haproxyHolds(connectionsLetIn(config.settings), "maxClients"),
    ...virtualIp(config.virtualIp),
  ];
}

/** Sentinel starts first: Redis asks it whom to follow. */
function watched(config: ReplicatedConfig): string[] {
  return [
    dataDirectory(stateDirectory, { mode: "0750", owner: "redis:redis" }),
    file(sentinelFile, renderSentinel(config), forRoot),
    file(sentinelUsersFile, renderSentinelUsers(), forRedis),
    file(compose, renderCompose(config), executable),
    directory(sentinelDropIns, searchable),
    file(sentinelDropIn, renderSentinelDropIn(), readable),
    ensure("Sentinel is told who is the master", renderPlace(config)),
    service("redis-sentinel", {
      enabled: true,
      started: true,
      restartOn: [
        sentinelFile,
        sentinelUsersFile,
        compose,
        sentinelDropIn,
        ...(config.settings.tls ? tlsFiles : []),
        "package:redis-sentinel",
      ],
      disturbs: { by: "restart", how: "one host at a time" },
    }),
    ensure("users of Sentinel", {
      check: usersAsIn(sentinelUsersFile, "sentinel"),
      fix: script("sentinel ACL LOAD"),
    }),
    ensure("Sentinel watches as configured", renderWatch(config)),
  ];
}

/** What was changed by hand while Redis runs is seen, and what was changed in our files comes into force. */
function inForce(): string[] {
  return [
    ...disturbs({
      by: "reload",
      of: "redis-server",
      on: [usersFile, loadableFile],
      how: "no connection is closed",
    }),
    ensure("users of Redis", { check: usersAsIn(usersFile, "redis"), fix: load }),
    ensure("settings of Redis", { check: settingsInForce, fix: load }),
  ];
}

function reload({ settings }: RedisConfig) {
  return settings.tls ? { reloadOn: tlsFiles } : {};
}

/** The unit `redis-ready`, after all hosts have the unit `redis`, one at a time: the master's restart, and strangers. */
export function renderReady(config: RedisConfig): string {
  if (!isReplicated(config)) return unitText(waitFor("Redis answers", 10, script("redis PING")));
  return unitText(
    // Else a change of them alone would not bring this unit up again.
    comment(`what needs a restart: ${startDigest(config)}`),
    ensure("the master is a member", renderMasterIsMember(config)),
    ensure("Sentinel knows the members and nobody else", renderPeers(config)),
    ensure("Redis runs with what is configured", renderMasterRestart(config, dropIn)),
    waitFor("all replicas are in step with the master", 60, script("others_in_step")),
    ensure("whoever comes up empty from now on follows", {
      check: `[ ! -e ${founding} ] || { echo "it may still start empty"; exit 1; }`,
      fix: `rm ${founding}`,
    }),
  );
}

function startDigest(config: ReplicatedConfig): string {
  const read = [renderFixed(config), renderFollow(config, dropIn), renderDropIn(runFile, follow)].join("");
  return createHash("sha256").update(read).digest("hex").slice(0, 12);
}

/** On top of what Debian's unit forbids already (systemd.exec(5)). */
const hardening = [
  "RestartSec=1",
  "LimitCORE=0",
  "UMask=0077",
  "# nothing but data is written: not even its own configuration",
  "ReadWritePaths=",
];

function renderDropIn(configuration: string, before?: string): string {
  return [
    "[Unit]",
    "StartLimitIntervalSec=0",
    ...(before ? ["Wants=redis-sentinel.service", "After=redis-sentinel.service"] : []),
    "[Service]",
    ...(before ? [`ExecStartPre=+${before}`] : []),
    "ExecStart=",
    `ExecStart=/usr/bin/redis-server ${configuration} --supervised systemd --daemonize no`,
    `ExecReload=+${load}`,
    "# a large data set is read at the start",
    "TimeoutStartSec=15min",
    ...hardening,
    `ReadWritePaths=${data}`,
    "",
  ].join("\n");
}

function renderSentinelDropIn(): string {
  return [
    "[Unit]",
    "StartLimitIntervalSec=0",
    "[Service]",
    `ExecStartPre=+${compose}`,
    "ExecStart=",
    `ExecStart=/usr/bin/redis-sentinel ${stateFile} --supervised systemd --daemonize no`,
    `ExecStopPost=+${compose} strip`,
    ...hardening,
    `ReadWritePaths=${stateDirectory}`,
    "",
  ].join("\n");
}
