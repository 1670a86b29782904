import assert from "node:assert/strict";
import { eventually, secondsSince } from "../support/process";
import { each } from "./cluster";
import type { ChangesSuite } from "./suite";
import { underWrites } from "./under-writes";

/** Runs while a host is not there. */
export function hostDown({ promise, cluster }: ChangesSuite): void {
  promise("an `up` while a new leader is being elected waits for it, and heals what can be healed", async (t) => {
    const { hosts, lab } = cluster;
    const [first = "", other = ""] = hosts.names;
    if ((await cluster.whole()) === first) await cluster.handTo(other);
    const leader = await hosts.leader();
    await hosts.sh(first, "rm /etc/patroni/dynamic.json");
    await lab.lab(["power-off", leader]);
    try {
      const began = performance.now();
      const printed = await cluster.up();
      t.diagnostic(`up: ${secondsSince(began)} s`);
      assert.match(printed, new RegExp(`warning: Host ${leader} cannot be asked`));
      await hosts.sh(first, "test -s /etc/patroni/dynamic.json");
      assert.notEqual(await hosts.leader(), leader);
    } finally {
      await lab.lab(["power-on", leader]);
    }
    await cluster.whole(90);
    await cluster.quorum();
    await cluster.clean();
  });

  promise(
    "a change while a host is down stops at that host, which is named; when it is back `up` goes on",
    async (t) => {
      const { hosts, lab, stack } = cluster;
      const leader = await cluster.whole();
      const down = hosts.names.filter((name) => name !== leader).at(-1) ?? "";
      const starts = await cluster.starts();
      const others = hosts.names.filter((name) => name !== down);
      await underWrites(t, cluster, 4, async () => {
        await lab.lab(["power-off", down]);
        try {
          stack.configure({ "hastack:postgres": { parameters: { work_mem: "9MB" } } });
          const began = performance.now();
          const printed = await stack.fails(stack.up());
          t.diagnostic(`up failed after ${secondsSince(began)} s`);
          assert.match(printed, new RegExp(`Host ${down} cannot be asked`));
          assert.match(printed, new RegExp(`workspad-${down}\\):\\s+error: .*${hosts.addresses[down]}`));
          for (const host of others)
            assert.equal(
              await hosts.superuser(host, "SELECT extract(epoch FROM pg_postmaster_start_time())"),
              String(starts[host]),
            );
        } finally {
          await lab.lab(["power-on", down]);
        }
        await cluster.whole(90);
        await cluster.up();
      });
      await eventually("work_mem is 9MB on all members", 15, async () => {
        assert.deepEqual(await cluster.inForce("work_mem"), each(hosts.names, "9MB"));
        return true;
      });
      await cluster.clean();
    },
  );
}
