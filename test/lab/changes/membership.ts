import assert from "node:assert/strict";
import { eventually, secondsSince } from "../support/process";
import type { ChangesSuite } from "./suite";
import { underWrites } from "./under-writes";

const services = ["etcd", "patroni"];

/** Hosts that join a running cluster and leave it. */
export function membership({ promise, cluster }: ChangesSuite): void {
  promise("an even number of etcd's members is refused with the reason before a host is touched", async () => {
    const { hosts, machine, stack } = cluster;
    const touched = () => machine.all("find /etc /usr/local /var/lib/hastack -type f -printf '%p %C@\\n' 2>&1 | sort");
    const before = { files: await touched(), runs: await hosts.invocations(...services) };
    const members = Object.keys(hosts.addresses);
    cluster.consistsOf(...members, "psql4");
    try {
      const printed = await stack.fails(stack.up());
      assert.match(
        printed,
        /EtcdQuorum etcd: an argument is wrong\s+members: \["psql1","psql2","psql3","psql4"\]: an even number/,
      );
    } finally {
      cluster.consistsOf(...members);
    }
    assert.deepEqual({ files: await touched(), runs: await hosts.invocations(...services) }, before);
  });

  promise("two members more join in one `up`, and those that are there go on without a restart", async (t) => {
    const old = await cluster.hosts.invocations(...services);
    const starts = await cluster.starts();
    const quorum = await cluster.quorum();
    await underWrites(t, cluster, 4, async () => {
      cluster.consistsOf("psql1", "psql2", "psql3", "psql4", "psql5");
      const began = performance.now();
      await cluster.up();
      t.diagnostic(`up: ${secondsSince(began)} s`);
    });

    const grown = await cluster.quorum();
    assert.deepEqual(Object.values(grown).sort(), cluster.hosts.names);
    for (const [id, name] of Object.entries(quorum)) assert.equal(grown[id], name, "the old members of etcd stayed");
    assert.equal((await cluster.hosts.members()).length, 5);
    await cluster.whole();
    assert.deepEqual(subset(await cluster.hosts.invocations(...services), old), old);
    assert.deepEqual(subset(await cluster.starts(), starts), starts);
    await cluster.clean();
  });

  promise("hosts that are taken out leave, the leader's too, and keep their data; service goes on", async (t) => {
    const removed = ["psql1", "psql5"] as const;
    const [leader] = removed;
    await cluster.handTo(leader);
    const directories = ["/var/lib/postgresql/15/main", "/var/lib/etcd/etcd"];
    await underWrites(t, cluster, 10, async () => {
      cluster.consistsOf("psql2", "psql3", "psql4");
      const began = performance.now();
      await cluster.up();
      t.diagnostic(`up: ${secondsSince(began)} s`);
    });

    const quorum = await cluster.quorum();
    assert.deepEqual(Object.values(quorum).sort(), cluster.hosts.names);
    // Patroni forgets a member when its lease has ended.
    await eventually("Patroni knows the remaining members only", 40, async () => {
      assert.deepEqual((await cluster.hosts.members()).map(({ name }) => name).sort(), cluster.hosts.names);
      return true;
    });
    for (const host of removed) {
      for (const service of services) {
        const state = await cluster.machine.sh(
          host,
          `systemctl is-active ${service}; systemctl is-enabled ${service}; true`,
        );
        assert.doesNotMatch(state, /^(active|activating|enabled)$/m, `${service} on ${host}`);
      }
      assert.equal(await cluster.machine.sh(host, "pgrep -x 'etcd|patroni|postgres' || true"), "", host);
      for (const directory of directories) {
        assert.notEqual(await cluster.machine.sh(host, `ls ${directory}`), "", `${directory} on ${host}`);
      }
    }
    await cluster.clean();
  });
}

/** What `found` says about the keys of `wanted`. */
function subset<T>(found: Readonly<Record<string, T>>, wanted: Readonly<Record<string, unknown>>): Record<string, T> {
  return Object.fromEntries(Object.entries(found).filter(([key]) => key in wanted));
}
