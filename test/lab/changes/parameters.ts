import assert from "node:assert/strict";
import { eventually, secondsSince } from "../support/process";
import { each } from "./cluster";
import type { ChangesSuite } from "./suite";
import { underWrites } from "./under-writes";

/** PostgreSQL's parameters on a running cluster: with a reload where that serves, else with a rolling restart. */
export function parameters({ promise, cluster }: ChangesSuite): void {
  promise("a parameter that can be reloaded is in force on all members, and nothing is restarted", async (t) => {
    const starts = await cluster.starts();
    await underWrites(t, cluster, 3, async () => {
      const began = performance.now();
      await cluster.change({ parameters: { work_mem: "7MB" } });
      t.diagnostic(`up: ${secondsSince(began)} s`);
      const wanted = each(cluster.hosts.names, "7MB");
      await eventually("work_mem is 7MB on all members", 15, async () => {
        assert.deepEqual(await cluster.inForce("work_mem"), wanted);
        return true;
      });
    });
    assert.deepEqual(await cluster.starts(), starts);
    await cluster.clean();
  });

  promise(
    "a parameter that needs a restart rolls: replicas first, then a switchover, the old leader last",
    async (t) => {
      const { hosts, stack } = cluster;
      const leader = await cluster.whole();
      const before = await cluster.starts();
      assert.deepEqual(await cluster.inForce("max_connections"), each(hosts.names, "500"));
      await underWrites(t, cluster, 15, async () => {
        const began = performance.now();
        await cluster.change({ parameters: { max_connections: 600 } });
        t.diagnostic(`up: ${secondsSince(began)} s`);
      });

      const successor = await cluster.whole();
      assert.notEqual(successor, leader);
      assert.deepEqual(await cluster.inForce("max_connections"), each(hosts.names, "600"));
      const handover = await lastPromotion(cluster, successor);
      const after = await cluster.starts();
      for (const replica of hosts.names.filter((name) => name !== leader)) {
        assert.ok(at(after, replica) > at(before, replica), `${replica} was restarted`);
        assert.ok(at(after, replica) < handover, `${replica} was restarted before the switchover`);
      }
      assert.ok(at(after, leader) > handover, "the old leader was restarted after the switchover");

      await stack.succeeds(stack.up("--expect-no-changes"));
      assert.equal(await cluster.whole(), successor, "leadership is not moved back");
      assert.deepEqual(await cluster.starts(), after);
    },
  );

  promise("a value that replicas may not have below the primary's is lowered on the primary first", async (t) => {
    const { hosts } = cluster;
    const leader = await cluster.whole();
    const before = await cluster.starts();
    await underWrites(t, cluster, 15, () => cluster.change({ parameters: { max_connections: 300 } }));

    assert.deepEqual(await cluster.inForce("max_connections"), each(hosts.names, "300"));
    assert.equal(await cluster.whole(), leader, "the primary restarts where it is");
    const after = await cluster.starts();
    assert.ok(at(after, leader) > at(before, leader), `${leader} was restarted`);
    for (const replica of hosts.names.filter((name) => name !== leader)) {
      assert.ok(at(after, replica) > at(after, leader), `${replica} was restarted after the primary`);
    }
    await cluster.clean();
  });

  promise(
    "a roll that meets a member which is not well stops there, names it, and goes on when run again",
    async (t) => {
      const { hosts, stack, lab } = cluster;
      const leader = await cluster.whole();
      const [, sick = ""] = await hosts.replicas();
      const before = await cluster.starts();
      const wanted = String(Number((await cluster.inForce("max_connections"))[leader]) + 20);
      stack.configure({ "hastack:postgres": { parameters: { max_connections: wanted } } });
      const began = performance.now();
      const rolling = stack.up();
      // The roll begins when the members have the new value; before that `up` itself would wait for this member.
      await eventually("the members are to have the new value", 120, async () => {
        const { body } = await hosts.patroni(leader, "/config");
        return body.includes(`"max_connections": "${wanted}"`) || undefined;
      });
      await lab.lab(["freeze", sick, "patroni"]);
      try {
        const printed = await stack.fails(rolling);
        t.diagnostic(`up failed after ${secondsSince(began)} s`);
        assert.match(
          printed,
          new RegExp(`script failed: .*\\n +Patroni on ${sick} does not answer`),
          "the member is named",
        );
      } finally {
        await lab.lab(["thaw", sick, "patroni"]);
      }
      assert.equal(await cluster.whole(90), leader);
      assert.deepEqual(await cluster.starts(), before, "nothing was restarted");

      await cluster.up();
      assert.deepEqual(await cluster.inForce("max_connections"), each(hosts.names, wanted));
      await cluster.clean();
    },
  );
}

function at(times: Readonly<Record<string, number>>, host: string): number {
  const time = times[host];
  if (time === undefined) throw new Error(`nothing is known of ${host}`);
  return time;
}

/** When Patroni last noted a new leader, in seconds since the epoch. */
async function lastPromotion({ hosts }: ChangesSuite["cluster"], leader: string): Promise<number> {
  const history = JSON.parse((await hosts.patroni(leader, "/history")).body) as [
    number,
    number,
    string,
    string,
    string,
  ][];
  const [, , , time = "", name] = history.at(-1) ?? [];
  assert.equal(name, leader, JSON.stringify(history));
  return Date.parse(time) / 1000;
}
