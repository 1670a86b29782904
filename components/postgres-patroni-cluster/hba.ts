import { hba } from "../formats";
import { type ClientNetwork, replicator, rewinder, superuser } from "./args";

/** The map that says who replicates: the system's user postgres over the local socket, members by their certificates. */
const identMap = "hastack";

interface Cluster {
  members: readonly { name: string; address: string }[];
  /** Addresses. */
  poolers: readonly string[];
  clients: readonly ClientNetwork[];
}

/**
 * pg_hba.conf (PostgreSQL manual, 21.1): only TLS from the network; each member for replication, by its certificate;
 * each client network for what it was given, by SCRAM; nobody else. So replication goes on while passwords change.
 */
export function renderHba({ members, poolers, clients }: Cluster): string {
  const lines = [
    `local all ${superuser} peer`,
    `local replication ${replicator} peer map=${identMap}`,
    "local all all scram-sha-256",
    ...members.flatMap(({ address }) => [
      `hostssl replication ${replicator} ${address}/32 cert map=${identMap}`,
      `hostssl all ${rewinder} ${address}/32 cert map=${identMap}`,
    ]),
    // The cluster's own roles have no business on the network beyond that.
    ...[superuser, replicator, rewinder].map((role) => `host all ${role} all reject`),
    // A pooler lets in whom the role's own password lets in.
    ...poolers.map((address) => `hostssl all all ${address}/32 scram-sha-256`),
    ...clients.map(
      (client) => `hostssl ${names(client.databases)} ${names(client.roles)} ${client.network} scram-sha-256`,
    ),
    "host all all all reject",
    "host replication all all reject",
  ];
  return `${lines.join("\n")}\n`;
}

/** pg_ident.conf (PostgreSQL manual, 21.2): a certificate is known by its common name, the member's. */
export function renderIdent({ members }: Pick<Cluster, "members">): string {
  const lines = [
    `${identMap} postgres ${replicator}`,
    ...members.flatMap(({ name }) => [replicator, rewinder].map((role) => `${identMap} ${hba(name)} ${role}`)),
  ];
  return `${lines.join("\n")}\n`;
}

function names(given: readonly string[] | undefined): string {
  return given ? given.map(hba).join(",") : "all";
}
