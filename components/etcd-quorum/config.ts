import { secret } from "../converge/secrets";
import {
  comment,
  dataDirectory,
  directory,
  ensure,
  file,
  packages,
  port,
  requirement,
  service,
  unitText,
  waitFor,
} from "../converge/text";
import { firewallOpening } from "../firewall/config";
import { shell } from "../formats";
import { joinWord } from "../founding";
import {
  bootstrap,
  clientPort,
  dataPath,
  type EtcdConfig,
  type EtcdMember,
  endpoint,
  etcdctlFile,
  firewallOf,
  health,
  peerPort,
  peerUrl,
  script,
  tls,
} from "./etcd";
import { renderPlace } from "./membership";

const environment = "/etc/default/etcd";
const dropIns = "/etc/systemd/system/etcd.service.d";
const dropIn = `${dropIns}/hastack.conf`;
const readable = { mode: "0644", owner: "root:root" };
const forEtcd = { mode: "0640", owner: "root:etcd" };
const forRoot = { mode: "0600", owner: "root:root" };

/** The unit `etcd-install`: packages, on all hosts at once. */
export function renderInstall(config: EtcdConfig): string {
  return unitText(
    port(clientPort, "etcd.service", "etcd's clients"),
    port(peerPort, "etcd.service", "etcd's peers"),
    requirement(
      "an etcd runs here that was set up by hand; nothing is done to it. Stop it for good (`systemctl disable --now etcd`), " +
        "or say that this quorum takes its place (`replaces`, docs/adopt.md).",
      renderOwn(config),
    ),
    install(),
    ...(config.firewall ? [firewallOpening(firewallOf(config), "members")] : []),
  );
}

/** Whether the etcd that runs here, if one does, is of this quorum, or of the one whose place it takes. */
function renderOwn({ name, replaces }: EtcdConfig): string {
  return [
    "pid=$(systemctl show --property=MainPID --value etcd)",
    '[ "$pid" != 0 ] || exit 0',
    "token=$(tr '\\0' '\\n' </proc/$pid/environ | sed -n 's/^ETCD_INITIAL_CLUSTER_TOKEN=//p')",
    `case $token in ${shell(name)} | ${shell(replaces)}) ;; *) echo "its token is '$token'"; exit 1 ;; esac`,
  ].join("\n");
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
    file(etcdctlFile, renderEtcdctl(member), forRoot),
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
      disturbs: { by: "restart", how: "one member at a time, each while all others are healthy" },
    }),
    waitFor(
      "a member that joined is in step",
      90,
      script(`case "\${HASTACK_TOKEN:-}" in ${joinWord}:*) ${health([member])} ;; esac`),
    ),
  );
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
    "# what runs here is not of this quorum yet: there is no majority to keep",
    `[ -d ${dataPath(config)}/member ] || exit 0`,
    "n=0",
    `until out=$(${health(others)}); do`,
    '  n=$((n + 1)); [ $n -lt 10 ] || { echo "another member is not healthy: $out"; exit 1; }',
    "  sleep 1",
    "done",
  );
}

function env(variables: Record<string, string>): string {
  return Object.entries(variables)
    .map(([name, value]) => `${name}="${value}"\n`)
    .join("");
}
