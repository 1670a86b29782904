import { defaultLimits, session, Unreachable } from "../converge/ssh";
import type { Inventory } from "./inventory";

/** A member as Patroni sees it (Patroni manual, REST API, GET /cluster). */
export interface Member {
  name: string;
  role: string;
  state: string;
  /** MiB of WAL that it lacks; undefined for the leader. */
  lagMiB?: number;
}

/** What there is at this moment. */
export interface Status {
  /** Why a host could not be asked; null for those that answered. */
  hosts: Record<string, string | null>;
  clusters: { scope: string; members: Member[]; unknown?: string }[];
  /** More than one holder is a split; none, and nobody is served. */
  virtualIps: { address: string; holders: string[]; hosts: string[] }[];
}

interface HostAnswer {
  unreachable?: string;
  addresses: string[];
  /** What Patroni on the host says of its cluster, as JSON. */
  cluster?: string;
}

/** Everything that is asked of a host, in one go; each question stands for itself. */
const question =
  'sh -c \'ip -oneline -4 address show scope global | awk "{ print \\$4 }"; echo --; ' +
  "if [ -r /etc/patroni/config.yml ]; then timeout 5 patronictl -c /etc/patroni/config.yml list --format json || true; fi'";

/** Asks all hosts at once. */
export async function statusOf(inventory: Inventory): Promise<Status> {
  const answers = Object.fromEntries(
    await Promise.all(
      Object.entries(inventory.hosts).map(async ([host, connection]): Promise<[string, HostAnswer]> => {
        try {
          const printed = await session(connection, { ...defaultLimits, connectSeconds: 5 }, (run) => run(question));
          const [addresses = "", cluster = ""] = printed.split("--\n");
          const found = { addresses: addresses.split("\n").map((line) => line.split("/")[0] ?? "") };
          return [host, cluster.trim() ? { ...found, cluster } : found];
        } catch (error) {
          if (!(error instanceof Unreachable)) throw error;
          return [host, { unreachable: error.message, addresses: [] }];
        }
      }),
    ),
  );
  return {
    hosts: Object.fromEntries(Object.entries(answers).map(([host, answer]) => [host, answer.unreachable ?? null])),
    clusters: inventory.clusters.map(({ scope, members }) => clusterSeen(scope, members, answers)),
    virtualIps: inventory.virtualIps.map(({ address, hosts }) => ({
      address,
      hosts,
      holders: hosts.filter((host) => answers[host]?.addresses.includes(address)),
    })),
  };
}

/** As the first member sees it that answers. */
function clusterSeen(scope: string, members: readonly string[], answers: Readonly<Record<string, HostAnswer>>) {
  for (const member of members) {
    const said = answers[member]?.cluster;
    if (said === undefined) continue;
    const rows = JSON.parse(said) as Record<string, string | number>[];
    return {
      scope,
      members: rows.map((row) => ({
        name: String(row.Member),
        role: String(row.Role).toLowerCase(),
        state: String(row.State),
        ...(typeof row["Lag in MB"] === "number" && { lagMiB: row["Lag in MB"] }),
      })),
    };
  }
  return { scope, members: [], unknown: `no member answers (${members.join(", ")})` };
}

/** Whether everything is as it should be: what a monitoring job wants to know. */
export function isWell({ hosts, clusters, virtualIps }: Status): boolean {
  return (
    Object.values(hosts).every((reason) => reason === null) &&
    clusters.every(
      ({ members }) =>
        members.filter(({ role }) => role === "leader").length === 1 &&
        members.every(({ state }) => state === "running" || state === "streaming"),
    ) &&
    virtualIps.every(({ holders }) => holders.length === 1)
  );
}
