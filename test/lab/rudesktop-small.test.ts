/**
 * RuDesktop in the shape of its guide, with one nginx and one Redis, on Debian 13. The tests run in order, each on what the
 * ones before have left. See support/test-lab.ts for working on them.
 */
import assert from "node:assert/strict";
import { nodes, Site } from "./rudesktop-site/site";
import { complaints, errorSeconds } from "./site/clients";
import { eventually, pause, secondsSince } from "./support/process";
import { Suite } from "./support/suite";

const fewer = {
  "hastack:hosts": { nginx2: undefined, redis2: undefined, redis3: undefined },
  "hastack:apt": { uri: "http://192.168.1.1:8080/debian-13" },
  "hastack:rudesktop": {
    redis: { hosts: ["redis1"], virtualIp: undefined },
    balancer: { hosts: ["nginx1"], virtualIp: undefined },
  },
};
const site = new Site(fewer, "rudesktop13");
const { foundation, promise } = new Suite(site, 8);

/** Everything answers, and all devices are connected. */
const serves = () => eventually("the entry answers, and reaches PostgreSQL and Redis", 90, () => site.health());

foundation("`up` on fresh hosts of Debian 13 makes a RuDesktop that answers at its one nginx", async (t) => {
  const started = performance.now();
  await site.up();
  t.diagnostic(`up: ${secondsSince(started)} s`);
  assert.ok(nodes.includes((await serves()).node));
  assert.match(await site.sh("redis1", "redis-server --version"), /v=8\./);
});

promise("a second preview changes nothing", async () => {
  await site.stack.unchanged();
});

promise(
  "Redis, which is alone, is powered off: an outage with answers, over by itself when Redis is back",
  async (t) => {
    const seen = await site.during("Redis, which is alone, off for 15 s", async (clients) => {
      await site.lab.lab(["power-off", "redis1"]);
      await pause(15);
      assert.notEqual(complaints(clients.account.reads).length, 0, "it is an outage");
      await site.lab.lab(["power-on", "redis1"]);
      await serves();
      await clients.devicesOn(nodes, 60);
    });
    for (const complaint of complaints(seen.reads, seen.logins)) {
      t.diagnostic(complaint);
      assert.match(complaint, /status 50[0-9]/, "nobody is left without an answer");
    }
    assert.ok(errorSeconds(seen) < 60, `${errorSeconds(seen)}`);
  },
);

promise("nginx, which is alone, is rebooted: all devices are back by themselves", async () => {
  await site.during("nginx, which is alone, rebooted", async (clients) => {
    const before = clients.account.reconnections;
    await site.lab.lab(["reboot", "nginx1"]);
    await serves();
    await eventually("all devices were cut", 60, async () => clients.account.reconnections > before || undefined);
    await clients.devicesOn(nodes, 60);
  });
});

promise("what clients saw, as a table", (t) => {
  for (const line of site.rows) t.diagnostic(line);
});
