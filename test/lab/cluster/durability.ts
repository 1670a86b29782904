import assert from "node:assert/strict";
import { eventually } from "../support/process";
import type { Suite } from "../support/suite";

/** Switching a running cluster to synchronous replication and back. */
export function durability({ promise, cluster }: Suite): void {
  const replication = async () => {
    const query = "SELECT sync_state FROM pg_stat_replication ORDER BY 1";
    return (await cluster.hosts.superuser(await cluster.hosts.leader(), query)).split("\n");
  };
  const becomes = (wanted: readonly string[]) =>
    eventually(`replication is ${wanted.join(", ")}`, 30, async () => {
      const found = await replication();
      if (found.join() !== wanted.join()) throw new Error(`it is ${found.join(", ")}`);
      return found;
    });

  promise("`durability: sync` makes one standby synchronous on the running cluster, and `async` ends it", async () => {
    const { hosts, stack } = cluster;
    const before = await hosts.invocations("patroni");
    await becomes(["async", "async"]);
    const restore = stack.configure({ "hastack:postgres": { durability: "sync" } });
    try {
      await cluster.up();
      const live = JSON.parse((await hosts.patroni(await hosts.leader(), "/config")).body) as Record<string, unknown>;
      assert.deepEqual([live.synchronous_mode, live.synchronous_mode_strict], [true, false]);
      await becomes(["async", "sync"]);
    } finally {
      restore();
    }
    await cluster.up();
    await becomes(["async", "async"]);
    assert.deepEqual(await hosts.invocations("patroni"), before, "nothing was restarted");
  });
}
