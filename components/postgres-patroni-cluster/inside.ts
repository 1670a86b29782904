import { literal } from "../converge/text";
import { sql, sqlIdentifier } from "../formats";
import { type Database, lookupRole } from "./args";

/** What is made inside each database: extensions, and the function with which poolers look passwords up. */
interface Inside {
  check: string;
  apply: string;
}

/** @param pooled whether poolers are in front of the cluster */
export function renderInside(database: Database, pooled: boolean): Inside | undefined {
  const parts = [
    ...(database.extensions.length > 0 ? [extensions(database.extensions)] : []),
    ...(pooled ? [lookup()] : []),
  ];
  if (parts.length === 0) return undefined;
  return { check: parts.map((p) => p.check).join(""), apply: parts.map((p) => p.apply).join("") };
}

function extensions(names: readonly string[]): Inside {
  const wanted = names.map((extension) => `(${literal(sql(extension))})`).join(", ");
  return {
    check: `SELECT 'extension ' || name || ' is missing' FROM (VALUES ${wanted}) w(name) WHERE name NOT IN (SELECT extname FROM pg_extension);\n`,
    apply: names
      .map((extension) => `CREATE EXTENSION IF NOT EXISTS ${literal(sqlIdentifier(extension))} CASCADE;\n`)
      .join(""),
  };
}

/**
 * A pooler's role reads no catalogue: it may call one function, which tells the password's verifier of a role that may
 * log in, and of no superuser and no role that replicates (PgBouncer manual, auth_query).
 */
function lookup(): Inside {
  const body =
    "SELECT rolname::text, CASE WHEN rolvaliduntil < pg_catalog.now() THEN NULL ELSE rolpassword END " +
    `FROM pg_catalog.pg_authid WHERE rolname = $1 AND rolcanlogin AND NOT rolsuper AND NOT rolreplication AND rolname <> '${lookupRole}'`;
  const name = `${lookupRole}.user_lookup(text)`;
  const is = (condition: string, what: string) => `SELECT 'password lookup: ${what}' WHERE ${condition};\n`;
  return {
    check: [
      is(`to_regprocedure('${name}') IS NULL`, "the function is missing"),
      is(
        `EXISTS (SELECT FROM pg_proc WHERE oid = to_regprocedure('${name}') AND (NOT prosecdef OR prosrc <> ${sql(body)} OR pg_get_userbyid(proowner) <> 'postgres' OR proconfig IS DISTINCT FROM '{search_path=pg_catalog}'))`,
        "another function",
      ),
      is(
        `has_function_privilege('public', to_regprocedure('${name}'), 'EXECUTE') OR NOT has_function_privilege('${lookupRole}', to_regprocedure('${name}'), 'EXECUTE') OR NOT has_schema_privilege('${lookupRole}', to_regnamespace('${lookupRole}'), 'USAGE')`,
        "other rights",
      ),
    ].join(""),
    apply: [
      `CREATE SCHEMA IF NOT EXISTS ${lookupRole} AUTHORIZATION postgres;`,
      `REVOKE ALL ON SCHEMA ${lookupRole} FROM PUBLIC;`,
      `GRANT USAGE ON SCHEMA ${lookupRole} TO ${lookupRole};`,
      `CREATE OR REPLACE FUNCTION ${lookupRole}.user_lookup(role text, OUT usename text, OUT passwd text)`,
      `  RETURNS record LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog AS ${sql(body)};`,
      `ALTER FUNCTION ${name} OWNER TO postgres;`,
      `REVOKE ALL ON FUNCTION ${name} FROM PUBLIC;`,
      `GRANT EXECUTE ON FUNCTION ${name} TO ${lookupRole};`,
      "",
    ].join("\n"),
  };
}
