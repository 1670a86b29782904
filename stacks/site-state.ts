import { randomBytes } from "node:crypto";
import { z } from "zod";
import type { Inventory } from "../components/cli/inventory";
import { defaultLimits, session, Unreachable } from "../components/converge/ssh";
import { shell } from "../components/formats";

/** The output `sites` of a stack: which node stands where, and what leads to them. */
export const sitesSchema = z.object({
  scheme: z.string(),
  activeSite: z.string().optional(),
  nodes: z.record(z.string(), z.object({ site: z.string(), address: z.string(), port: z.number() })),
  balancers: z.array(z.string()),
  /** The entry by its name, and its address. */
  url: z.string(),
  address: z.string(),
  healthPath: z.string(),
});

export type Sites = z.output<typeof sitesSchema>;

/** What one balancer says. */
interface Said {
  balancer: string;
  /** It is off, or out of reach. */
  unreachable?: boolean;
  /** Why its answer is none. */
  complaint?: string;
  /** Nodes that its nginx sends requests to. */
  leadsTo: string[];
  /** By node: the status of its health as this balancer sees it (000: no connection), and open connections to it. */
  nodes: Record<string, { health: string; connections: number }>;
  /** Of requests that were just made through the entry: each status, and the nodes that answered. */
  statuses: string[];
  answeredBy: string[];
}

export type SiteState = readonly Said[];

/** Asks all balancers at once: what they send requests to, and, by requests of their own, who answers. */
export function siteState(sites: Sites, inventory: Inventory): Promise<SiteState> {
  const mark = randomBytes(8).toString("hex");
  return Promise.all(
    sites.balancers.map(async (balancer): Promise<Said> => {
      const nothing = { balancer, leadsTo: [], nodes: {}, statuses: [], answeredBy: [] };
      const connection = inventory.hosts[balancer];
      if (!connection) return { ...nothing, complaint: "is not among the stack's hosts" };
      try {
        const said = await session(connection, defaultLimits, (run) => run("sh -s", { stdin: question(sites, mark) }));
        return { ...nothing, ...understood(sites, said) };
      } catch (error) {
        if (error instanceof Unreachable) return { ...nothing, unreachable: true };
        return { ...nothing, complaint: (error as Error).message };
      }
    }),
  );
}

/** Requests to this balancer itself, and to the entry's address, whoever holds it; its log says which node answered. */
function question({ nodes, url, address, healthPath }: Sites, mark: string): string {
  const live = "/etc/nginx/hastack/tested/live";
  const asked = `curl --silent --noproxy '*' --output /dev/null --max-time 10 --write-out`;
  const { host } = new URL(url);
  return [
    "set -eu",
    `/usr/local/lib/hastack/nginx/live check >&2`,
    `sed -n '/ down;/d; s/^server .*# /leads /p' ${live}/upstream.conf`,
    ...Object.entries(nodes).flatMap(([name, { address: node, port }]) => [
      `health=$(${asked} '%{http_code}' --cacert ${live}/ca.crt --connect-to ::${node}:${port} ${shell(`https://${host}${healthPath}`)}) || true`,
      `echo "node ${name} $health $(ss -Htn state established dst ${node} dport = :${port} | wc -l)"`,
    ]),
    `for where in 127.0.0.1 ${address}; do for i in 1 2 3 4 5; do`,
    `  ${asked} 'status %{http_code}\\n' --insecure --connect-to "::$where:" ${shell(`${url}${healthPath}?${mark}`)} || true`,
    "done; done",
    "sleep 0.5",
    `sed -n '/${mark}/s/.* "\\([0-9.:, ]*\\)" "[0-9, ]*" [^"]*$/answered \\1/p' /var/log/nginx/hastack/access.log`,
  ].join("\n");
}

function understood({ nodes }: Sites, said: string): Partial<Said> {
  const names = new Map(Object.entries(nodes).map(([name, { address, port }]) => [`${address}:${port}`, name]));
  const lines = said.split("\n").map((line) => line.split(" "));
  const rest = (word: string) => lines.filter(([first]) => first === word).map(([, ...words]) => words);
  return {
    leadsTo: rest("leads").flat(),
    nodes: Object.fromEntries(
      rest("node").map(([name = "", health = "", count]) => [name, { health, connections: Number(count) }]),
    ),
    statuses: rest("status").flat(),
    // A request that was repeated has several: the last one answered.
    answeredBy: rest("answered").map((words) => names.get(words.at(-1) ?? "") ?? `${words.at(-1)}`),
  };
}

/** The nodes of a site. */
export function nodesOf(sites: Sites, site: string): string[] {
  return Object.keys(sites.nodes).filter((name) => sites.nodes[name]?.site === site);
}

/** Why the site could not serve if it had to: a node of it is not ready as a balancer sees it. */
export function unready(sites: Sites, state: SiteState, site: string): string[] {
  const asked = reachable(state);
  if (asked.length === 0) return ["no balancer can be reached, so nobody knows"];
  return nodesOf(sites, site).flatMap((node) =>
    asked
      .filter(({ nodes }) => nodes[node]?.health !== "200")
      .map(({ balancer, nodes, complaint }) => `${node}: ${balancer} gets ${nodes[node]?.health ?? complaint} from it`),
  );
}

/**
 * What speaks against that this site serves, and nobody else. A balancer that cannot be reached does not: where it had
 * to be changed, `pulumi up` has failed already.
 */
export function notServedBy(sites: Sites, state: SiteState, site: string): string[] {
  const own = nodesOf(sites, site);
  const others = Object.keys(sites.nodes).filter((name) => !own.includes(name));
  const wrong = (list: readonly string[]) => list.filter((node) => !own.includes(node));
  const asked = reachable(state);
  if (asked.length === 0) return ["no balancer can be reached"];
  return asked.flatMap(({ balancer, complaint, leadsTo, nodes, statuses, answeredBy }) => {
    if (complaint !== undefined) return [`${balancer}: ${complaint}`];
    const held = others.filter((node) => (nodes[node]?.connections ?? 0) > 0);
    return [
      ...(leadsTo.length === 0 ? ["leads to no node"] : wrong(leadsTo).map((node) => `leads to ${node}`)),
      ...statuses.filter((status) => status !== "200").map((status) => `a request got ${status}`),
      ...(answeredBy.length === 0 ? ["answered no request"] : wrong(answeredBy).map((node) => `${node} answered`)),
      ...held.map((node) => `${nodes[node]?.connections} connections to ${node} are open`),
    ].map((what) => `${balancer}: ${what}`);
  });
}

function reachable(state: SiteState): SiteState {
  return state.filter(({ unreachable }) => !unreachable);
}

/** For people. */
export function stateText(sites: Sites, state: SiteState): string {
  const names = [...new Set(Object.values(sites.nodes).map(({ site }) => site))];
  const asked = reachable(state);
  return [
    ...names.flatMap((site) => [
      `site ${site}`,
      ...nodesOf(sites, site).map((node) => {
        const ready = asked.length > 0 && asked.every(({ nodes }) => nodes[node]?.health === "200");
        const connections = asked.reduce((sum, { nodes }) => sum + (nodes[node]?.connections ?? 0), 0);
        return `  ${node}  ${ready ? "ready" : "not ready"}, ${connections} connections from the entry`;
      }),
    ]),
    `entry ${sites.address}`,
    ...state.map(({ balancer, unreachable, complaint, leadsTo, statuses, answeredBy }) => {
      if (unreachable) return `  ${balancer}  cannot be reached`;
      if (complaint !== undefined) return `  ${balancer}  ${complaint}`;
      const good = statuses.filter((status) => status === "200").length;
      const by = [...new Set(answeredBy)].sort().join(", ") || "nobody that it knows of";
      return `  ${balancer}  leads to ${leadsTo.join(", ") || "no node"}; ${good} of ${statuses.length} requests succeeded, answered by ${by}`;
    }),
    "",
  ].join("\n");
}
