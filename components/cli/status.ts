import { defaultLimits, session, Unreachable } from "../converge/ssh";
import type { Inventory } from "./inventory";
import { question, type Sections, sections } from "./question";
import { type Answers, balancers, caches, clusters, poolers, quorums } from "./roles";

/** A host, or an application's node, in one of its roles. */
export interface Member {
  name: string;
  /** What it does there: `leader`, `replica`, `master`, `holds the address`, …; empty where all do the same. */
  role: string;
  /** In words, e.g. `streaming`, `ready`, `timed out`. */
  state: string;
  well: boolean;
  /** What it lacks of the leader's data, with its unit, e.g. `3 MiB`. */
  lag?: string;
}

export const kinds = ["balancer", "nodes", "pooler", "database", "etcd", "redis"] as const;

/** Hosts that do one thing together. */
export interface Group {
  kind: (typeof kinds)[number];
  /** What it is called: a scope, or the address that its clients use. */
  name: string;
  members: Member[];
  /** With a virtual address: who holds it. More than one is a split; none, and nobody is served. */
  holders?: string[];
  /** What is wrong with it as a whole. */
  wrong?: string;
}

/** What there is at this moment. */
export interface Status {
  /** Why a host could not be asked; null for those that answered. */
  hosts: Record<string, string | null>;
  groups: Group[];
  /** By host: what differs from what was applied last. A host without an answer is not there. */
  drift: Record<string, string[]>;
}

/** Asks all hosts at once. */
export async function statusOf(inventory: Inventory): Promise<Status> {
  const answers: Answers = Object.fromEntries(
    await Promise.all(
      Object.entries(inventory.hosts).map(async ([host, connection]): Promise<[string, Answers[string]]> => {
        try {
          const limits = { ...defaultLimits, connectSeconds: 5 };
          const printed = await session(connection, limits, (run) => run("sh -s", { stdin: question }));
          return [host, { said: sections(printed) }];
        } catch (error) {
          return [host, { reason: unanswered(error), said: {} }];
        }
      }),
    ),
  );
  return {
    hosts: Object.fromEntries(Object.entries(answers).map(([host, { reason }]) => [host, reason ?? null])),
    groups: groupsOf(inventory, answers),
    drift: Object.fromEntries(
      Object.entries(answers).flatMap(([host, { said }]) => (said.drift ? [[host, drifted(said)]] : [])),
    ),
  };
}

/** From the entry of clients to the data. */
export function groupsOf(inventory: Inventory, answers: Answers): Group[] {
  return [balancers, poolers, clusters, quorums, caches].flatMap((role) => role(inventory, answers));
}

/** A host whose question fails (no right to `sudo`, for one) answers as little as one that is down. */
function unanswered(error: unknown): string {
  const message = (error as Error).message.split("\n")[0] ?? "";
  return error instanceof Unreachable ? message : `does not answer: ${message}`;
}

function drifted({ drift = "" }: Sections): string[] {
  try {
    const { units } = JSON.parse(drift) as { units: Record<string, { drift: string[]; busy?: string }> };
    return Object.entries(units).flatMap(([unit, { drift: what, busy }]) =>
      busy === undefined ? what.map((line) => `${unit}: ${line}`) : [`${unit}: ${busy}`],
    );
  } catch {
    return ["cannot be told: converge did not answer in time"];
  }
}

/** Whether everything is as it should be: what a monitoring job wants to know. */
export function isWell({ hosts, groups, drift }: Status): boolean {
  return (
    Object.values(hosts).every((reason) => reason === null) &&
    groups.every((group) => isWellGroup(group)) &&
    Object.values(drift).every((what) => what.length === 0)
  );
}

export function isWellGroup({ members, wrong }: Group): boolean {
  return wrong === undefined && members.every(({ well }) => well);
}
