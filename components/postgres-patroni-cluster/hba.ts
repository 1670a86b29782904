import { hba } from "../formats";
import { type ClientNetwork, replicator, rewinder, superuser } from "./args";

/** The map that lets the system's user postgres replicate over the local socket. */
const identMap = "hastack";

interface Cluster {
  members: readonly { address: string }[];
  /** Addresses. */
  poolers: readonly string[];
  clients: readonly ClientNetwork[];
}

/**
 * pg_hba.conf (PostgreSQL manual, 21.1): only TLS and SCRAM from the network; each member for replication; each client
 * network for what it was given; nobody else.
 */
export function renderHba({ members, poolers, clients }: Cluster): string {
  const lines = [
    `local all ${superuser} peer`,
    `local replication ${replicator} peer map=${identMap}`,
    "local all all scram-sha-256",
    ...members.flatMap(({ address }) => [
      `hostssl replication ${replicator} ${address}/32 scram-sha-256`,
      `hostssl all ${rewinder} ${address}/32 scram-sha-256`,
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

/** pg_ident.conf (PostgreSQL manual, 21.2). */
export function renderIdent(): string {
  return `${identMap} postgres ${replicator}\n`;
}

function names(given: readonly string[] | undefined): string {
  return given ? given.map(hba).join(",") : "all";
}
