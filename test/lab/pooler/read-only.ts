import assert from "node:assert/strict";
import { eventually } from "../support/process";
import { answer } from "../support/psql";
import type { PoolerSuite } from "./suite";

/** The second pool of each database. */
export function readOnly({ promise, cluster }: PoolerSuite): void {
  const where = "SELECT pg_is_in_recovery(), host(inet_server_addr())";

  promise("the read-only pool leads to a replica, and to the primary as long as no replica is there", async () => {
    const { lab, hosts } = cluster;
    const login = cluster.through("workspad", "workspad_ro");
    const leader = await cluster.whole();
    const addressesOf = (names: readonly string[]) => names.map((name) => hosts.addresses[name]);
    const replicas = await hosts.replicas();
    const [recovers, address] = (await answer(lab, login, where)).split("|");
    assert.equal(recovers, "t");
    assert.ok(addressesOf(replicas).includes(address), address);

    for (const replica of replicas) await hosts.sh(replica, "systemctl stop patroni");
    try {
      await eventually("read-only clients reach the primary", 20, async () => {
        const found = await answer(lab, login, where);
        if (found !== `f|${hosts.addresses[leader]}`) throw new Error(found);
        return found;
      });
    } finally {
      for (const replica of replicas) await hosts.sh(replica, "systemctl start patroni");
    }
    await cluster.whole();
    await eventually("read-only clients reach a replica again", 30, async () => {
      return (await answer(lab, login, where)).startsWith("t|") || undefined;
    });
  });
}
