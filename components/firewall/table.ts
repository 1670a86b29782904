/** A table of nftables (nft(8)) of our own: who reaches which ports of one role. Nothing else on the host is touched. */

/** Addresses that are let in together. */
export interface Source {
  /** Name of the set: letters, digits, `_`. */
  name: string;
  /** IPv4 and IPv6 addresses, or networks in CIDR notation. */
  from: readonly string[];
}

/** What is guarded: TCP ports, or VRRP's messages for one router id (IP protocol 112; RFC 5798, 5.2). */
export type Guarded = { ports: readonly number[] } | { routerId: number };

/** Whoever is in none of the sources is refused. */
export interface Rule {
  to: Guarded;
  /** Names of sources. */
  sources: readonly string[];
}

export interface Firewall {
  /** The role whose ports these are, e.g. `etcd`: letters, digits, `_`. */
  role: string;
  sources: readonly Source[];
  rules: readonly Rule[];
}

/** Ports of a role that one kind of client may reach, and nobody else. */
export function reachedFrom(source: Source, role: string, ports: readonly number[]): Firewall {
  return { role, sources: [source], rules: [{ to: { ports }, sources: [source.name] }] };
}

export function tableName(role: string): string {
  return `hastack_${role}`;
}

/**
 * The rules as a file for `nft -f`, which replaces the table as a whole, or not at all. Every packet is looked at, not
 * only the first of a connection: who is no longer let in loses the connections that it has.
 */
export function renderTable({ role, sources, rules }: Firewall): string {
  const table = `table inet ${tableName(role)}`;
  return [
    table,
    `delete ${table}`,
    `${table} {`,
    ...sources.flatMap(families).flatMap(renderSet),
    "  chain input {",
    "    type filter hook input priority filter; policy accept;",
    '    iifname "lo" accept',
    ...rules.flatMap((rule) => chainLines(rule, sources)),
    "  }",
    "}",
    "",
  ].join("\n");
}

/** A set holds addresses of one family. */
interface AddressSet {
  name: string;
  family: "ip" | "ip6";
  elements: readonly string[];
}

function families({ name, from }: Source): AddressSet[] {
  const v4 = from.filter((address) => !address.includes(":"));
  const v6 = from.filter((address) => address.includes(":"));
  const sets: AddressSet[] = [
    { name, family: "ip", elements: v4 },
    { name: `${name}6`, family: "ip6", elements: v6 },
  ];
  return sets.filter(({ elements }) => elements.length > 0);
}

function renderSet({ name, family, elements }: AddressSet): string[] {
  return [
    `  set ${name} {`,
    `    type ${family === "ip" ? "ipv4_addr" : "ipv6_addr"}`,
    "    flags interval",
    "    auto-merge",
    `    elements = { ${elements.join(", ")} }`,
    "  }",
  ];
}

function chainLines({ to, sources: names }: Rule, sources: readonly Source[]): string[] {
  const match = "ports" in to ? `tcp dport { ${to.ports.join(", ")} }` : `meta l4proto 112 @th,8,8 ${to.routerId}`;
  const known = names.map((name) => {
    const found = sources.find((source) => source.name === name);
    if (!found) throw new Error(`the firewall has no source ${name}`);
    return found;
  });
  return [
    ...known.flatMap(families).map(({ name, family }) => `    ${match} ${family} saddr @${name} accept`),
    // A refusal that is heard: a client that was forgotten says so at once, instead of hanging.
    "ports" in to ? `    ${match} reject with tcp reset` : `    ${match} drop`,
  ];
}

/** What a rendered table lets through, from IPv4 addresses and networks: the way back from `renderTable`. */
export function openings(text: string): { ports: number[]; from: string[] }[] {
  const listed = (words: string) => words.split(",").map((word) => word.trim());
  const sets = new Map(
    [...text.matchAll(/^ {2}set (\w+) \{\n {4}type ipv4_addr\n[^}]*?elements = \{ ([^}]*) \}/gm)].map(
      ([, name = "", elements = ""]) => [name, listed(elements)] as const,
    ),
  );
  return [...text.matchAll(/tcp dport \{ ([^}]*) \} ip saddr @(\w+) accept$/gm)].map(([, ports = "", name = ""]) => ({
    ports: listed(ports).map(Number),
    from: sets.get(name) ?? [],
  }));
}
