import assert from "node:assert/strict";
import { names, passwords } from "../support/names";
import { answer, refusal } from "../support/psql";
import type { PoolerSuite } from "./suite";

export function namesOfAnyKind({ promise, cluster }: PoolerSuite): void {
  promise("databases, roles and passwords of any characters work through the address as they are written", async () => {
    const { stack, lab } = cluster;
    const restore = stack.configure({
      "hastack:postgres": {
        databases: [{ name: "workspad" }, ...names.map((name) => ({ name }))],
        roles: names.map((name) => ({ name })),
      },
    });
    try {
      await stack.configureSecrets(
        Object.fromEntries(passwords.map((password, i) => [`hastack:postgres.roles[${i}].password`, password])),
      );
      await cluster.up();
      for (const [i, name] of names.entries()) {
        const login = { ...cluster.through(name), password: passwords[i] ?? "" };
        const who = "SELECT current_user || '|' || current_database()";
        assert.equal(await answer(lab, login, who), `${name}|${name}`.trim());
        assert.match(await refusal(lab, { ...login, password: `${login.password}.` }), /authentication failed/, name);
      }
    } finally {
      restore();
    }
    await cluster.up();
  });
}
