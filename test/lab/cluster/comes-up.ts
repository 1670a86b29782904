import assert from "node:assert/strict";
import { secondsSince } from "../support/process";
import { ProcessWatch } from "../support/process-watch";
import { changesIn } from "../support/stack";
import type { Suite } from "../support/suite";

/** The first `up`, and the second. */
export function comesUp({ foundation, promise, cluster }: Suite): void {
  foundation("`up` on fresh hosts makes a leader and two streaming replicas", async (t) => {
    const watches = cluster.hosts.names.map((host) => ProcessWatch.start(cluster.lab, host));
    const started = performance.now();
    try {
      await cluster.up();
    } finally {
      cluster.commandLines.push(...(await Promise.all(watches.map((watch) => watch.stop()))));
    }
    t.diagnostic(`up on ${cluster.fresh ? "fresh hosts" : "hosts that were up already"}: ${secondsSince(started)} s`);

    const leader = await cluster.whole();
    const members = await cluster.hosts.members();
    assert.deepEqual(
      members.map(({ name, role, lag }) => [name, role, lag]).sort(),
      cluster.hosts.names.map((name) => (name === leader ? [name, "leader", undefined] : [name, "replica", 0])),
    );
    const slots = await cluster.hosts.superuser(
      leader,
      "SELECT slot_name, active FROM pg_replication_slots ORDER BY 1",
    );
    assert.deepEqual(
      slots.split("\n"),
      cluster.hosts.names.filter((name) => name !== leader).map((name) => `${name}|t`),
    );
  });

  foundation("etcd has three healthy members", async () => {
    for (const [host, text] of Object.entries(await cluster.hosts.all(etcdctl("endpoint health --cluster 2>&1")))) {
      assert.equal(text.match(/ is healthy: /g)?.length, 3, `${host}: ${text}`);
    }
    const list = await cluster.hosts.sh(cluster.hosts.names[0] ?? "", etcdctl("member list"));
    const started = [...list.matchAll(/^\w+, started, (\w+), /gm)].map(([, name]) => name);
    assert.deepEqual(started.sort(), cluster.hosts.names);
  });

  promise("a second `up` and a preview change nothing and restart nothing", async () => {
    const { stack, hosts } = cluster;
    const state = async () => ({
      invocations: await hosts.invocations("etcd", "patroni"),
      postmasters: await hosts.all("head -1 /var/lib/postgresql/15/main/postmaster.pid"),
      files: await hosts.all("find /etc /usr/local -type f -printf '%p %C@\\n' | sort"),
    });
    const before = await state();
    assert.deepEqual(changesIn(await stack.succeeds(stack.up("--expect-no-changes"))), []);
    assert.deepEqual(changesIn(await stack.succeeds(stack.preview("--expect-no-changes"))), []);
    assert.deepEqual(await state(), before);
  });
}

/** As etcd's root, the way the documentation says. */
function etcdctl(command: string): string {
  return `set -a; . /etc/etcd/etcdctl.env; etcdctl ${command}`;
}
