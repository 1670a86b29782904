import { createHash } from "node:crypto";
import { secret } from "../converge/secrets";
import { initialToken } from "../converge/token";
import { foundWord } from "../founding";
import { script } from "./library";
import { data, home, majority, programs, type ReplicatedConfig, sentinelPort, sentinelSocket, tls } from "./model";
import { sentinel } from "./users";

/** What we want of Sentinel. */
export const sentinelFile = `${home}/sentinel.conf`;
export const sentinelUsersFile = `${home}/sentinel-users.acl`;
/** What Sentinel reads and rewrites: the file above, and what it knows of the cluster. */
export const stateDirectory = `${data}/sentinel`;
export const stateFile = `${stateDirectory}/sentinel.conf`;
/** While it is there, this host may start without a majority and without data. */
export const founding = `${stateDirectory}/founding`;
const foundedUnder = `${stateDirectory}/founded-under`;

export const compose = `${programs}/compose-sentinel`;

/** sentinel.conf (Redis manual, High availability with Redis Sentinel) without what Sentinel finds out. */
export function renderSentinel(config: ReplicatedConfig): string {
  const { name, self, settings } = config;
  return [
    `bind ${self.address} 127.0.0.1`,
    "protected-mode yes",
    ...(settings.tls
      ? [
          "port 0",
          `tls-port ${sentinelPort}`,
          "tls-replication yes",
          "tls-auth-clients no",
          'tls-protocols "TLSv1.2 TLSv1.3"',
          `tls-cert-file ${tls}/server.crt`,
          `tls-key-file ${tls}/server.key`,
          `tls-ca-cert-file ${tls}/ca.crt`,
        ]
      : [`port ${sentinelPort}`]),
    `unixsocket ${sentinelSocket}`,
    "unixsocketperm 700",
    `dir ${stateDirectory}`,
    `aclfile ${sentinelUsersFile}`,
    'logfile ""',
    "# a host that was rebuilt is the same Sentinel: one more would count as one that is down for ever",
    `sentinel myid ${createHash("sha1").update(`${name} ${self.name}`).digest("hex")}`,
    `sentinel announce-ip ${self.address}`,
    `sentinel announce-port ${sentinelPort}`,
    `sentinel sentinel-user ${sentinel}`,
    `sentinel sentinel-pass ${secret(`${sentinel}-password`)}`,
    `sentinel auth-user ${name} ${sentinel}`,
    `sentinel auth-pass ${name} ${secret(`${sentinel}-password`)}`,
    ...Object.entries(watch(config)).map(([key, value]) => `sentinel ${key} ${name} ${value}`),
    "sentinel deny-scripts-reconfig yes",
    "",
  ].join("\n");
}

/** How the master is watched. When two Sentinels ask for votes at once nobody wins; they try again after two timeouts. */
function watch({ settings }: ReplicatedConfig): Record<string, number> {
  return { "down-after-milliseconds": settings.downAfterMs, "failover-timeout": 5000, "parallel-syncs": 1 };
}

/**
 * Before Sentinel starts, its file is made anew: ours, and of the old one what Sentinel alone knows (who is master, votes,
 * members). So neither of us fights over a line of the other. After a stop only that is left, and no password.
 */
export function renderCompose(config: ReplicatedConfig): string {
  const { name, members, settings } = config;
  const addresses = members.map((member) => member.address.replaceAll(".", "\\.")).join("|");
  const own = "current-epoch [0-9]+";
  const epochs = `(config|leader)-epoch ${name} [0-9]+`;
  const peers = `known-(replica|sentinel) ${name} (${addresses}) .*`;
  return [
    "#!/bin/sh",
    "# Makes Sentinel's file from ours and what Sentinel knows; with the argument `strip`, from that alone.",
    "set -eu",
    "umask 077",
    "{",
    `  [ "\${1:-}" = strip ] || cat ${sentinelFile}`,
    `  sed -nE 's/^(sentinel monitor ${name} (${addresses})) .*/\\1 ${settings.port} ${majority(config)}/p' ${stateFile}`,
    `  grep -xE 'sentinel (${own}|${epochs}|${peers})' ${stateFile} || true`,
    `} >${stateFile}.new`,
    `chown redis:redis ${stateFile}.new`,
    `mv ${stateFile}.new ${stateFile}`,
    "",
  ].join("\n");
}

/**
 * Before its first start a Sentinel has to be told who is master. The others know; only where the hosts have never been
 * whole, and none of the others answers, it is the first one. The token under which that was is noted: the same one comes
 * again with every later change.
 */
export function renderPlace(config: ReplicatedConfig) {
  const { name, self, members, settings } = config;
  const all = members.map((member) => member.address);
  const others = all.filter((address) => address !== self.address).join(" ");
  const isKnown = `grep -qsE '^sentinel monitor ${name} (${all.join("|").replaceAll(".", "\\.")}) ' ${stateFile}`;
  return {
    check: [
      `${isKnown} || { echo "it does not know"; exit 1; }`,
      `case "\${HASTACK_TOKEN:-}" in ${foundWord}:*) grep -qsxF "$HASTACK_TOKEN" ${foundedUnder} ;; esac`,
    ].join("\n"),
    fix: script(
      'case "$HASTACK_TOKEN" in',
      `  ${foundWord}:* | ${initialToken})`,
      `    default="0 ${all[0]}"`,
      `    touch ${founding}`,
      `    echo "$HASTACK_TOKEN" >${foundedUnder}`,
      "    ;;",
      "  *) default= ;;",
      "esac",
      "# from before the hosts were taken down",
      `! ${isKnown} || exit 0`,
      `newest=$(known_at ${others} | sort -rn | head -n 1)`,
      `newest=\${newest:-$default}`,
      'if [ -z "$newest" ]; then',
      `  echo "the hosts of ${name} have a master, and no Sentinel of ${others} answers who it is: bring one of them back"`,
      "  exit 1",
      "fi",
      `printf '%s\\n' "sentinel monitor ${name} \${newest#* } ${settings.port} ${majority(config)}" \\`,
      `  "sentinel config-epoch ${name} \${newest% *}" >${stateFile}`,
    ),
  };
}

/** Sentinel watches as it should, whatever was set while it runs. */
export function renderWatch(config: ReplicatedConfig) {
  const wanted = { quorum: majority(config), ...watch(config) };
  const { name } = config;
  const isSo = (key: string, value: number) =>
    `[ "$(printf '%s\\n' "$have" | sed -n '/^${key}$/{n;p}')" = ${value} ] || { echo "${key} is not ${value}"; exit 1; }`;
  return {
    check: script(
      `have=$(sentinel SENTINEL MASTER ${name})`,
      ...Object.entries(wanted).map(([key, value]) => isSo(key, value)),
    ),
    fix: script(
      `sentinel SENTINEL SET ${name} ${Object.entries(wanted)
        .map(([key, value]) => `${key} ${value}`)
        .join(" ")}`,
    ),
  };
}

/** This Sentinel knows the members, and nobody else: a stranger would count for the majority. */
export function renderPeers({ name, members }: ReplicatedConfig) {
  const others = members.length - 1;
  const known = members.map((member) => member.address).join(" ");
  return {
    check: script(
      "for what in SENTINELS REPLICAS; do",
      `  found=$(sentinel SENTINEL $what ${name} | sed -n '/^ip$/{n;p}' | sort)`,
      `  for address in $found; do case " ${known} " in *" $address "*) ;; *) echo "$address is known and no member"; exit 1 ;; esac; done`,
      "done",
      `count=$(sentinel SENTINEL SENTINELS ${name} | grep -cx ip || true)`,
      `[ "$count" -le ${others} ] || { echo "$count other Sentinels are known instead of ${others}"; exit 1; }`,
    ),
    fix: script(
      `sentinel SENTINEL RESET ${name}`,
      "# they announce themselves every two seconds; until then this one has no majority",
      `all() { [ "$(sentinel SENTINEL SENTINELS ${name} | grep -cx ip)" -ge ${others} ]; }`,
      "within 20 all",
    ),
  };
}
