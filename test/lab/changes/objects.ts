import assert from "node:assert/strict";
import { answer } from "../support/psql";
import type { ChangesSuite } from "./suite";

/** Databases and roles that come and go in the settings. */
export function objects({ promise, cluster }: ChangesSuite): void {
  promise("a new database, role and extension appear; taken out of the settings they stay as they are", async () => {
    const { stack, lab } = cluster;
    const starts = await cluster.starts();
    const restore = stack.configure({
      "hastack:postgres": {
        databases: [
          { name: "workspad", extensions: ["pg_trgm"] },
          { name: "archive", owner: "keeper", connect: ["reader"], extensions: ["btree_gin"] },
        ],
        roles: [{ name: "reader", connectionLimit: 3 }],
      },
    });
    let reader = cluster.login("workspad");
    try {
      await cluster.up();
      const keeper = { ...cluster.login("keeper"), database: "archive", options };
      await answer(lab, keeper, "CREATE TABLE kept AS SELECT 'a row' AS text; GRANT SELECT ON kept TO reader");
      reader = { ...cluster.login("reader"), database: "archive" };
      await cluster.clean();
    } finally {
      restore();
    }
    await cluster.up();

    for (const host of cluster.hosts.names)
      assert.equal(await answer(lab, { ...reader, host }, "SELECT text FROM kept"), "a row");
    const extension = "SELECT extname FROM pg_extension WHERE extname <> 'plpgsql' ORDER BY 1";
    const leader = await cluster.hosts.leader();
    assert.equal(await cluster.hosts.superuser(leader, extension, "archive"), "btree_gin");
    assert.equal(await cluster.hosts.superuser(leader, extension, "workspad"), "pg_trgm");
    assert.equal(
      await cluster.hosts.superuser(leader, "SELECT rolconnlimit FROM pg_roles WHERE rolname = 'reader'"),
      "3",
    );
    assert.deepEqual(await cluster.starts(), starts, "nothing was restarted");
    await cluster.clean();
  });
}

const options = "target_session_attrs=read-write";
