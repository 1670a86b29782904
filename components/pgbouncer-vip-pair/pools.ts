import { fault } from "../fault";
import type { PairSettings } from "./args";

/** A pool as PgBouncer knows it. */
export interface Pool {
  /** The name that clients give. */
  alias: string;
  /** Whether the name can stand in PgBouncer's configuration; the others share the entry `*`. */
  named: boolean;
  database: string;
  mode: string;
  /** Most server connections of one pooler, its own one for looking passwords up included. */
  size: number;
  readOnly: boolean;
}

/** What the arithmetic is about. */
export interface Capacity {
  /** PostgreSQL's max_connections. */
  maxConnections: number;
  /** PostgreSQL's superuser_reserved_connections. */
  reserved: number;
  /** Left for direct connections: Patroni, backups, administrators. */
  administration: number;
  /** Hosts with a pooler: while the address moves, connections of two of them overlap. */
  poolers: number;
}

/** Bytes of a database's name in PgBouncer, as in PostgreSQL. */
const longestName = 63;

/** PgBouncer's manual says that other names can be quoted; the parser of 1.18 refuses that. */
function nameable(database: string): boolean {
  return /^[A-Za-z0-9_.-]+$/.test(database);
}

/** Name of a database's read-only pool. */
export function readOnlyAlias(database: string): string {
  return `${database}_ro`;
}

/**
 * All pools: two of each database, one for reading only; that one needs a name in PgBouncer's configuration. Where no
 * size is given, what PostgreSQL has left is shared out evenly. Read-only pools count too: without a replica they lead
 * to the primary.
 */
export function poolsOf(
  resource: string,
  settings: Pick<PairSettings, "databases" | "poolMode" | "poolSize" | "readOnly">,
  databases: readonly string[],
  capacity: Capacity,
): Pool[] {
  for (const [i, { name }] of settings.databases.entries()) {
    if (!databases.includes(name)) {
      throw fault(
        `${resource}: databases.${i}.name: ${JSON.stringify(name)}: the cluster has no such database; it has ${databases.join(", ")}`,
      );
    }
    if (!nameable(name)) {
      throw fault(
        `${resource}: databases.${i}.name: ${JSON.stringify(name)}: PgBouncer's configuration cannot name it, so it is pooled as ` +
          "the pair says: leave it out here, or rename the database to letters, digits, dot, dash, underscore",
      );
    }
  }
  for (const database of databases) {
    if (settings.readOnly && databases.includes(readOnlyAlias(database))) {
      throw fault(
        `${resource}: readOnly: true: ${readOnlyAlias(database)} would be the read-only pool of ${database}, and is a database: ` +
          "rename it, or give readOnly: false",
      );
    }
    if (settings.readOnly && nameable(database) && Buffer.byteLength(readOnlyAlias(database)) > longestName) {
      throw fault(
        `${resource}: readOnly: true: ${readOnlyAlias(database)} would be the read-only pool of ${database}, and is longer than ` +
          `PgBouncer's ${longestName} bytes: give the database a shorter name, or readOnly: false`,
      );
    }
  }
  const available = capacity.maxConnections - capacity.reserved - capacity.administration;
  const kinds = (database: string) => (settings.readOnly && nameable(database) ? [false, true] : [false]);
  const share = Math.floor(available / (capacity.poolers * databases.flatMap(kinds).length));
  const pools = databases.flatMap((database) => {
    const own = settings.databases.find(({ name }) => name === database);
    return kinds(database).map((readOnly) => ({
      alias: readOnly ? readOnlyAlias(database) : database,
      named: nameable(database),
      database,
      mode: own?.poolMode ?? settings.poolMode,
      size: own?.poolSize ?? settings.poolSize ?? share,
      readOnly,
    }));
  });
  refuseTooMany(resource, pools, capacity);
  return pools;
}

/** The sums must come out: else a client finds PostgreSQL full just when the address moves. */
function refuseTooMany(resource: string, pools: readonly Pool[], capacity: Capacity): void {
  const { maxConnections, reserved, administration, poolers } = capacity;
  const sum = pools.reduce((total, pool) => total + pool.size, 0);
  const most = maxConnections - reserved - administration;
  if (sum * poolers <= most && pools.every((pool) => pool.size >= 2)) return;
  const terms = pools.map((pool) => `${pool.alias} ${pool.size}`).join(" + ");
  throw fault(
    `${resource}: poolSize: ${poolers} poolers x (${terms}) = ${poolers * sum} connections, but PostgreSQL has ` +
      `${maxConnections} (max_connections) - ${reserved} (superuser_reserved_connections) - ${administration} ` +
      `(administrationConnections) = ${most}, and a pool needs 2 at least: give smaller pools, or raise max_connections`,
  );
}
