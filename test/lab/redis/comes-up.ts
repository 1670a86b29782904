import assert from "node:assert/strict";
import { secondsSince } from "../support/process";
import type { RedisSuite } from "./test-redis";

/** From nothing to an address that leads to a master. */
export function comesUp({ foundation, promise, cluster }: RedisSuite): void {
  foundation("`up` on fresh hosts makes a master and two replicas that are in step, behind one address", async (t) => {
    const started = performance.now();
    await cluster.up();
    t.diagnostic(`up: ${secondsSince(started)} s`);
    await cluster.whole();
    const { endpoint } = cluster;
    assert.equal(endpoint.url, `rediss://:${encodeURIComponent(endpoint.password)}@192.168.1.210:6379`);
    const [pong, set, info] = await cluster.ask([["PING"], ["SET", "kept", "yes"], ["INFO", "replication"]]);
    assert.equal(pong?.reply, "PONG");
    assert.equal(set?.reply, "OK");
    assert.match(String(info?.reply), /role:master\r\nconnected_slaves:2\r/);
  });

  promise("a second preview changes nothing", () => cluster.clean());

  promise("data goes to the disk, memory is limited, and the kernel grants memory for snapshots", async () => {
    const [host = ""] = await cluster.replicas();
    const settings = await cluster.sh(host, "redis CONFIG GET appendonly maxmemory save min-replicas-to-write | sort");
    for (const value of ["yes", String(256 * 1024 * 1024), "3600 1 300 100 60 10000"]) {
      assert.ok(settings.split("\n").includes(value), `${value} in ${settings}`);
    }
    assert.equal(await cluster.hosts.sh(host, "cat /proc/sys/vm/overcommit_memory"), "1\n");
  });
}
