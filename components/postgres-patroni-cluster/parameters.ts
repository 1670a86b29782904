import type { HostTraits } from "../host";

export type ParameterValue = string | number | boolean;
export type Parameters = Record<string, ParameterValue>;

const patroniSets =
  "Patroni sets it from the member's own configuration (Patroni manual, PostgreSQL parameters controlled by Patroni)";
const weSet = "the component sets it";

/** Parameters that nobody may give, and why. */
export const refusedParameters: Readonly<Record<string, string>> = {
  listen_addresses: `${patroniSets}; it is the host's address`,
  port: patroniSets,
  cluster_name: `${patroniSets}; it is the scope`,
  hot_standby: patroniSets,
  primary_conninfo: patroniSets,
  primary_slot_name: patroniSets,
  recovery_target_timeline: patroniSets,
  synchronous_standby_names: "Patroni sets it: use durability",
  wal_log_hints: "pg_rewind needs it on",
  data_directory: patroniSets,
  config_file: patroniSets,
  hba_file: "give clients instead",
  ident_file: patroniSets,
  ssl: `${weSet}: TLS is always on`,
  ssl_cert_file: `${weSet}, with a certificate of the authority given as ca`,
  ssl_key_file: `${weSet}, with a certificate of the authority given as ca`,
  ssl_ca_file: `${weSet}, with a certificate of the authority given as ca`,
  password_encryption: `${weSet}: SCRAM only`,
  unix_socket_directories: weSet,
  archive_cleanup_command: patroniSets,
  restore_command: patroniSets,
};

/** Parameters that must be the same on all members: they live in the dynamic configuration. */
export const initialDynamic = {
  values: {
    max_connections: 500,
    max_worker_processes: 8,
    max_wal_senders: 10,
    max_replication_slots: 10,
    max_prepared_transactions: 0,
    max_locks_per_transaction: 64,
    track_commit_timestamp: "off",
    wal_level: "replica",
    wal_log_hints: "on",
    hot_standby: "on",
    // A replica that is away may hold back this much of WAL, not the whole disk.
    max_slot_wal_keep_size: "16GB",
    wal_keep_size: "128MB",
    max_wal_size: "4GB",
    min_wal_size: "256MB",
    checkpoint_timeout: "15min",
    checkpoint_completion_target: 0.9,
    password_encryption: "scram-sha-256",
    shared_preload_libraries: "pg_stat_statements",
    log_line_prefix: "%m [%p] %q%u@%d ",
    log_lock_waits: "on",
    log_checkpoints: "on",
    log_autovacuum_min_duration: "10s",
    tcp_keepalives_idle: 60,
    tcp_keepalives_interval: 10,
    tcp_keepalives_count: 3,
  } satisfies Parameters as Parameters,
  /** Smallest values that Patroni accepts; it would silently use its own default below them. */
  least: {
    max_connections: 25,
    max_wal_senders: 3,
    max_replication_slots: 4,
    max_worker_processes: 2,
    max_locks_per_transaction: 32,
  } as Record<string, number>,
};

/** The dynamic configuration's parameters: our defaults under the user's. */
export function dynamicParameters(given: Parameters): Record<string, string> {
  return textual({ ...initialDynamic.values, ...given });
}

/** Parameters that depend on the host's memory and cores; what the user gave for the whole cluster goes before. */
export function tunedParameters(traits: HostTraits, given: Parameters): Record<string, string> {
  const { memoryMiB, cores } = traits;
  const connections = Number(given.max_connections ?? initialDynamic.values.max_connections);
  const buffers = Math.max(64, Math.floor(memoryMiB / 4));
  const tuned: Parameters = {
    // A quarter of memory (PostgreSQL manual, 20.4.1); the operating system's cache serves the rest.
    shared_buffers: `${buffers}MB`,
    effective_cache_size: `${Math.floor((memoryMiB * 3) / 4)}MB`,
    maintenance_work_mem: `${clamp(Math.floor(memoryMiB / 16), 16, 2048)}MB`,
    // A third of the connections sort at once, twice each: so they fit beside shared_buffers.
    work_mem: `${clamp(Math.floor(((memoryMiB - buffers) * 3) / (connections * 2)), 4, 256)}MB`,
    max_parallel_workers: clamp(cores, 1, 64),
    max_parallel_workers_per_gather: clamp(Math.ceil(cores / 2), 1, 4),
    max_parallel_maintenance_workers: clamp(Math.ceil(cores / 2), 1, 4),
    // Storage of today reads at random nearly as fast as in sequence.
    random_page_cost: 1.1,
    effective_io_concurrency: 200,
  };
  return textual(Object.fromEntries(Object.entries(tuned).filter(([key]) => !(key in given))));
}

function clamp(value: number, least: number, most: number): number {
  return Math.min(most, Math.max(least, value));
}

/** PostgreSQL knows only text; so that what is compared with the live configuration has one form. */
function textual(parameters: Parameters): Record<string, string> {
  return Object.fromEntries(
    Object.entries(parameters)
      .sort(([a], [b]) => a.localeCompare(b))
      .map(([key, value]) => [key, typeof value === "boolean" ? (value ? "on" : "off") : String(value)]),
  );
}
