import assert from "node:assert/strict";
import type { RedisSuite } from "./test-redis";
import { Writer } from "./writer";

/** The master's host is lost without a word. */
export function failover({ promise, cluster }: RedisSuite): void {
  let off = "";

  promise(
    "the master is powered off: writes go on within seconds, and none that a replica confirmed is lost",
    async (t) => {
      off = await cluster.whole();
      const plain = new Writer(cluster, cluster.order());
      await plain.more(20, 30);
      await cluster.lab.lab(["power-off", off]);
      await plain.more(40, 40);
      assert.notEqual(await cluster.master(), off);
      const { longestGapSeconds, acknowledged, lost: gone, errors } = await plain.account();
      t.diagnostic(
        `${acknowledged} writes, longest gap ${longestGapSeconds.toFixed(1)} s, ${gone.length} acknowledged lost; ${errors.join("; ")}`,
      );
      assert.ok(longestGapSeconds < 15, `${longestGapSeconds}`);
    },
  );

  promise("its host comes back as a replica; Sentinel has rewritten files, and that is no drift", async () => {
    await cluster.lab.lab(["power-on", off]);
    assert.notEqual(await cluster.whole(), off);
    await cluster.clean();
  });

  promise(
    "the same with a client that waits for a replica after each write: not one of its writes is lost",
    async (t) => {
      const lost = await cluster.whole();
      const careful = new Writer(cluster, cluster.order({ wait: true }));
      await careful.more(20, 30);
      await cluster.lab.lab(["power-off", lost]);
      await careful.more(20, 40);
      const account = await careful.account();
      t.diagnostic(`${account.acknowledged} writes, longest gap ${account.longestGapSeconds.toFixed(1)} s`);
      assert.deepEqual(account.lost, []);
      await cluster.lab.lab(["power-on", lost]);
      await cluster.whole();
    },
  );
}
