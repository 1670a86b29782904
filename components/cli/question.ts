import { convergePath } from "../converge/agent";
import { script as asEtcdRoot, etcdctlFile } from "../etcd-quorum/etcd";
import { library as redisLibrary, script as withRedis } from "../redis-secured/library";

/** What a host says of itself, section by section; a section is there where the host has that role. */
export type Sections = Readonly<Record<string, string>>;

const live = "/etc/nginx/hastack/tested/live";

/** Of each node behind the balancer: `ADDRESS:PORT STATUS` of its health, 000 where it does not answer. */
const nodesHealth = [
  "url=$(sed -n 's/^url //p' /etc/nginx/hastack/readiness.conf)",
  `ca=$([ ! -e ${live}/ca.crt ] || echo "--cacert ${live}/ca.crt")`,
  `for server in $(sed -n 's/^server \\([^ ]*\\).*/\\1/p' ${live}/upstream.conf); do`,
  "  curl --silent --output /dev/null --noproxy '*' --max-time 4 --write-out \"$server %{http_code}\\n\" \\",
  '    $ca --connect-to "::$server" "$url" &',
  "done",
  "wait",
].join("\n");

/** Everything that is asked of a host, in one go: a script for root's shell. Each question stands for itself. */
export const question = [
  // On lines of its own, so that no answer is taken for it.
  'section() { printf "\\n== %s\\n" "$1"; }',
  "section addresses",
  "ip -oneline -4 address show scope global | awk '{ print $4 }'",
  "section services",
  "for service in nginx hastack-nginx-readiness keepalived haproxy pgbouncer patroni etcd redis-server redis-sentinel; do",
  '  ! systemctl cat "$service" >/dev/null 2>&1 || echo "$service $(systemctl is-active "$service")"',
  "done",
  only("/etc/patroni/config.yml", "patroni", "timeout 5 patronictl -c /etc/patroni/config.yml list --format json"),
  only(
    etcdctlFile,
    "etcd",
    asEtcdRoot(
      `own=$(ip -oneline -4 address show scope global | awk '{ split($4, at, "/"); print at[1] }')`,
      "# its own endpoint among all",
      `export ETCDCTL_ENDPOINTS=$(echo "$ETCDCTL_ENDPOINTS" | tr , '\\n' | grep -F "$(printf '//%s:\\n' $own)")`,
      "etcdctl --command-timeout=3s endpoint health 2>&1",
      "etcdctl --command-timeout=3s endpoint status --write-out=simple",
    ),
  ),
  only(redisLibrary, "redis", withRedis("redis INFO replication")),
  only(`${live}/upstream.conf`, "nginx", nodesHealth),
  `if [ -x ${convergePath} ]; then`,
  "section drift",
  `timeout 25 ${convergePath} check || true`,
  "fi",
].join("\n");

/** In a shell of its own: what one answer sets or breaks is no matter for the next. */
function only(file: string, name: string, ask: string): string {
  return [`if [ -r ${file} ]; then`, `section ${name}`, "(", ask, ") || true", "fi"].join("\n");
}

/** The answer to the question. */
export function sections(printed: string): Sections {
  const found: Record<string, string> = {};
  for (const part of `\n${printed}`.split("\n== ").slice(1)) {
    const end = part.indexOf("\n");
    found[part.slice(0, end)] = part.slice(end + 1).trim();
  }
  return found;
}
