import { secret } from "../converge/secrets";
import { lookupRole } from "../postgres-patroni-cluster/args";
import { type PoolerConfig, primaryPort, replicaPort } from "./model";
import type { Pool } from "./pools";

export const home = "/etc/pgbouncer";
export const tls = `${home}/tls`;
/** What only a restart puts in force is in a file of its own. */
export const fixedFile = `${home}/hastack-fixed.ini`;
export const userFile = `${home}/userlist.txt`;
export const socketDirectory = "/var/run/postgresql";

/** PgBouncer's own users: of its console, not of PostgreSQL. */
export const adminUser = "pgbouncer_admin";
export const statsUser = "pgbouncer_stats";

/** Part of the section `[pgbouncer]`: settings that a reload does not change (PgBouncer manual, config, and SHOW CONFIG's column changeable). */
export function renderFixed({ settings }: PoolerConfig): string {
  return lines({
    listen_addr: "0.0.0.0",
    listen_port: settings.port,
    unix_socket_dir: socketDirectory,
    pidfile: `${socketDirectory}/pgbouncer.pid`,
  });
}

/** /etc/pgbouncer/pgbouncer.ini (PgBouncer manual, config). */
export function renderPgbouncer(config: PoolerConfig): string {
  const { settings } = config;
  return [
    ini("databases", databases(config.pools)),
    ini("pgbouncer", {
      logfile: "/var/log/postgresql/pgbouncer.log",
      auth_type: "scram-sha-256",
      auth_file: userFile,
      // of a role that it does not tell about, the function gives a row without values
      auth_query: `SELECT usename, passwd FROM ${lookupRole}.user_lookup($1) WHERE usename IS NOT NULL`,
      admin_users: adminUser,
      stats_users: statsUser,
      client_tls_sslmode: "require",
      client_tls_key_file: `${tls}/server.key`,
      client_tls_cert_file: `${tls}/server.crt`,
      client_tls_ca_file: `${tls}/ca.crt`,
      client_tls_protocols: "secure",
      server_tls_sslmode: "verify-full",
      server_tls_ca_file: `${tls}/ca.crt`,
      server_tls_protocols: "secure",
      pool_mode: settings.poolMode,
      max_client_conn: settings.maxClientConnections,
      // A failover is a pause for clients: they wait this long for a new primary, which is asked for again and again.
      query_wait_timeout: config.queryWaitTimeout,
      client_login_timeout: config.queryWaitTimeout,
      server_login_retry: 0.3,
      // A reload takes connections to the server for outdated: they are to last until the client's session ends.
      server_fast_close: 0,
      server_connect_timeout: 5,
      server_check_delay: 10,
      server_idle_timeout: 600,
      server_lifetime: 3600,
      server_reset_query: "DISCARD ALL",
      ignore_startup_parameters: "extra_float_digits",
      // keepalived's check comes every second
      log_connections: 0,
      log_disconnections: 0,
      tcp_keepalive: 1,
      tcp_keepidle: 30,
      tcp_keepintvl: 5,
      tcp_keepcnt: 3,
      ...settings.settings,
    }),
    `%include ${fixedFile}\n`,
  ].join("\n");
}

/** /etc/pgbouncer/userlist.txt: passwords that PgBouncer checks itself, and the one with which it looks others up. */
export function renderUsers(): string {
  return [adminUser, statsUser, lookupRole]
    .map((user) => `"${user}" "${secret(`${user}-password`, "userlist")}"\n`)
    .join("");
}

function ini(section: string, values: Record<string, string | number>): string {
  return `[${section}]\n${lines(values)}`;
}

function lines(values: Record<string, string | number>): string {
  return Object.entries(values)
    .map(([key, v]) => `${key} = ${v}\n`)
    .join("");
}

/** An entry for each pool, and one for all databases whose names cannot stand here. */
function databases(pools: readonly Pool[]): Record<string, string> {
  const entries = pools
    .filter((pool) => pool.named)
    .map((pool): [string, string] => [pool.alias, connection(pool, `dbname=${pool.database}`)]);
  // Without the function that looks passwords up nobody gets into a database: so into those of the cluster only.
  const other = pools.find((pool) => !pool.named);
  return Object.fromEntries(other ? [...entries, ["*", connection(other)]] : entries);
}

function connection(pool: Pool, ...more: string[]): string {
  return [
    "host=127.0.0.1",
    `port=${pool.readOnly ? replicaPort : primaryPort}`,
    ...more,
    `auth_user=${lookupRole}`,
    `pool_mode=${pool.mode}`,
    `pool_size=${pool.size}`,
    `max_db_connections=${pool.size}`,
  ].join(" ");
}
