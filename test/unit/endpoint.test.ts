import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { type DatabaseAccess, jdbcUrl, libpqConninfo, libpqUrl, npgsqlString } from "../../components/endpoint";
import { anyText } from "./any-text";

const access = fc.record({
  host: fc.constant("192.168.1.200"),
  port: fc.integer({ min: 1, max: 65535 }),
  database: anyText,
  user: anyText,
  password: anyText,
  caCertificate: fc.constant(""),
});

const property = (check: (access: DatabaseAccess) => void) => fc.assert(fc.property(access, check));

describe("a connection string says to its reader exactly what was meant, whatever names and passwords hold", () => {
  test("libpq, keywords and values", () => {
    property((given) => {
      const { host, port, dbname, user, password, sslmode } = readConninfo(libpqConninfo(given));
      assert.deepEqual({ host, port, dbname, user, password, sslmode }, expected(given, "dbname"));
    });
  });

  test("libpq, URL", () => {
    property((given) => {
      const url = new URL(libpqUrl(given));
      assert.equal(url.protocol, "postgresql:");
      const read = {
        host: url.hostname,
        port: url.port,
        dbname: decodeURIComponent(url.pathname.slice(1)),
        user: decodeURIComponent(url.username),
        password: decodeURIComponent(url.password),
        sslmode: url.searchParams.get("sslmode"),
      };
      assert.deepEqual(read, expected(given, "dbname"));
    });
  });

  test("Npgsql", () => {
    property((given) => {
      const { "tcp keepalive time": _, "tcp keepalive interval": __, ...values } = readAdoNet(npgsqlString(given));
      assert.deepEqual(values, {
        host: given.host,
        port: String(given.port),
        database: given.database,
        username: given.user,
        password: given.password,
        "ssl mode": "VerifyFull",
      });
    });
  });

  test("JDBC", () => {
    property((given) => {
      const [, authority = "", database = "", query = ""] =
        /^jdbc:postgresql:\/\/([^/?]*)\/([^/?]*)\?(.*)$/s.exec(jdbcUrl(given)) ?? [];
      const parameters = new URLSearchParams(query);
      assert.equal(authority, `${given.host}:${given.port}`);
      assert.equal(decodeURIComponent(database), given.database);
      assert.equal(parameters.get("user"), given.user);
      assert.equal(parameters.get("password"), given.password);
      assert.equal(parameters.get("sslmode"), "verify-full");
    });
  });
});

describe("a client does not wait for hours for a server that lost power", () => {
  const given = { host: "h", port: 1, database: "d", user: "u", password: "p", caCertificate: "" };

  test("libpq looks after a connection that is silent", () => {
    const liveness = {
      keepalives_idle: "5",
      keepalives_interval: "1",
      keepalives_count: "3",
      tcp_user_timeout: "8000",
    };
    const { host, port, dbname, user, password, sslmode, ...more } = readConninfo(libpqConninfo(given));
    assert.deepEqual(more, liveness);
    const { sslmode: _, ...parameters } = Object.fromEntries(new URL(libpqUrl(given)).searchParams);
    assert.deepEqual(parameters, liveness);
  });

  test("so does Npgsql, in seconds", () => {
    assert.equal(
      npgsqlString(given),
      "Host='h';Port='1';Database='d';Username='u';Password='p';SSL Mode='VerifyFull';Tcp Keepalive Time='5';Tcp Keepalive Interval='1'",
    );
  });

  test("JDBC asks the system to", () => {
    assert.equal(jdbcUrl(given), "jdbc:postgresql://h:1/d?user=u&password=p&sslmode=verify-full&tcpKeepAlive=true");
  });
});

function expected({ host, port, database, user, password }: DatabaseAccess, name: string): Record<string, string> {
  return { host, port: String(port), [name]: database, user, password, sslmode: "verify-full" };
}

/** PostgreSQL manual, 34.1.1.1: blanks around `=`, values in single quotes or up to the next blank, `\` before any character. */
function readConninfo(text: string): Record<string, string> {
  const found: Record<string, string> = {};
  const pair = /\s*([a-z_]+)\s*=\s*(?:'((?:[^'\\]|\\[\s\S])*)'|((?:[^\s\\']|\\[\s\S])*))(?=\s|$)/gy;
  for (let at = 0; at < text.length; at = pair.lastIndex) {
    pair.lastIndex = at;
    const match = pair.exec(text);
    if (!match) throw new Error(`not a connection string from ${at} on: ${text}`);
    found[match[1] ?? ""] = (match[2] ?? match[3] ?? "").replace(/\\([\s\S])/g, "$1");
  }
  return found;
}

/** .NET documentation, Connection String Syntax: values in either quotes, in which the same quote is doubled; `;` between. */
function readAdoNet(text: string): Record<string, string> {
  const found: Record<string, string> = {};
  const pair = /([^=;]+)=(?:'((?:[^']|'')*)'|"((?:[^"]|"")*)"|([^;'"]*))(?:;|$)/gy;
  for (let at = 0; at < text.length; at = pair.lastIndex) {
    pair.lastIndex = at;
    const match = pair.exec(text);
    if (!match) throw new Error(`not a connection string from ${at} on: ${text}`);
    const value = match[2]?.replaceAll("''", "'") ?? match[3]?.replaceAll('""', '"') ?? match[4] ?? "";
    found[(match[1] ?? "").trim().toLowerCase()] = value;
  }
  return found;
}
