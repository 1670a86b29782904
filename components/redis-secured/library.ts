import { secret } from "../converge/secrets";
import { data, home, isReplicated, type RedisConfig, sentinelPort, sentinelSocket, socket, tls } from "./model";
import { loadableFile, usersFile } from "./settings";
import { admin } from "./users";

/** Shell functions with which our scripts on a host ask Redis and Sentinel. Only root reads it: it logs in as admin. */
export const library = `${home}/library.sh`;

/** Puts in force what can be without a restart; also `systemctl reload redis-server`. */
export const load = "/usr/local/lib/hastack/redis/load";

/** A script with the functions at hand. */
export function script(...lines: string[]): string {
  return [`. ${library}`, ...lines, ""].join("\n");
}

export function renderLibrary(config: RedisConfig): string {
  const shared = [
    `export REDISCLI_AUTH=${secret(`${admin}-password`, "shell")}`,
    "# an error reply is an exit code, too",
    `redis() { redis-cli -e -s ${socket} --user ${admin} "$@"; }`,
    "role() { redis ROLE | head -n 1; }",
    "",
    "# USERS PROGRAM FILE: as the program reads them, seen in a process of its own that nobody can reach",
    "users_in() {",
    "  dir=$(mktemp -d)",
    `  printf '%s\\n' "port 0" "dir $dir" "unixsocket $dir/socket" "aclfile $2" >"$dir/conf"`,
    '  "$1" "$dir/conf" >/dev/null 2>&1 & pid=$!',
    "  tries=0",
    `  until found=$(redis-cli -e -s "$dir/socket" --user ${admin} ACL LIST 2>/dev/null); do`,
    "    tries=$((tries + 1))",
    '    [ $tries -lt 100 ] || { found="cannot be read"; break; }',
    "    sleep 0.05",
    "  done",
    "  kill $pid",
    "  wait $pid 2>/dev/null || true",
    '  rm -r "$dir"',
    `  printf '%s\\n' "$found" | plain_users`,
    "}",
    "# rules in one order: a server gives them in any, and says of some users what all have anyway",
    "plain_users() {",
    "  sed 's/ sanitize-payload//' | while read -r user; do printf '%s\\n' \"$user\" | tr ' ' '\\n' | sort | xargs; done | sort",
    "}",
    "",
  ];
  return [...shared, ...(isReplicated(config) ? replicationFunctions(config) : [])].join("\n");
}

function replicationFunctions({ name, self, members, settings }: RedisConfig): string[] {
  const secure = settings.tls ? ` --tls --cacert ${tls}/ca.crt` : "";
  return [
    `sentinel() { redis-cli -e -s ${sentinelSocket} --user ${admin} "$@"; }`,
    "# ADDRESS COMMAND…",
    `at() { port=$1 to=$2; shift 2; timeout 3 redis-cli -e -h "$to" -p "$port"${secure} --user ${admin} "$@" 2>/dev/null; }`,
    `redis_at() { at ${settings.port} "$@"; }`,
    `sentinel_at() { at ${sentinelPort} "$@"; }`,
    `master() { sentinel SENTINEL GET-MASTER-ADDR-BY-NAME ${name} | head -n 1; }`,
    "# what each of the Sentinels at these addresses knows: the number of the last failover, and the master",
    "known_at() {",
    "  for address in $*; do",
    `    { sentinel_at "$address" SENTINEL MASTER ${name} || true; } |`,
    `      awk 'NR % 2 { key = $0; next } { value[key] = $0 } END { if ("ip" in value) print value["config-epoch"], value["ip"] }' &`,
    "  done",
    "  wait",
    "}",
    "# addresses of replicas that have all that the master has",
    "in_step() {",
    `  redis_at "$(master)" INFO replication | sed -n 's/^slave[0-9]*:ip=\\([^,]*\\),port=[0-9]*,state=online,.*/\\1/p'`,
    "}",
    "# all members but the master, and but this one, are in step with the master",
    "others_in_step() {",
    "  leader=$(master)",
    '  found=" $(in_step | xargs) $leader "',
    `  for address in ${members
      .filter((member) => member !== self)
      .map((member) => member.address)
      .join(" ")}; do`,
    '    case $found in *" $address "*) ;; *) echo "$address is not in step with the master $leader"; return 1 ;; esac',
    "  done",
    "}",
    "# SECONDS COMMAND…: until it succeeds",
    "within() {",
    "  tries=$(($1 * 5)); shift",
    '  until said=$("$@" 2>&1); do',
    '    tries=$((tries - 1)); [ $tries -gt 0 ] || { echo "$said"; return 1; }',
    "    sleep 0.2",
    "  done",
    "}",
    "",
  ];
}

/** Users and settings of the running Redis; certificates are read anew. Connections stay. */
export function renderLoad(): string {
  return [
    "#!/bin/sh",
    "# Puts in force what can be without a restart: users, settings, certificates. No connection is closed.",
    "set -eu",
    `. ${library}`,
    "said=$({",
    `  sed 's/^user \\([^ ]*\\) /ACL SETUSER \\1 reset /' ${usersFile}`,
    "  # one command for all settings: they come into force together, or none does",
    `  echo "CONFIG SET $(tr '\\n' ' ' <${loadableFile})"`,
    `  redis ACL USERS | while read -r name; do grep -q "^user $name " ${usersFile} || echo "ACL DELUSER $name"; done`,
    "} | redis 2>&1)",
    "# OK, or the number of users that were deleted",
    'case $said in OK*) ;; *) echo "$said"; exit 1 ;; esac',
    "if echo \"$said\" | grep -vx -e OK -e 1 -e ''; then exit 1; fi",
    "",
  ].join("\n");
}

/** A check: what is not as in the file of settings, by name. */
export const settingsInForce = script(
  `have=$(redis CONFIG GET $(cut -d ' ' -f 1 ${loadableFile}) | paste -d ' ' - -)`,
  `other=$(tr -d '"' <${loadableFile} | while read -r name value; do`,
  `  printf '%s\\n' "$have" | grep -qxF -- "$name $value" || printf '%s is not %s, ' "$name" "$value"`,
  "done)",
  `[ -z "$other" ] || { echo "\${other%, }"; exit 1; }`,
);

/** A check: users as in the file. */
export function usersAsIn(file: string, server: "redis" | "sentinel"): string {
  const program = server === "redis" ? "redis-server" : "redis-sentinel";
  return script(
    `[ "$(${server} ACL LIST | plain_users)" = "$(users_in ${program} ${file})" ] || { echo "other users or rights"; exit 1; }`,
  );
}

/** Whether Redis has ever run here. */
export const hasData = `ls ${data}/appendonlydir/*.manifest >/dev/null 2>&1`;
