import assert from "node:assert/strict";
import { secondsSince } from "../support/process";
import type { RedisSuite } from "./test-redis";

/** A host is lost with all that was on it. */
export function rebuilt({ promise, cluster }: RedisSuite): void {
  promise(
    "the master's host is replaced by an empty one: `up` takes it in as a replica, and nobody loses data",
    async (t) => {
      const lost = await cluster.whole();
      await cluster.ask([
        ["SET", "survives", "yes"],
        ["WAIT", 2, 1000],
      ]);
      await cluster.lab.lab(["rebuild", lost]);
      const began = performance.now();
      await cluster.up();
      t.diagnostic(`up: ${secondsSince(began)} s`);
      assert.notEqual(await cluster.whole(), lost);
      assert.deepEqual(
        (
          await cluster.ask([
            ["GET", "survives"],
            ["GET", "kept"],
          ])
        ).map(({ reply }) => reply),
        ["yes", "yes"],
      );
      for (const host of cluster.hosts.names) {
        const sentinels = await cluster.sh(host, "sentinel SENTINEL SENTINELS cache | grep -cx ip");
        assert.equal(sentinels, "2", `${host} knows the other two Sentinels, and no dead one`);
      }
      await cluster.clean();
    },
  );

  promise("a master whose data is gone does not start empty: another one takes its place", async () => {
    const master = await cluster.whole();
    await cluster.hosts.sh(
      master,
      "systemctl kill --signal=SIGKILL redis-server; rm -rf /var/lib/redis/appendonlydir /var/lib/redis/dump.rdb",
    );
    assert.notEqual(await cluster.whole(), master);
    assert.equal((await cluster.ask([["GET", "kept"]]))[0]?.reply, "yes");
    await cluster.clean();
  });
}
