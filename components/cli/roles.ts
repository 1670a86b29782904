import type { Inventory } from "./inventory";
import type { Sections } from "./question";
import type { Group, Member } from "./status";

/** By host: what it said, or why it said nothing. */
export type Answers = Readonly<Record<string, { reason?: string; said: Sections }>>;

/** The balancers of each entry, and the nodes behind it as they see them. */
export function balancers(inventory: Inventory, answers: Answers): Group[] {
  return inventory.balancers.flatMap((entry): Group[] => {
    const seen = entry.hosts.map((host) => answers[host]?.said.nginx).filter((text) => text !== undefined);
    return [
      withAddress("balancer", entry, answers, ["nginx", "hastack-nginx-readiness"]),
      {
        kind: "nodes",
        name: `behind ${entry.address}`,
        members: entry.nodes.map((node): Member => {
          const at = `${node.address}:${node.port}`;
          const health = seen.map(
            (text) =>
              text
                .split("\n")
                .find((line) => line.startsWith(`${at} `))
                ?.split(" ")[1],
          );
          const bad = health.filter((status) => !/^[23]/.test(status ?? ""));
          const well = health.length > 0 && bad.length === 0;
          const state = well ? "ready" : healthWords(bad[0], health.length);
          return { name: node.name, role: "", state, well };
        }),
      },
    ];
  });
}

function healthWords(status: string | undefined, asked: number): string {
  if (asked === 0) return "unknown: no balancer answers";
  if (status === undefined) return "not known to a balancer";
  return status === "000" ? "not ready: no answer" : `not ready: its health is ${status}`;
}

export function poolers(inventory: Inventory, answers: Answers): Group[] {
  return inventory.poolers.map((entry) => withAddress("pooler", entry, answers, ["pgbouncer", "haproxy"]));
}

/** As the first member sees it that answers (Patroni manual, patronictl list). */
export function clusters(inventory: Inventory, answers: Answers): Group[] {
  return inventory.clusters.map(({ scope, members }): Group => {
    const base = { kind: "database" as const, name: scope };
    const said = members.map((member) => answers[member]?.said.patroni).find((text) => text?.startsWith("["));
    if (said === undefined) {
      return { ...base, members: members.map((name) => missing(name, answers, "unknown")), wrong: "no member answers" };
    }
    const rows = JSON.parse(said) as Record<string, string | number>[];
    const listed = rows.map((row): Member => {
      const state = String(row.State);
      const lag = row["Lag in MB"];
      return {
        name: String(row.Member),
        role: String(row.Role).toLowerCase(),
        state,
        well: state === "running" || state === "streaming",
        ...(typeof lag === "number" && { lag: `${lag} MiB` }),
      };
    });
    // Patroni leaves a member out whose key in etcd has expired.
    const absent = members.filter((name) => !listed.some((member) => member.name === name));
    return onlyOne("leader", {
      ...base,
      members: [...listed, ...absent.map((name) => missing(name, answers, "not a member now"))],
    });
  });
}

/** Each member tells of itself. */
export function quorums(inventory: Inventory, answers: Answers): Group[] {
  return inventory.quorums.map(({ members }): Group => {
    const listed = members.map((name): Member => {
      const said = answers[name]?.said.etcd;
      if (!said) return missing(name, answers, "does not answer");
      // endpoint, id, version, size, whether it leads, … (etcdctl(1), endpoint status)
      const status =
        said
          .split("\n")
          .find((line) => /^https:\S+, /.test(line))
          ?.split(", ") ?? [];
      const well = / is healthy: /.test(said);
      return {
        name,
        role: status[4] === "true" ? "leader" : "follower",
        state: well ? "healthy" : "not healthy",
        well,
      };
    });
    return onlyOne("leader", { kind: "etcd", name: "etcd", members: listed });
  });
}

/** Each server tells of itself; a replica knows what it lacks by its master's count of bytes (Redis manual, INFO). */
export function caches(inventory: Inventory, answers: Answers): Group[] {
  return inventory.caches.map((entry): Group => {
    const infos = entry.hosts.map((name) => {
      const said = answers[name]?.said.redis;
      return {
        name,
        ...(said && { info: new Map(said.split("\n").map((line) => line.trim().split(":", 2) as [string, string])) }),
      };
    });
    const offset = infos.find(({ info }) => info?.get("role") === "master")?.info?.get("master_repl_offset");
    const members = infos.map(({ name, info }): Member => {
      const role = info?.get("role");
      if (role === undefined) return missing(name, answers, "Redis does not answer");
      if (role === "master") return { name, role, state: "running", well: true };
      const linked = info?.get("master_link_status") === "up";
      const lacks =
        offset === undefined ? undefined : Math.max(0, Number(offset) - Number(info?.get("slave_repl_offset")));
      return {
        name,
        role: "replica",
        state: linked ? "in step" : "not connected to its master",
        well: linked,
        ...(lacks !== undefined && { lag: `${lacks} bytes` }),
      };
    });
    return onlyOne("master", { ...holding(entry, answers), kind: "redis", name: entry.address, members });
  });
}

interface Entry {
  address: string;
  hosts: readonly string[];
}

/** Hosts that serve an address by these services, all of them alike; one of them holds it. */
function withAddress(kind: Group["kind"], entry: Entry, answers: Answers, wanted: readonly string[]): Group {
  const shared = holding(entry, answers);
  const members = entry.hosts.map((name): Member => {
    const said = answers[name]?.said.services;
    if (said === undefined) return missing(name, answers, "unknown");
    const services = new Map(said.split("\n").map((line) => line.split(" ") as [string, string]));
    const needed = shared.holders ? [...wanted, "keepalived"] : wanted;
    const down = needed.filter((service) => services.get(service) !== "active");
    const state = down.map((service) => `${service} ${services.get(service) ?? "is missing"}`).join(", ");
    return { name, role: "", state: state || "running", well: down.length === 0 };
  });
  return { ...shared, kind, name: entry.address, members };
}

function holding({ address, hosts }: Entry, answers: Answers): Pick<Group, "holders" | "wrong"> {
  if (hosts.length === 1) return {};
  const holders = hosts.filter((host) =>
    answers[host]?.said.addresses?.split("\n").some((line) => line.split("/")[0] === address),
  );
  if (holders.length === 1) return { holders };
  return {
    holders,
    wrong: holders.length === 0 ? "no host holds the address" : `${holders.length} hosts hold the address at once`,
  };
}

function onlyOne(role: string, group: Group): Group {
  const count = group.members.filter((member) => member.role === role).length;
  if (count === 1) return group;
  const wrong = count === 0 ? `no ${role}` : `${count} of role ${role}`;
  return { ...group, wrong: group.wrong ? `${group.wrong}; ${wrong}` : wrong };
}

function missing(name: string, answers: Answers, state: string): Member {
  return {
    name,
    role: "",
    state: answers[name]?.reason === undefined ? state : "the host does not answer",
    well: false,
  };
}
