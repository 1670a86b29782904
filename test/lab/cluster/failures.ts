import assert from "node:assert/strict";
import { Ledger } from "../support/ledger";
import { eventually, secondsSince } from "../support/process";
import { answer } from "../support/psql";
import { changesIn } from "../support/stack";
import type { Suite } from "../support/suite";

/** Hosts that go away and come back. */
export function failures({ promise, cluster }: Suite): void {
  promise(
    "when the leader's host loses power, another member takes over and no acknowledged row is lost",
    async (t) => {
      const { hosts, lab } = cluster;
      const login = cluster.login("workspad");
      const leader = await cluster.whole();
      await answer(lab, { ...login, host: leader }, "DROP TABLE IF EXISTS ledger; CREATE TABLE ledger (n bigint)");
      const ledger = new Ledger(lab, login);
      await ledger.start();

      await lab.lab(["power-off", leader]);
      await ledger.moreRows(20, 60);
      const successor = await hosts.leader();
      assert.notEqual(successor, leader);
      t.diagnostic(`${leader} lost power; ${successor} leads`);

      const on = performance.now();
      await lab.lab(["power-on", leader]);
      assert.equal(await cluster.whole(120), successor);
      t.diagnostic(`${leader} streams again ${secondsSince(on)} s after it got power`);
      await ledger.moreRows(20, 30);
      await ledger.stop();

      const copies = await replicated(cluster);
      assert.equal(new Set(Object.values(copies)).size, 1, "all members have the same rows");
      const account = ledger.account((copies[leader] ?? "").split("\n").map(Number));
      t.diagnostic(
        `${account.acknowledged} rows acknowledged, ${account.lost.length} lost, ${account.duplicated.length} duplicated; ` +
          `longest time without a write ${account.longestGapSeconds.toFixed(1)} s`,
      );
      assert.deepEqual(account.lost, []);
      assert.deepEqual(account.duplicated, []);
    },
  );

  promise("a replica whose host reboots comes back by itself", async (t) => {
    const [replica = ""] = await cluster.hosts.replicas();
    const leader = await cluster.hosts.leader();
    const started = performance.now();
    await cluster.lab.lab(["reboot", replica]);
    assert.equal(await cluster.whole(), leader, "the leader stays");
    t.diagnostic(`${replica} rebooted and streams again after ${secondsSince(started)} s`);
  });

  promise("after all that `up` changes nothing, whichever member leads", async () => {
    assert.deepEqual(changesIn(await cluster.stack.succeeds(cluster.stack.up("--expect-no-changes"))), []);
  });
}

/** The ledger of every member, when the replicas have replayed all of the leader's. */
async function replicated({ hosts }: Suite["cluster"]): Promise<Record<string, string>> {
  const leader = await hosts.leader();
  const end = await hosts.superuser(leader, "SELECT pg_current_wal_lsn()");
  for (const replica of await hosts.replicas()) {
    const caughtUp = `SELECT pg_last_wal_replay_lsn() >= '${end}'`;
    await eventually(
      `${replica} has replayed ${end}`,
      30,
      async () => (await hosts.superuser(replica, caughtUp)) === "t" || undefined,
    );
  }
  const copies = await Promise.all(
    hosts.names.map((host) => hosts.superuser(host, "SELECT n FROM ledger ORDER BY n", "workspad")),
  );
  return Object.fromEntries(hosts.names.map((host, i) => [host, copies[i] ?? ""]));
}
