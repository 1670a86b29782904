import assert from "node:assert/strict";
import type { TestContext } from "node:test";
import { Ledger } from "../support/ledger";
import { answer } from "../support/psql";
import type { ChangingCluster } from "./cluster";

/**
 * Does something while a client keeps writing. No row that was acknowledged may be missing afterwards on any member, and
 * none be there twice.
 * @param longest seconds that the client may have to wait for a write
 */
export async function underWrites(
  t: TestContext,
  cluster: ChangingCluster,
  longest: number,
  change: () => Promise<void>,
): Promise<void> {
  const login = cluster.login("workspad");
  const leader = await cluster.whole();
  await answer(cluster.lab, { ...login, host: leader }, "DROP TABLE IF EXISTS ledger; CREATE TABLE ledger (n bigint)");
  const ledger = new Ledger(cluster.lab, login);
  await ledger.start();
  try {
    await change();
    await ledger.moreRows(20, 30);
  } finally {
    await ledger.stop();
  }

  const copies = await cluster.everywhere("SELECT n FROM ledger ORDER BY n", "workspad");
  assert.equal(new Set(Object.values(copies)).size, 1, "all members have the same rows");
  const account = ledger.account((Object.values(copies)[0] ?? "").split("\n").map(Number));
  t.diagnostic(
    `${account.acknowledged} rows acknowledged, ${account.lost.length} lost; ` +
      `longest time without a write ${account.longestGapSeconds.toFixed(1)} s`,
  );
  assert.deepEqual(account.lost, []);
  assert.deepEqual(account.duplicated, []);
  assert.ok(account.longestGapSeconds < longest, `no write for ${account.longestGapSeconds} s`);
}
