import { secret } from "../converge/secrets";
import { ensure, literal } from "../converge/text";
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

/** A step: the database lets WorksPad's user in. It may be away for a while; what it refuses, it refuses for good. */
export function databaseLetsIn(config: NodeConfig): string {
  return ensure("the database lets WorksPad in", {
    timeout: 90,
    check: login(config),
    fix: [
      `attempt() {\n${login(config)}\n}`,
      "end=$(($(date +%s) + 60))",
      "until said=$(attempt); do",
      '  echo "$said"',
      '  case $said in *"authentication failed"* | *"does not exist"*) exit 1 ;; esac',
      '  [ "$(date +%s)" -lt "$end" ] || exit 1',
      "  sleep 1",
      "done",
    ].join("\n"),
  });
}

/** Exit 0 when somebody who knows the password gets in; else what libpq says. */
function login({ database, sslMode }: NodeConfig): string {
  const plain = (value: string) => literal(shell(value));
  return [
    `export PGHOST=${plain(database.host)} PGPORT=${database.port} PGDATABASE=${plain(database.database)}`,
    `export PGUSER=${plain(database.user)} PGPASSWORD=${secret("database-password", "shell")}`,
    `export PGSSLMODE=${sslModes[sslMode]} PGCONNECT_TIMEOUT=5`,
    ...(sslMode === "Require" ? [] : [`export PGSSLROOTCERT=${databaseCa}`]),
    "psql -XAtq -c 'SELECT 1' 2>&1 >/dev/null",
  ].join("\n");
}
