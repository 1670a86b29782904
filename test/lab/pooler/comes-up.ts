import assert from "node:assert/strict";
import { secondsSince } from "../support/process";
import { answer } from "../support/psql";
import { changesIn } from "../support/stack";
import { services, virtualIp } from "./cluster";
import type { PoolerSuite } from "./suite";

/** The first `up`, and the second. */
export function comesUp({ foundation, promise, cluster }: PoolerSuite): void {
  foundation("`up` on fresh hosts makes an address that leads to the primary", async (t) => {
    const started = performance.now();
    await cluster.up();
    t.diagnostic(`up on ${cluster.fresh ? "fresh hosts" : "hosts that were up already"}: ${secondsSince(started)} s`);
    const leader = await cluster.whole();
    const holder = await cluster.holder();
    t.diagnostic(`${holder} has ${virtualIp}, ${leader} leads`);
    assert.equal(
      await answer(cluster.lab, cluster.through(), "SELECT pg_is_in_recovery(), host(inet_server_addr())"),
      `f|${cluster.hosts.addresses[leader]}`,
    );
    await cluster.spare();
  });

  promise("a second `up` and a preview change nothing and restart nothing", async () => {
    const { stack, proxies } = cluster;
    const state = async () => ({
      invocations: await proxies.invocations(...services),
      files: await proxies.all("find /etc /usr/local -type f -printf '%p %C@\\n' | sort"),
    });
    const before = await state();
    assert.deepEqual(changesIn(await stack.succeeds(stack.up("--expect-no-changes"))), []);
    await cluster.clean();
    assert.deepEqual(await state(), before);
  });
}
