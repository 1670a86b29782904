import assert from "node:assert/strict";
import { eventually, pause } from "../support/process";
import type { Suite } from "../support/suite";
import { balancers, type Entry, nodes } from "./entry";

/** Nodes and balancers that fail, and what clients see of it. */
export function failures({ promise, cluster: entry }: Suite<Entry>): void {
  const other = (node: string) => nodes.find((name) => name !== node) ?? "";

  promise("a request that breaks off is repeated on the other node, a POST never", async () => {
    await entry.received();
    const read = await entry.get("/dies");
    assert.deepEqual([read.status, await entry.received()], [502, ["GET /dies", "GET /dies"]]);
    const written = await entry.get("/dies", "--data", "order=1");
    assert.deepEqual([written.status, await entry.received()], [502, ["POST /dies"]]);
    await pause(10); // until a node's failures are forgotten
  });

  promise("a node that is not ready gets no requests, loses no WebSocket, and comes back", async (t) => {
    const node = await entry.serving();
    const away = await entry.during(async () => {
      await entry.sh(node, "touch /run/upstream.unready");
      await entry.waitForDown([node]);
      assert.equal(await entry.serving(), other(node));
      await pause(1);
    });
    t.diagnostic(JSON.stringify(away));
    assert.deepEqual([away.failures, away.socket.closed, away.socket.node], [[], undefined, node]);
    assert.ok((away.nodes[other(node)] ?? 0) > 0);

    await entry.sh(other(node), "touch /run/upstream.unready");
    await pause(8);
    await entry.waitForDown([]);
    assert.equal((await entry.get()).status, 200, "with no node ready, all are tried");

    for (const name of nodes) await entry.sh(name, "rm /run/upstream.unready");
    await pause(6);
    await entry.waitForDown([]);
    assert.equal(await entry.serving(), node);
  });

  promise("no read fails when a node is powered off; its WebSockets end at once", async (t) => {
    const node = await entry.serving();
    const seen = await entry.during(async () => {
      await entry.lab.lab(["power-off", node]);
      await entry.waitForDown([node]);
    });
    t.diagnostic(JSON.stringify(seen));
    assert.deepEqual(seen.failures, []);
    assert.ok(seen.longestSeconds < 15, `${seen.longestSeconds}`);
    assert.ok(seen.socket.closed !== undefined, "its client has to connect to another node");
    await entry.lab.lab(["power-on", node]);
    await entry.waitForDown([]);
  });

  promise("the other balancer takes over when the one with the address is powered off", async (t) => {
    const holder = await entry.holder();
    const [heir = ""] = balancers.filter((host) => host !== holder);
    const started = performance.now();
    await entry.lab.lab(["power-off", holder]);
    await eventually("the entry answers", 30, async () => {
      const { status } = await entry.get("/", "--max-time", "1");
      return status === 200 || undefined;
    });
    const gap = (performance.now() - started) / 1000;
    t.diagnostic(`gap: ${gap.toFixed(1)} s`);
    assert.ok(gap < 15, `${gap}`);
    await entry.lab.lab(["power-on", holder]);
    await eventually("the host that is back serves", 60, async () =>
      (await entry.sh(holder, "curl -sf http://127.0.0.1:7001/status")) ? true : undefined,
    );
    assert.equal(await entry.holder(), heir, "it does not move back");
    await entry.stack.unchanged();
  });
}
