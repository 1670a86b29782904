import assert from "node:assert/strict";
import { drift } from "./cluster/drift";
import { eventually, secondsSince } from "./support/process";
import { Suite } from "./support/suite";
import { TestCluster } from "./support/test-cluster";

/** The same stack on Debian 13: PostgreSQL 17, Patroni 4, etcd 3.5. */
const suite = new Suite(new TestCluster("postgres13"), 8);
const { foundation, promise, cluster } = suite;

foundation("`up` on fresh hosts of Debian 13 makes a leader and two streaming replicas", async (t) => {
  const started = performance.now();
  await cluster.up();
  t.diagnostic(`up on ${cluster.fresh ? "fresh hosts" : "hosts that were up already"}: ${secondsSince(started)} s`);
  await cluster.whole();
  const members = await cluster.hosts.members();
  assert.deepEqual(members.map(({ role, state }) => `${role} ${state}`).sort(), [
    "leader running",
    "replica streaming",
    "replica streaming",
  ]);
});

promise("PostgreSQL is the version that Debian 13 packages", async () => {
  assert.match(await cluster.hosts.superuser("psql2", "SHOW server_version"), /^17\./);
});

promise("a second preview changes nothing", async () => {
  await cluster.stack.unchanged();
});

promise("a switchover of the leader is followed by all members", async () => {
  const leader = await cluster.whole();
  await cluster.hosts.sh(leader, "patronictl -c /etc/patroni/config.yml switchover --force workspad-cluster");
  await eventually("another member leads, and all are on its timeline", 60, async () => {
    if ((await cluster.whole()) === leader) return undefined;
    const timelines = new Set((await cluster.hosts.members()).map(({ timeline }) => timeline));
    return timelines.size === 1 || undefined;
  });
});

drift(suite);
