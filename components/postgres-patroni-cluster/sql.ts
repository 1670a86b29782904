import { createHash } from "node:crypto";
import { secret } from "../converge/secrets";
import { literal } from "../converge/text";
import { sql, sqlIdentifier } from "../formats";
import { type ClusterSettings, type Database, type Role, replicator, rewinder, rolesOf, superuser } from "./args";

/** Name of the secret that holds a role's verifier: any role's name gives a plain one. */
export function verifierSecret(role: string): string {
  return `verifier-${createHash("sha256").update(role).digest("hex").slice(0, 12)}`;
}

/** What pg_rewind calls on its source (PostgreSQL manual, pg_rewind, Notes). */
const rewindFunctions = [
  "pg_ls_dir(text, boolean, boolean)",
  "pg_stat_file(text, boolean)",
  "pg_read_binary_file(text)",
  "pg_read_binary_file(text, bigint, bigint, boolean)",
];

type Settings = Pick<ClusterSettings, "roles" | "databases">;

/** A query that gives one line for everything that is not as wanted: read-only, so it runs on any member. */
export function renderCheck(settings: Settings): string {
  const roles = rolesOf(settings).map(
    (role) =>
      `  (${text(role.name)}, ${attributes(role).join(", ")}, ${role.connectionLimit}, ${verifier(role.name)}, ${array(role.memberOf)})`,
  );
  const own = [superuser, replicator, rewinder].map((role) => `  (${text(role)}, ${verifier(role)})`);
  const databases = settings.databases.map((d) => `  (${text(d.name)}, ${text(ownerOf(d))}, ${array(d.connect)})`);
  return [
    "-- one line for every difference; none when all is as wanted",
    "WITH wanted_role(name, login, super, createdb, createrole, replication, connlimit, verifier, member_of) AS (VALUES",
    valuesOr(roles, "(NULL::text, true, true, true, true, true, 0, NULL::text, NULL::text[])"),
    "), own_role(name, verifier) AS (VALUES",
    own.join(",\n"),
    "), wanted_database(name, owner, guests) AS (VALUES",
    valuesOr(databases, "(NULL::text, NULL::text, NULL::text[])"),
    "), found AS (",
    "  SELECT w.*, a.oid, a.rolcanlogin, a.rolsuper, a.rolcreatedb, a.rolcreaterole, a.rolreplication, a.rolconnlimit, a.rolpassword,",
    "    ARRAY(SELECT g.rolname::text FROM pg_auth_members m JOIN pg_authid g ON g.oid = m.roleid WHERE m.member = a.oid) AS memberships",
    "  FROM wanted_role w LEFT JOIN pg_authid a ON a.rolname = w.name WHERE w.name IS NOT NULL",
    ")",
    "SELECT 'role ' || quote_ident(name) || ' is missing' FROM found WHERE oid IS NULL",
    "UNION ALL SELECT 'role ' || quote_ident(name) || ': other attributes' FROM found WHERE oid IS NOT NULL AND",
    "  (login, super, createdb, createrole, replication, connlimit) IS DISTINCT FROM",
    "  (rolcanlogin, rolsuper, rolcreatedb, rolcreaterole, rolreplication, rolconnlimit)",
    "UNION ALL SELECT 'role ' || quote_ident(name) || ': another password' FROM found WHERE oid IS NOT NULL AND login AND verifier IS DISTINCT FROM rolpassword",
    "UNION ALL SELECT 'role ' || quote_ident(name) || ': not a member of ' || quote_ident(g) FROM found, unnest(member_of) g WHERE oid IS NOT NULL AND g <> ALL (memberships)",
    "UNION ALL SELECT 'role ' || name || CASE WHEN a.oid IS NULL THEN ' is missing' ELSE ': another password' END",
    "  FROM own_role o LEFT JOIN pg_authid a ON a.rolname = o.name WHERE o.verifier IS DISTINCT FROM a.rolpassword",
    `UNION ALL SELECT 'role ${rewinder}: may not call ' || f FROM unnest(${array(rewindFunctions)}) f`,
    `  WHERE EXISTS (SELECT FROM pg_authid WHERE rolname = ${text(rewinder)}) AND NOT has_function_privilege(${text(rewinder)}, 'pg_catalog.' || f, 'EXECUTE')`,
    "UNION ALL SELECT 'database ' || quote_ident(w.name) || CASE WHEN d.oid IS NULL THEN ' is missing' ELSE ': another owner' END",
    "  FROM wanted_database w LEFT JOIN pg_database d ON d.datname = w.name",
    "  WHERE w.name IS NOT NULL AND (d.oid IS NULL OR pg_get_userbyid(d.datdba) <> w.owner)",
    "UNION ALL SELECT 'database ' || quote_ident(w.name) || ': everybody may connect'",
    "  FROM wanted_database w JOIN pg_database d ON d.datname = w.name WHERE has_database_privilege('public', d.oid, 'CONNECT')",
    "UNION ALL SELECT 'database ' || quote_ident(w.name) || ': ' || quote_ident(g) || ' may not connect'",
    "  FROM wanted_database w JOIN pg_database d ON d.datname = w.name, unnest(w.guests) g JOIN pg_authid a ON a.rolname = g",
    "  WHERE NOT has_database_privilege(a.oid, d.oid, 'CONNECT');",
    "",
  ].join("\n");
}

/** Makes it so, on the primary: creates and alters, and drops nothing. */
export function renderApply(settings: Settings): string {
  const statements = [
    "-- what is not as wanted is made so; nothing is ever dropped",
    "SET client_min_messages = warning;",
  ];
  const roles = rolesOf(settings);
  for (const role of roles) {
    const id = sqlIdentifier(role.name);
    statements.push(
      unless(`SELECT FROM pg_authid WHERE rolname = ${text(role.name)}`, `CREATE ROLE ${id}`),
      `ALTER ROLE ${literal(id)} ${options(role)} PASSWORD ${role.login ? verifier(role.name) : "NULL"};`,
    );
  }
  for (const role of roles) {
    for (const group of role.memberOf) {
      statements.push(`GRANT ${literal(sqlIdentifier(group))} TO ${literal(sqlIdentifier(role.name))};`);
    }
  }
  // Patroni makes them with a new cluster; one that was taken over may lack them.
  for (const [role, attribute] of [
    [replicator, "REPLICATION"],
    [rewinder, "NOREPLICATION"],
  ] as const) {
    statements.push(
      unless(`SELECT FROM pg_authid WHERE rolname = ${text(role)}`, `CREATE ROLE ${role} LOGIN ${attribute}`),
    );
  }
  for (const f of rewindFunctions) statements.push(`GRANT EXECUTE ON FUNCTION pg_catalog.${f} TO ${rewinder};`);
  for (const role of [superuser, replicator, rewinder]) {
    statements.push(
      onlyIf(
        `SELECT FROM pg_authid WHERE rolname = ${text(role)} AND rolpassword IS DISTINCT FROM ${verifier(role)}`,
        `ALTER ROLE ${role} PASSWORD ${verifier(role)}`,
      ),
    );
  }
  for (const database of settings.databases) {
    const id = sqlIdentifier(database.name);
    const owner = sqlIdentifier(ownerOf(database));
    const exists = `SELECT FROM pg_database WHERE datname = ${text(database.name)}`;
    statements.push(
      unless(
        exists,
        `CREATE DATABASE ${id} OWNER ${owner} TEMPLATE template0 ENCODING 'UTF8' LOCALE ${sql(database.locale)}`,
      ),
      `ALTER DATABASE ${literal(id)} OWNER TO ${literal(owner)};`,
      `REVOKE CONNECT, TEMPORARY ON DATABASE ${literal(id)} FROM PUBLIC;`,
      ...database.connect.map(
        (guest) => `GRANT CONNECT, TEMPORARY ON DATABASE ${literal(id)} TO ${literal(sqlIdentifier(guest))};`,
      ),
    );
  }
  return `${statements.join("\n")}\n`;
}

export function ownerOf(database: Database): string {
  return database.owner ?? database.name;
}

function attributes(role: Role): boolean[] {
  return [role.login, role.superuser, role.createDatabase, role.createRole, role.replication];
}

function options(role: Role): string {
  const on = (wanted: boolean, option: string) => (wanted ? option : `NO${option}`);
  return [
    on(role.login, "LOGIN"),
    on(role.superuser, "SUPERUSER"),
    on(role.createDatabase, "CREATEDB"),
    on(role.createRole, "CREATEROLE"),
    on(role.replication, "REPLICATION"),
    `CONNECTION LIMIT ${role.connectionLimit}`,
  ].join(" ");
}

/** CREATE ROLE has no IF NOT EXISTS, and CREATE DATABASE runs in no transaction: psql runs what the query gives. */
function unless(exists: string, statement: string): string {
  return `SELECT ${text(statement)} WHERE NOT EXISTS (${exists}) \\gexec`;
}

function onlyIf(exists: string, statement: string): string {
  return `DO $hastack$ BEGIN IF EXISTS (${exists}) THEN ${statement}; END IF; END $hastack$;`;
}

function verifier(role: string): string {
  return secret(verifierSecret(role), "sql");
}

function text(value: string): string {
  return literal(sql(value));
}

function array(values: readonly string[]): string {
  return `ARRAY[${values.map(text).join(", ")}]::text[]`;
}

function valuesOr(rows: readonly string[], none: string): string {
  return rows.length > 0 ? rows.join(",\n") : `  ${none}`;
}
