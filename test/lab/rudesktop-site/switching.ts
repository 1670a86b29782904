import assert from "node:assert/strict";
import { complaints } from "../site/clients";
import { failure, type Result } from "../support/process";
import { balancers, type SiteSuite } from "./site";

interface RuDesktop {
  activeSite?: string;
}

/** One of two sites serves, and the other takes over by one command (docs/rudesktop.md). */
export function switching({ promise, foundation, cluster: site }: SiteSuite): void {
  const { stack, lab } = site;
  const wanted = () => (stack.settings["hastack:rudesktop"] as RuDesktop).activeSite;
  const ended = (code: number, result: Result) => {
    assert.equal(result.code, code, failure("switch-site", [], result));
    return result.stdout + result.stderr;
  };
  /** The balancer that has not the entry's address. */
  const idleBalancer = async () => {
    const holder = await site.holder();
    return balancers.find((host) => host !== holder) ?? "";
  };
  /** What it shows of who serves: once before, and once after. */
  const leads = (printed: string) => {
    const lines = printed.matchAll(/leads to (\S+); 10 of 10 requests succeeded, answered by (\S+)/g);
    return [...lines].map(([, led, answered]) => (led === answered ? led : `${led}, answered by ${answered}`));
  };

  foundation("with active-passive, the nodes of one site serve", async () => {
    site.configure({ scheme: "active-passive", activeSite: "north" });
    await site.up();
    assert.equal((await site.health()).node, "node1");
    const printed = ended(0, await site.switchSite("--show"));
    assert.deepEqual(leads(printed), ["node1", "node1"]);
    assert.match(printed, /site north\n {2}node1 {2}ready, .*\nsite south\n {2}node2 {2}ready, 0 connections/);
  });

  promise("one command hands over to the other site, and back: no request fails, devices go along", async (t) => {
    const { reads, logins } = await site.during("site switched, and back", async (clients) => {
      for (const [name, node, old] of [
        ["south", "node2", "node1"],
        ["north", "node1", "node2"],
      ] as const) {
        const printed = ended(0, await site.switchSite(name));
        const after = printed.slice(printed.lastIndexOf("site north"));
        for (const line of after.trim().split("\n")) t.diagnostic(line);
        assert.deepEqual(leads(printed), [old, old, node, node]);
        assert.equal(wanted(), name);
        assert.equal((await site.health()).node, node);
        await clients.devicesOn([node], 30);
      }
    });
    assert.deepEqual(complaints(reads, logins), []);
    await stack.unchanged();
  });

  promise("a site that is not ready is not switched to, and nothing is changed", async () => {
    await site.sh("node2", "systemctl stop nginx");
    const printed = ended(2, await site.switchSite("south"));
    await site.sh("node2", "systemctl start nginx");
    assert.match(printed, /south is not ready, so nothing was changed:\n {2}node2: nginx1 gets 000 from it/);
    assert.equal(wanted(), "north");
    assert.match(ended(2, await site.switchSite("west")), /"west": there is no such site; give north or south/);
    await stack.unchanged();
  });

  promise("a switch that fails on the way goes back by itself: here a balancer cannot be reached", async () => {
    const idle = await idleBalancer();
    await lab.lab(["power-off", idle]);
    const printed = ended(1, await site.switchSite("south"));
    assert.match(printed, /south has not taken over from north: pulumi up ended with/);
    assert.match(printed, /== back to north\n.*== north serves\n/s);
    assert.equal(wanted(), "north");
    assert.equal((await site.health()).node, "node1");
    await lab.lab(["power-on", idle]);
    await site.whole();
    await stack.unchanged();
  });

  promise(
    "with a balancer that is said to be gone the switch is made, and it learns of it when it is back",
    async () => {
      const idle = await idleBalancer();
      await lab.lab(["power-off", idle]);
      stack.configure({ "hastack:hosts": { [idle]: { gone: true } } });
      const printed = ended(0, await site.switchSite("south"));
      assert.match(printed, new RegExp(`${idle} {2}cannot be reached`));
      assert.equal((await site.health()).node, "node2");
      await lab.lab(["power-on", idle]);
      stack.configure({ "hastack:hosts": { [idle]: { gone: undefined } } });
      await site.up();
      const now = ended(0, await site.switchSite("--show"));
      assert.deepEqual(leads(now), ["node2", "node2"]);
    },
  );

  promise("with active-active again, all sites serve", async () => {
    site.configure({ scheme: undefined, activeSite: undefined });
    await site.up();
    await site.whole();
    assert.match(ended(2, await site.switchSite("south")), /the stack is active-active: all sites serve/);
  });
}
