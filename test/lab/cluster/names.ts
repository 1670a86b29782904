import assert from "node:assert/strict";
import { names, passwords } from "../support/names";
import { answer, refusal } from "../support/psql";
import type { Suite } from "../support/suite";

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
    await cluster.stack.unchanged();
  });
}

const readWrite = "target_session_attrs=read-write";
