/**
 * How a string is written inside the files that we render. Each function takes any string (except NUL, which no
 * configuration file can hold) and gives exactly what the reading program turns back into that string.
 */

/** A double-quoted scalar (YAML 1.1, 5.7 and 9.1.2), all ASCII: PyYAML refuses some code points when they stand bare. */
export function yaml(value: string): string {
  return escaped(value);
}

/** A basic string (TOML 1.0, "String"): its escapes are those of a double-quoted scalar of YAML. */
export function toml(value: string): string {
  return escaped(value);
}

function escaped(value: string): string {
  return JSON.stringify(value).replace(/[^ -~]/gu, (c) => {
    const code = (c.codePointAt(0) ?? 0).toString(16);
    return code.length > 4 ? `\\U${code.padStart(8, "0")}` : `\\u${code.padStart(4, "0")}`;
  });
}

/** A string constant (PostgreSQL manual, 4.1.2.1 and 4.1.2.2). The E'' form is independent of standard_conforming_strings. */
export function sql(value: string): string {
  const doubled = value.replaceAll("'", "''");
  return doubled.includes("\\") ? `E'${doubled.replaceAll("\\", "\\\\")}'` : `'${doubled}'`;
}

/** A quoted identifier (PostgreSQL manual, 4.1.1). */
export function sqlIdentifier(value: string): string {
  return `"${value.replaceAll('"', '""')}"`;
}

/** One word of a POSIX shell (POSIX.1-2017, XCU 2.2.2). */
export function shell(value: string): string {
  return `'${value.replaceAll("'", "'\\''")}'`;
}

/**
 * A value in a file of variables that both a POSIX shell (`. FILE`) and systemd (EnvironmentFile=, systemd.exec(5)) read.
 * In double quotes the two agree (POSIX.1-2017, XCU 2.2.3), in single quotes they do not. systemd takes no value with
 * a control character other than tab and line break.
 */
export function envFile(value: string): string {
  return `"${value.replace(/["\\$`]/g, "\\$&")}"`;
}

/** A quoted name in pg_hba.conf: a quoted keyword loses its meaning (PostgreSQL manual, 21.1); `""` is one quote. */
export function hba(value: string): string {
  return `"${value.replaceAll('"', '""')}"`;
}

/** A value of a libpq connection string (PostgreSQL manual, 34.1.1.1). */
export function conninfo(value: string): string {
  return `'${value.replaceAll("\\", "\\\\").replaceAll("'", "\\'")}'`;
}

/** A component of a URL (RFC 3986, section 2.1): everything but unreserved characters percent-encoded. */
export function url(value: string): string {
  return encodeURIComponent(value).replace(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`);
}

/**
 * A value of an ADO.NET connection string, as Npgsql reads it (.NET documentation, Connection String Syntax): in quotes,
 * a quote inside doubled.
 */
export function adoNet(value: string): string {
  return `'${value.replaceAll("'", "''")}'`;
}

/** A string of PgBouncer's userlist.txt (PgBouncer manual, Authentication file format). */
export function userlist(value: string): string {
  return value.replaceAll('"', '""');
}

/** The value itself: certificates and keys, which are whole files. */
export function raw(value: string): string {
  return value;
}

export const formats = { raw, yaml, toml, sql, sqlIdentifier, shell, envFile, hba, conninfo, url, adoNet, userlist };

export type Format = keyof typeof formats;
