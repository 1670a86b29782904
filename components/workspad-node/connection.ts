import { secret } from "../converge/secrets";
import { literal } from "../converge/text";
import { adoNet, shell } from "../formats";
import type { NodeConfig } from "./args";

export const databaseCa = "/etc/hastack/workspad/database-ca.crt";

/** libpq's words for Npgsql's modes. */
const sslModes = { VerifyFull: "verify-full", VerifyCA: "verify-ca", Require: "require" };

/**
 * The connection string for Npgsql. The port is a parameter of its own, which every version of it knows; those before 6.0
 * take `HOST:PORT` for a name.
 */
export function connectionString(config: NodeConfig): string {
  const { database, sslMode, connectionSettings } = config;
  const plain = (value: string) => literal(adoNet(value));
  const values: Record<string, string> = {
    Host: plain(database.host),
    Port: String(database.port),
    Database: plain(database.database),
    "User Id": plain(database.user),
    Password: secret("database-password", "adoNet"),
    "SSL Mode": sslMode,
    // Npgsql 6 and 7 verify with `Require` too, unless they are told not to.
    ...(sslMode === "Require" ? { "Trust Server Certificate": "true" } : { "Root Certificate": plain(databaseCa) }),
    ...Object.fromEntries(Object.entries(connectionSettings).map(([name, value]) => [name, plain(value)])),
  };
  return Object.entries(values)
    .map(([name, value]) => `${name}=${value}`)
    .join(";");
}

/** Exit 0 when the database lets WorksPad's user in; else what libpq says. */
export function databaseAnswers({ database, sslMode }: NodeConfig): string {
  const plain = (value: string) => literal(shell(value));
  return [
    `export PGHOST=${plain(database.host)} PGPORT=${database.port} PGDATABASE=${plain(database.database)}`,
    `export PGUSER=${plain(database.user)} PGPASSWORD=${secret("database-password", "shell")}`,
    `export PGSSLMODE=${sslModes[sslMode]} PGCONNECT_TIMEOUT=5`,
    ...(sslMode === "Require" ? [] : [`export PGSSLROOTCERT=${databaseCa}`]),
    "psql -XAtq -c 'SELECT 1' 2>&1 >/dev/null",
  ].join("\n");
}
