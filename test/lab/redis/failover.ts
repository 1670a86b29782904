import assert from "node:assert/strict";
import { eventually } from "../support/process";
import type { RedisSuite } from "./test-redis";
import { Writer } from "./writer";

/** The master's host is lost without a word. */
export function failover({ promise, cluster }: RedisSuite): void {
  let off = "";

  promise("a master that stands still for a moment stays the master, and no connection is cut", async (t) => {
    const master = await cluster.whole();
    const epoch = () => cluster.sh("redis1", "known_at 192.168.1.150 | cut -d ' ' -f 1");
    const before = await epoch();
    const writer = new Writer(cluster, cluster.order({ patience: 60 }));
    await writer.more(20, 30);
    const stood: number[] = [];
    for (let i = 0; i < 3; i++)
      stood.push(await eventually("it stands still for less than 1.9 s", 60, () => stall(master)));
    await writer.more(20, 30);
    const { longestGapSeconds, errors } = await writer.account();
    t.diagnostic(`it stood still for ${stood.join(", ")} s, longest gap ${longestGapSeconds.toFixed(1)} s`);
    assert.deepEqual(
      { errors, epoch: await epoch(), master: await cluster.whole() },
      { errors: [], epoch: before, master },
    );
  });

  promise(
    "the master is powered off: writes go on within seconds, and none that a replica confirmed is lost",
    async (t) => {
      off = await cluster.whole();
      // It does not give up by itself: it has to be told of what is dead.
      const plain = new Writer(cluster, cluster.order({ patience: 60 }));
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

  /** Redis stands still; for how long, if it was not for too long because the machine is busy. */
  async function stall(host: string): Promise<number | undefined> {
    const said = await cluster.sh(
      host,
      [
        "from=$(date +%s%N)",
        "systemctl kill -s STOP redis-server; sleep 1.6; systemctl kill -s CONT redis-server",
        "echo $((($(date +%s%N) - from) / 1000000))",
      ].join("\n"),
    );
    await cluster.whole();
    return Number(said) < 1900 ? Number(said) / 1000 : undefined;
  }
}
