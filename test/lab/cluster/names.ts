import assert from "node:assert/strict";
import { answer, refusal } from "../support/psql";
import type { Suite } from "../support/suite";

/** Each means something to a program on the way: YAML, JSON, shells, SQL, pg_hba.conf, libpq, our own texts. */
const names = [
  "jhYg/=\\F",
  'it\'s "quoted"',
  " с пробелами и кириллицей ",
  "'; DROP DATABASE postgres; --",
  "@{secret:ca|raw}",
  "$(id) `id` $HOME",
  "postgres://a:b@c/d?e=f&g=%20",
  "-- \\q {{x}} #y !z",
  "all",
  "replication",
  "+workspad",
  "я".repeat(31), // 62 of PostgreSQL's 63 bytes
];

/** Any two of them together; what is there already is taken through SASLprep, too. */
const passwords = names.map((name, i) => `${name}${names[(i + 1) % names.length]}\u00ad\u00a0Ⅸ`);

export function namesOfAnyKind({ promise, cluster }: Suite): void {
  promise("databases, roles and passwords of any characters can be used as they are written", async () => {
    const { stack, lab } = cluster;
    const [first = "", second = "", third = ""] = names;
    const databases = names.map((name) => ({
      name,
      ...(name === second && { extensions: ["pg_trgm"] }),
      ...(name === third && { connect: [first] }),
    }));
    const roles = names.map((name) => ({ name, ...(name === second && { memberOf: [first], connectionLimit: 2 }) }));
    const both = ["workspad", ...names];
    stack.configure({
      "hastack:postgres": {
        databases: [{ name: "workspad" }, ...databases],
        roles,
        clients: [{ network: "192.168.1.0/24", databases: both, roles: both }],
      },
    });
    await stack.configureSecrets(
      Object.fromEntries(passwords.map((password, i) => [`hastack:postgres.roles[${i}].password`, password])),
    );
    await cluster.up();

    const logins = names.map((name, i) => ({
      ...cluster.login(name),
      password: passwords[i] ?? "",
      options: readWrite,
    }));
    for (const login of logins) {
      assert.equal(
        await answer(lab, login, "SELECT current_user || '|' || current_database()"),
        `${login.user}|${login.user}`.trim(),
      );
      assert.match(await refusal(lab, { ...login, password: `${login.password}.` }), /password authentication failed/);
    }
    const [one, other, , injected] = logins;
    assert.ok(one && other && injected);
    assert.equal(await answer(lab, { ...one, database: third }, "SELECT 'guest'"), "guest");
    assert.match(await refusal(lab, { ...injected, database: third }), /permission denied for database/);
    assert.equal(await answer(lab, other, `SELECT similarity('a', 'a'), pg_has_role($n$${first}$n$, 'USAGE')`), "1|t");
    assert.equal(await answer(lab, injected, "SELECT count(*) FROM pg_database WHERE datname = 'postgres'"), "1");
  });

  promise("after that a preview is clean", async () => {
    await cluster.stack.succeeds(cluster.stack.preview("--expect-no-changes"));
  });
}

const readWrite = "target_session_attrs=read-write";
