import type { Firewall } from "../firewall/table";

/** What the rendered units of etcd share: the model, where things are, and how a script asks etcd. */

export interface EtcdMember {
  name: string;
  address: string;
}

/** Everything the rendered files depend on, checked and resolved. */
export interface EtcdConfig {
  /** Name of the quorum: its token, which keeps members of two quorums apart. */
  name: string;
  /** Token of the etcd that may run on the members before this quorum does; its own name if there is none. */
  replaces: string;
  members: readonly EtcdMember[];
  /** Addresses of hosts besides the members whose services use the quorum. */
  clients: readonly string[];
  /** Whether only they reach the ports. */
  firewall: boolean;
  quotaMiB: number;
  compactionHours: number;
  heartbeatMs: number;
  electionMs: number;
}

export const clientPort = 2379;
export const peerPort = 2380;

export const tls = "/etc/etcd/tls";
/** What `etcdctl` needs to be etcd's root on a member. */
export const etcdctlFile = "/etc/etcd/etcdctl.env";
/** What a member knows at its first start only; a change in it restarts nothing. */
export const bootstrap = "/var/lib/etcd/bootstrap.env";

export function firewallOf(config: Pick<EtcdConfig, "members" | "clients">): Firewall {
  return {
    role: "etcd",
    sources: [
      { name: "members", from: config.members.map((member) => member.address) },
      { name: "clients", from: config.clients },
    ],
    rules: [
      { to: { ports: [clientPort] }, sources: ["members", "clients"] },
      { to: { ports: [peerPort] }, sources: ["members"] },
    ],
  };
}

export function endpoint(member: EtcdMember): string {
  return `https://${member.address}:${clientPort}`;
}

export function peerUrl(member: EtcdMember): string {
  return `https://${member.address}:${peerPort}`;
}

export function dataPath(config: EtcdConfig): string {
  return `/var/lib/etcd/${config.name}`;
}

/** A script with etcdctl set up as etcd's user root. */
export function script(...lines: string[]): string {
  return ["set -a", `. ${etcdctlFile}`, "set +a", `TLS=${tls}`, ...lines, ""].join("\n");
}

/**
 * Exit 0 when all of them can serve, else a line for each that cannot. etcdctl takes the endpoints from one place only,
 * here its environment, and writes its own log, in JSON, between its answers.
 */
export function health(members: readonly EtcdMember[]): string {
  const ask = `ETCDCTL_ENDPOINTS=${members.map(endpoint).join(",")} etcdctl --command-timeout=3s endpoint health`;
  const names = members.map((member) => `-e 's|^${endpoint(member)} |${member.name} |'`);
  const noise = ["^[{]", " is healthy: ", "^Error: unhealthy cluster"].map((pattern) => `-e '/${pattern}/d'`);
  return [
    `{ said=$(${ask} 2>&1) || {`,
    `  echo "$said" | sed ${noise.join(" ")} \\`,
    `    ${names.join(" ")}`,
    "  false",
    "}; }",
  ].join("\n");
}
