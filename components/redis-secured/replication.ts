import { hasData, library, script } from "./library";
import { majority, programs, type ReplicatedConfig } from "./model";
import { founding } from "./sentinel";
import { fixedFile, loadableFile } from "./settings";

/** Read by Redis, and rewritten by it when Sentinel changes its role; made anew before each start. */
export const runFile = "/run/redis/redis.conf";
const startedWith = "/run/redis/started-with";

export const follow = `${programs}/follow-master`;

/**
 * Before each start the Sentinels are asked whom Redis is to follow: what it was before it stopped may be long past. An
 * empty master would empty its replicas, so a master without its data waits until another one is elected.
 */
export function renderFollow(config: ReplicatedConfig, dropIn: string): string {
  const { self, members, settings } = config;
  const all = members.map((member) => member.address).join(" ");
  return [
    "#!/bin/sh",
    "# Before Redis starts: makes its file, with the master that the Sentinels name. Of their answers the newest counts.",
    "set -eu",
    `. ${library}`,
    "allowed() {",
    `  answers=$(known_at ${all})`,
    "  leader=$(echo \"$answers\" | sort -rn | sed -n '1s/.* //p')",
    `  count=$(echo "$answers" | grep -c . || true)`,
    '  [ -n "$leader" ] || { why="no Sentinel answers who is master"; return 1; }',
    `  [ "$leader" = ${self.address} ] && [ ! -e ${founding} ] || return 0`,
    `  [ "$count" -ge ${majority(config)} ] || { why="only $count of ${members.length} Sentinels answer: another host may be the master"; return 1; }`,
    `  ${hasData} || { why="this host is the master and has lost its data: it waits until another one takes its place"; return 1; }`,
    "}",
    "tries=0",
    "until allowed; do",
    '  [ $((tries % 10)) -ne 0 ] || echo "$why"',
    "  tries=$((tries + 1))",
    "  [ $tries -lt 60 ] || exit 1",
    "  sleep 1",
    "done",
    "umask 077",
    "{",
    `  echo "include ${fixedFile}"`,
    `  echo "include ${loadableFile}"`,
    `  [ "$leader" = ${self.address} ] || echo "replicaof $leader ${settings.port}"`,
    `} >${runFile}`,
    `chown redis:redis ${runFile}`,
    `${startDigest(dropIn)} >${startedWith}`,
    "",
  ].join("\n");
}

/** What a restart puts in force: files that are read at the start, and the program. */
function startDigest(dropIn: string): string {
  return `{ cat ${fixedFile} ${dropIn} ${follow}; dpkg-query -W redis-server; } | sha256sum`;
}

/** A replica is restarted where a restart is due; the master has to wait for its turn (`renderMasterRestart`). */
export function renderReplicaRestart(config: ReplicatedConfig, dropIn: string) {
  return {
    timeout: 600,
    check: script('[ "$(role)" = master ] && exit 0', ...runsWithPresent(dropIn)),
    fix: script(...restart(config)),
  };
}

/** The same on whatever host is the master by then: it hands over first, and loses no acknowledged write by that. */
export function renderMasterRestart(config: ReplicatedConfig, dropIn: string) {
  return {
    timeout: 600,
    check: script(...runsWithPresent(dropIn)),
    fix: script(
      'if [ "$(role)" = master ]; then',
      ...handOver(config).map((line) => `  ${line}`),
      "fi",
      ...restart(config),
    ),
  };
}

/** The Sentinels do not know who is to leave: a master that is no member hands over. */
export function renderMasterIsMember({ name, members }: ReplicatedConfig) {
  const all = members.map((member) => member.address).join(" ");
  const check = `case " ${all} " in *" $(master) "*) ;; *) echo "the master is $(master), which is no member"; exit 1 ;; esac`;
  return {
    check: script(check),
    fix: script(
      `sentinel SENTINEL FAILOVER ${name}`,
      `moved() { ${check.replace("exit 1", "return 1")}; }`,
      "within 30 moved",
    ),
  };
}

/** Exit 0 when Redis here is the master that the Sentinels name, or follows it and is in step; later, where that may not run yet. */
export function inStep({ self }: ReplicatedConfig): string {
  return script(
    `[ ! -e ${founding} ] || exit 0`,
    `if [ "$(master)" = ${self.address} ]; then`,
    '  [ "$(role)" = master ] || { echo "the Sentinels name it the master, and it is $(role)"; exit 1; }',
    "else",
    `  in_step | grep -qxF ${self.address} || { echo "it is not in step with the master $(master)"; exit 1; }`,
    "fi",
  );
}

function runsWithPresent(dropIn: string): string[] {
  return [`[ "$(${startDigest(dropIn)})" = "$(cat ${startedWith})" ] || { echo "a restart is due"; exit 1; }`];
}

/** The master refuses to write when no replica is left; one that is not in step does not count. */
function restart({ self }: ReplicatedConfig): string[] {
  return [
    `if [ ! -e ${founding} ] && in_step | grep -qxF ${self.address}; then within 60 others_in_step; fi`,
    "systemctl restart redis-server",
  ];
}

/**
 * Writes wait until a replica has them all, then it takes over. Sentinel would tell the old master some ten seconds
 * later whom to follow; here it hears at once, so that nobody writes to it meanwhile.
 */
function handOver({ name, self, settings }: ReplicatedConfig): string[] {
  return [
    "within 60 others_in_step",
    "trap 'redis CLIENT UNPAUSE >/dev/null' EXIT",
    "redis CLIENT PAUSE 8000 WRITE",
    "caught_up() {",
    "  info=$(redis INFO replication | tr -d '\\r')",
    "  offset=$(echo \"$info\" | sed -n 's/^master_repl_offset://p')",
    '  [ -z "$(echo "$info" | sed -n "/^slave[0-9]*:/{/offset=$offset,/!p}")" ] || { echo "replicas lag"; return 1; }',
    "}",
    "within 3 caught_up",
    `sentinel SENTINEL FAILOVER ${name}`,
    `moved() { [ "$(master)" != ${self.address} ] || { echo "Sentinel made no other host the master"; return 1; }; }`,
    "within 6 moved",
    `redis REPLICAOF "$(master)" ${settings.port}`,
    "redis CLIENT KILL TYPE normal SKIPME yes",
  ];
}
