import { secret } from "../converge/secrets";
import {
  comment,
  dataDirectory,
  directory,
  ensure,
  file,
  packages,
  port,
  service,
  unitText,
  waitFor,
} from "../converge/text";
import { initialToken } from "../converge/token";
import { shell } from "../formats";

export interface EtcdMember {
  name: string;
  address: string;
}

/** Everything the rendered files depend on, checked and resolved. */
export interface EtcdConfig {
  /** Name of the quorum: its token, which keeps members of two quorums apart. */
  name: string;
  members: readonly EtcdMember[];
  quotaMiB: number;
  compactionHours: number;
  heartbeatMs: number;
  electionMs: number;
}

export const clientPort = 2379;
export const peerPort = 2380;

const tls = "/etc/etcd/tls";
const environment = "/etc/default/etcd";
/** What a member knows at its first start only; a change in it restarts nothing. */
const bootstrap = "/var/lib/etcd/bootstrap.env";
const dropIns = "/etc/systemd/system/etcd.service.d";
const dropIn = `${dropIns}/hastack.conf`;
const readable = { mode: "0644", owner: "root:root" };
const forEtcd = { mode: "0640", owner: "root:etcd" };
const forRoot = { mode: "0600", owner: "root:root" };

export function endpoint(member: EtcdMember): string {
  return `https://${member.address}:${clientPort}`;
}

/** The unit `etcd-install`: packages, on all hosts at once. */
export function renderInstall(): string {
  return unitText(
    port(clientPort, "etcd.service", "etcd's clients"),
    port(peerPort, "etcd.service", "etcd's peers"),
    install(),
  );
}

/** In both units: the first installs on all hosts at once, the second knows when a restart is due. */
function install(): string {
  return packages(["etcd-server", "etcd-client"], { hold: true });
}

/** The unit `etcd`: one member's configuration and service, one host at a time. */
export function renderMember(config: EtcdConfig, member: EtcdMember): string {
  return unitText(
    install(),
    directory("/etc/etcd", { mode: "0755", owner: "root:root" }),
    directory(tls, { mode: "0750", owner: "root:etcd" }),
    file(`${tls}/ca.crt`, secret("ca"), forEtcd),
    ...["server", "peer"].flatMap((role) => [
      file(`${tls}/${role}.crt`, secret(`${role}.crt`), forEtcd),
      file(`${tls}/${role}.key`, secret(`${role}.key`), forEtcd),
    ]),
    comment("the certificate of etcd's user root: who reads it administers etcd"),
    file(`${tls}/root.crt`, secret("root.crt"), forRoot),
    file(`${tls}/root.key`, secret("root.key"), forRoot),
    file("/etc/etcd/etcdctl.env", renderEtcdctl(member), forRoot),
    dataDirectory(dataPath(config), { mode: "0700", owner: "etcd:etcd" }),
    file(environment, renderEnvironment(config, member), readable),
    ensure("a place in the quorum", renderPlace(config, member)),
    directory(dropIns, { mode: "0755", owner: "root:root" }),
    file(dropIn, renderDropIn(), readable),
    service("etcd", {
      enabled: true,
      started: true,
      // Certificates are read at each connection; whom to trust, at the start.
      restartOn: [environment, dropIn, `${tls}/ca.crt`, "package:etcd-server"],
      // The first member of a new quorum is up only when a majority is: the next host must not wait for it.
      noBlock: true,
      beforeRestart: renderOthersHealthy(config, member),
    }),
    waitFor(
      "a member that joined is in step",
      90,
      script(`grep -q '^ETCD_INITIAL_CLUSTER_STATE=new$' ${bootstrap} || ${health([member])} 2>&1`),
    ),
  );
}

/** First word of a new member's token where there is no quorum yet, and where there is one. */
export const foundWord = "found";
export const joinWord = "join";

/** The unit `etcd-ready`, on every member: the quorum is whole. That a host has it says that the quorum exists. */
export function renderReady(config: EtcdConfig): string {
  return unitText(
    waitFor(`all ${config.members.length} members of etcd are healthy`, 60, script(`${health(config.members)} 2>&1`)),
  );
}

/** The unit `etcd-access`, on one member: who belongs to the quorum, and who may ask it. */
export function renderAccess(config: EtcdConfig): string {
  const urls = config.members.map(peerUrl).sort().join(" ");
  return unitText(
    ensure("no other members", {
      check: script(
        "found=$(etcdctl member list | awk -F ', ' '{ print $4 }' | sort | xargs)",
        `[ "$found" = "${urls}" ] || { echo "they are: $found"; exit 1; }`,
      ),
      fix: script(
        "etcdctl member list | while IFS=, read -r id _ _ url _; do",
        `  case " ${urls} " in *" \${url# } "*) ;; *) etcdctl member remove "$id" ;; esac`,
        "done",
      ),
    }),
    comment("root has no password: it is whoever holds the certificate with this common name"),
    ensure("user root", {
      check: script("etcdctl user get root >/dev/null 2>&1 || { echo missing; exit 1; }"),
      fix: script("etcdctl user add root --no-password"),
    }),
    ensure("user root has role root", {
      check: script(
        "etcdctl user get root 2>&1 | grep -qx 'Roles:.* root\\( .*\\)\\?' || { echo 'it has not'; exit 1; }",
      ),
      fix: script("etcdctl role add root >/dev/null 2>&1 || true", "etcdctl user grant-role root root"),
    }),
    ensure("authentication is on", {
      check: script(
        "# without a certificate's name or a password nothing may be read",
        "out=$(ETCDCTL_CERT=$TLS/server.crt ETCDCTL_KEY=$TLS/server.key etcdctl get / --limit=1 2>&1) && { echo off; exit 1; }",
        'case $out in *"user name is empty"*|*"permission denied"*|*"user name not found"*) ;; *) echo "$out"; exit 1;; esac',
      ),
      fix: script("etcdctl auth enable"),
    }),
  );
}

export interface EtcdAccount {
  user: string;
  /** Every key that begins with it may be read and written, and no other. */
  prefix: string;
}

/** The unit `etcd-account-NAME`, on one member: a user that sees its own prefix only. */
export function renderAccount({ user, prefix }: EtcdAccount): string {
  const range = `[${prefix}, ${prefixEnd(prefix)}) (prefix ${prefix})`;
  const role = [`Role ${user}`, "KV Read:", `\t${range}`, "KV Write:", `\t${range}`].join("\n");
  const password = secret("password", "shell");
  return unitText(
    ensure(`user ${user}`, {
      check: script(`etcdctl user get ${user} >/dev/null 2>&1 || { echo missing; exit 1; }`),
      fix: script(`printf '%s\\n' ${password} | etcdctl user add ${user} --interactive=false`),
    }),
    ensure(`role ${user} reads and writes ${prefix} and nothing else`, {
      check: script(
        `want=${shell(role)}`,
        `got=$(etcdctl role get ${user} 2>/dev/null) || { echo missing; exit 1; }`,
        '[ "$got" = "$want" ] || { echo "other permissions"; exit 1; }',
      ),
      fix: script(
        `etcdctl role delete ${user} >/dev/null 2>&1 || true`,
        `etcdctl role add ${user}`,
        `etcdctl role grant-permission ${user} readwrite ${shell(prefix)} --prefix`,
      ),
    }),
    ensure(`user ${user} has role ${user}`, {
      check: script(
        `got=$(etcdctl user get ${user} | sed -n 's/^Roles: *//p' | xargs)`,
        `[ "$got" = ${user} ] || { echo "its roles are: \${got:-none}"; exit 1; }`,
      ),
      fix: script(
        `for role in $(etcdctl user get ${user} | sed -n 's/^Roles: *//p'); do`,
        `  [ "$role" = ${user} ] || etcdctl user revoke-role ${user} "$role"`,
        "done",
        `etcdctl user grant-role ${user} ${user} || etcdctl user get ${user} | grep -q '^Roles:.* ${user}'`,
      ),
    }),
    ensure(`user ${user} has its password`, {
      check: script(
        `ETCDCTL_USER=${user} ETCDCTL_PASSWORD=${password} etcdctl get ${shell(prefix)} --prefix --keys-only --limit=1 ` +
          ">/dev/null 2>&1 || { echo 'it is another one'; exit 1; }",
      ),
      fix: script(`printf '%s\\n' ${password} | etcdctl user passwd ${user} --interactive=false`),
    }),
  );
}

/** The first key after all keys with a prefix, as etcd computes it. */
function prefixEnd(prefix: string): string {
  return prefix.slice(0, -1) + String.fromCharCode(prefix.charCodeAt(prefix.length - 1) + 1);
}

/** /etc/default/etcd (etcd's flags as environment variables, see etcd's configuration guide). */
export function renderEnvironment(config: EtcdConfig, member: EtcdMember): string {
  const client = endpoint(member);
  const peer = peerUrl(member);
  return env({
    ETCD_NAME: member.name,
    ETCD_DATA_DIR: dataPath(config),
    ETCD_LISTEN_CLIENT_URLS: `${client},https://127.0.0.1:${clientPort}`,
    ETCD_ADVERTISE_CLIENT_URLS: client,
    ETCD_LISTEN_PEER_URLS: peer,
    ETCD_CERT_FILE: `${tls}/server.crt`,
    ETCD_KEY_FILE: `${tls}/server.key`,
    ETCD_TRUSTED_CA_FILE: `${tls}/ca.crt`,
    ETCD_CLIENT_CERT_AUTH: "true",
    ETCD_PEER_CERT_FILE: `${tls}/peer.crt`,
    ETCD_PEER_KEY_FILE: `${tls}/peer.key`,
    ETCD_PEER_TRUSTED_CA_FILE: `${tls}/ca.crt`,
    ETCD_PEER_CLIENT_CERT_AUTH: "true",
    // A certificate of the same authority that was made for something else must not join the quorum.
    ETCD_PEER_CERT_ALLOWED_CN: peerCommonName(config),
    ETCD_AUTO_COMPACTION_MODE: "periodic",
    ETCD_AUTO_COMPACTION_RETENTION: `${config.compactionHours}h`,
    ETCD_QUOTA_BACKEND_BYTES: String(config.quotaMiB * 1024 * 1024),
    ETCD_HEARTBEAT_INTERVAL: String(config.heartbeatMs),
    ETCD_ELECTION_TIMEOUT: String(config.electionMs),
  });
}

export function peerCommonName(config: EtcdConfig): string {
  return `${config.name}-peer`;
}

/**
 * Before the first start, a member either founds the quorum with the others, or asks an existing one to take it in. It
 * never founds a second one where there was a first: members without their data would forget what they agreed on.
 * The file names the token under which a member joined, so that it joins anew when it was removed in between.
 */
function renderPlace(config: EtcdConfig, member: EtcdMember) {
  const data = dataPath(config);
  const url = peerUrl(member);
  const others = config.members.filter((m) => m.name !== member.name).map(endpoint);
  const joined = `case "\${HASTACK_TOKEN:-}" in ${joinWord}:*) grep -qxF "# $HASTACK_TOKEN" ${bootstrap} ;; esac`;
  return {
    timeout: 120,
    check: `[ -s ${bootstrap} ] && [ -d ${data} ] && ${joined}`,
    fix: script(
      "write() { # STATE MEMBERS",
      `  printf '%s\\n' "# $HASTACK_TOKEN" "ETCD_INITIAL_CLUSTER_STATE=$1" "ETCD_INITIAL_CLUSTER=$2" \\`,
      `    ETCD_INITIAL_CLUSTER_TOKEN=${config.name} ETCD_INITIAL_ADVERTISE_PEER_URLS=${url} >${bootstrap}.new`,
      `  mv ${bootstrap}.new ${bootstrap}`,
      "}",
      'case "$HASTACK_TOKEN" in',
      `  ${foundWord}:* | ${initialToken}) write new ${config.members.map((m) => `${m.name}=${peerUrl(m)}`).join(",")}; exit 0 ;;`,
      "esac",
      `export ETCDCTL_ENDPOINTS=${others.join(",")}`,
      "if ! list=$(etcdctl --command-timeout=5s member list 2>&1); then",
      `  echo "the quorum exists and does not answer, so ${member.name} cannot join it. Bring back members until a majority"`,
      '  echo "runs; if they are lost for good, restore a snapshot (etcd manual, Disaster recovery). etcdctl says: $list"',
      "  exit 1",
      "fi",
      "# ID, and whether it has ever started",
      `id=$(echo "$list" | awk -F ', ' '$4 == "${url}" { print $1 }')`,
      `started=$(echo "$list" | awk -F ', ' '$4 == "${url}" && $3 != "" { print "yes" }')`,
      `if [ -d ${data}/member ] && [ -z "$id" ]; then`,
      "  # it was a member once: what it knew is of no use to the quorum, and not ours to delete",
      `  mv ${data} ${data}.removed-$(date +%s)`,
      `  install -d -m 0700 -o etcd -g etcd ${data}`,
      `elif [ ! -d ${data}/member ] && [ -n "$started" ]; then`,
      "  # a member that comes back with an empty disk is another one",
      '  etcdctl member remove "$id"',
      "  id=",
      "fi",
      "# etcd takes the next member only when the one before has been connected for some seconds",
      "tries=0",
      `while [ -z "$id" ] && ! said=$(etcdctl member add ${member.name} --peer-urls=${url} 2>&1); do`,
      "  tries=$((tries + 1))",
      '  case $said in *"unhealthy cluster"*) [ $tries -lt 30 ] ;; *) false ;; esac || { echo "$said"; exit 1; }',
      "  sleep 1",
      "done",
      `write existing "$(etcdctl member list | awk -F ', ' -v me=${member.name} -v url=${url} \\`,
      `  '{ printf "%s%s=%s", (NR > 1 ? "," : ""), ($4 == url ? me : $3), $4 }')"`,
    ),
  };
}

function renderDropIn(): string {
  return `[Service]\nEnvironmentFile=${bootstrap}\nRestart=on-failure\nRestartSec=2\n`;
}

/** What `etcdctl` needs to be etcd's root on this member: `set -a; . /etc/etcd/etcdctl.env`. */
function renderEtcdctl(member: EtcdMember): string {
  return env({
    ETCDCTL_API: "3",
    ETCDCTL_ENDPOINTS: endpoint(member),
    ETCDCTL_CACERT: `${tls}/ca.crt`,
    ETCDCTL_CERT: `${tls}/root.crt`,
    ETCDCTL_KEY: `${tls}/root.key`,
  });
}

/** A member may go down only while all others are up: so a majority is there at every moment. */
function renderOthersHealthy(config: EtcdConfig, member: EtcdMember): string {
  const others = config.members.filter((m) => m.name !== member.name);
  if (others.length === 0) return script("exit 0");
  return script(
    "n=0",
    `until out=$(${health(others)} 2>&1); do`,
    '  n=$((n + 1)); [ $n -lt 10 ] || { echo "another member is not healthy: $out"; exit 1; }',
    "  sleep 1",
    "done",
  );
}

/** Exit 0 when all of them can serve; etcdctl takes the endpoints from one place only, here its environment. */
function health(members: readonly EtcdMember[]): string {
  return `ETCDCTL_ENDPOINTS=${members.map(endpoint).join(",")} etcdctl --command-timeout=3s endpoint health`;
}

function script(...lines: string[]): string {
  return ["set -a", ". /etc/etcd/etcdctl.env", "set +a", `TLS=${tls}`, ...lines, ""].join("\n");
}

function dataPath(config: EtcdConfig): string {
  return `/var/lib/etcd/${config.name}`;
}

function peerUrl(member: EtcdMember): string {
  return `https://${member.address}:${peerPort}`;
}

function env(variables: Record<string, string>): string {
  return Object.entries(variables)
    .map(([name, value]) => `${name}="${value}"\n`)
    .join("");
}
