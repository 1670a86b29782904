import { readFileSync } from "node:fs";
import { join } from "node:path";
import * as pulumi from "@pulumi/pulumi";
import type { Host } from "../host";
import { foundBefore, refusedOrAnnounced } from "../host/inspect";
import { type PoolerConfig, role } from "./model";

/** What somebody has set up by hand on a pooler's host. */
export interface FoundPooler {
  /** Virtual addresses of keepalived. */
  addresses: readonly { address: string; routerId: number }[];
  pgbouncer?: { port: number; databases: readonly string[]; authType: string };
}

/**
 * Resolves as soon as it is sure that the pooler on the host, if somebody has set one up, may be taken over; it is said what
 * will change. A pooler that is known already is not asked.
 */
export function adopting(
  resource: string,
  pair: pulumi.Resource,
  host: Host,
  config: pulumi.Output<PoolerConfig>,
): pulumi.Output<void> {
  const program = readFileSync(join(__dirname, "host", "found"), "utf8");
  const printed = foundBefore(resource, host, role, "sh -s", program);
  return pulumi.all([config, printed]).apply(async ([c, text]) => {
    const found = parseFound(text);
    if (found) await refusedOrAnnounced(resource, pair, host, refusals(c, found), announcement(found));
  });
}

/** From the lines of host/found; undefined where nothing runs. */
export function parseFound(printed: string): FoundPooler | undefined {
  const fileOf = (service: string) => {
    const encoded = new RegExp(`^${service} (\\S*)$`, "m").exec(printed)?.[1];
    return encoded === undefined ? undefined : Buffer.from(encoded, "base64").toString("utf8");
  };
  const keepalived = fileOf("keepalived");
  const pgbouncer = fileOf("pgbouncer");
  if (keepalived === undefined && pgbouncer === undefined) return undefined;
  return {
    addresses: addressesIn(keepalived ?? ""),
    ...(pgbouncer !== undefined && { pgbouncer: pgbouncerIn(pgbouncer) }),
  };
}

/** keepalived.conf(5): blocks in braces, `!` and `#` begin a comment. */
function addressesIn(text: string): FoundPooler["addresses"] {
  const [, ...instances] = text.replace(/[!#].*$/gm, "").split(/^\s*vrrp_instance\b/m);
  return instances.flatMap((instance) => {
    const routerId = Number(/\bvirtual_router_id\s+(\d+)/.exec(instance)?.[1]);
    const block = /\bvirtual_ipaddress(?:_excluded)?\s*\{([^}]*)\}/.exec(instance)?.[1] ?? "";
    return [...block.matchAll(/^\s*(\d+\.\d+\.\d+\.\d+)\b/gm)].map(([, address = ""]) => ({ address, routerId }));
  });
}

/** pgbouncer.ini(5). */
function pgbouncerIn(text: string): NonNullable<FoundPooler["pgbouncer"]> {
  const values: Record<string, Record<string, string>> = {};
  let section: Record<string, string> = {};
  for (const line of text.split("\n")) {
    const name = /^\s*\[(.+)\]/.exec(line)?.[1];
    if (name !== undefined) {
      section = values[name] ??= {};
      continue;
    }
    const [, key, value = ""] = /^\s*("(?:[^"]|"")*"|[^\s;#=]+)\s*=\s*(.*?)\s*$/.exec(line) ?? [];
    if (key !== undefined) section[key.replace(/^"|"$/g, "").replace(/""/g, '"')] = value;
  }
  const { listen_port = "6432", auth_type = "md5" } = values.pgbouncer ?? {};
  return { port: Number(listen_port), databases: Object.keys(values.databases ?? {}), authType: auth_type };
}

/** Why a pooler cannot be taken over, in the words of its operator; empty when it can be. */
export function refusals(
  {
    settings,
    virtualIp,
    pools,
  }: Pick<PoolerConfig, "settings" | "pools"> & {
    virtualIp: Pick<PoolerConfig["virtualIp"], "virtualIp" | "routerId">;
  },
  { addresses, pgbouncer }: FoundPooler,
): string[] {
  const { address: own } = virtualIp.virtualIp;
  const aliases = pools.map((pool) => pool.alias);
  const reasons = addresses.flatMap(({ address, routerId }) => {
    if (address !== own)
      return [`its keepalived has the address ${address}, which nobody would have: take that out first`];
    if (routerId === virtualIp.routerId) return [];
    return [
      `its keepalived has the virtual_router_id ${routerId}, and not ${virtualIp.routerId}: for a while two hosts would have ` +
        `${own}. Give that as \`vrrp.routerId\``,
    ];
  });
  if (!pgbouncer) return reasons;
  if (pgbouncer.port !== settings.port) {
    reasons.push(`its PgBouncer listens on port ${pgbouncer.port}, and not ${settings.port}: give that as \`port\``);
  }
  for (const name of pgbouncer.databases.filter((database) => database !== "*" && !aliases.includes(database))) {
    reasons.push(
      `its PgBouncer has the database ${name}, which nobody could reach any more: name it in \`databases\` of the cluster, or ` +
        "take it out of pgbouncer.ini first",
    );
  }
  return reasons;
}

/** What will become of a pooler, for whoever reviews the preview. */
export function announcement({ addresses, pgbouncer }: FoundPooler): string {
  return [
    `what leads to the database is replaced; the address goes to the other host first, and connections through it end`,
    ...(pgbouncer
      ? [
          `  PgBouncer (${pgbouncer.databases.join(", ") || "no database"}; auth_type ${pgbouncer.authType}): its users are looked up in the ` +
            "cluster, over TLS only, with SCRAM passwords; it follows the primary; copies of pgbouncer.ini and userlist.txt stay",
        ]
      : []),
    ...addresses.map(
      ({ address, routerId }) =>
        `  keepalived (${address}, router id ${routerId}): speaks to the other host only, and gives the address up when its ` +
        "PgBouncer does not answer; a copy of keepalived.conf stays",
    ),
  ].join("\n");
}
