import assert from "node:assert/strict";
import { complaints, errorSeconds } from "../site/clients";
import { eventually } from "../support/process";
import { devices, type SiteSuite } from "./site";

/** Hosts that stop or are lost, under clients: the eighth step of RuDesktop's guide. */
export function failures({ promise, cluster: site }: SiteSuite): void {
  const { lab } = site;

  promise("a node is stopped in an orderly way: no request fails, its devices connect to the other", async () => {
    const { serving, other } = await site.pair();
    const services = "nginx rudesktop rudesktop-relay";
    const { reads, logins, reconnections } = await site.during(`${serving} stopped and started`, async (clients) => {
      await clients.devicesOn([serving], 5);
      await site.sh(serving, `systemctl stop ${services}`);
      await clients.devicesOn([other], 30);
      await site.sh(serving, `systemctl start ${services}`);
      await site.whole();
    });
    assert.deepEqual(complaints(reads, logins), []);
    assert.ok(reconnections >= devices, `${reconnections}`);
  });

  promise("a node is rebooted: no request fails, its devices connect to the other", async () => {
    const { serving, other } = await site.pair();
    const { reads, logins } = await site.during(`${serving} rebooted`, async (clients) => {
      await clients.devicesOn([serving], 30);
      const rebooted = lab.lab(["reboot", serving]);
      await clients.devicesOn([other], 30).finally(() => rebooted);
      await site.whole();
    });
    assert.deepEqual(complaints(reads, logins), []);
  });

  promise("a node is powered off: no read fails, its devices connect to the other", async (t) => {
    const { serving, other } = await site.pair();
    const seen = await site.during(`${serving} powered off`, async (clients) => {
      await clients.devicesOn([serving], 30);
      await lab.lab(["power-off", serving]);
      await clients.devicesOn([other], 60);
    });
    for (const complaint of complaints(seen.logins)) t.diagnostic(complaint);
    assert.deepEqual(complaints(seen.reads), []);
    assert.ok(errorSeconds(seen) < 20, `${errorSeconds(seen)}`);
    await lab.lab(["power-on", serving]);
    await site.whole();
  });

  promise("PostgreSQL's primary is switched over: service goes on", async (t) => {
    const leader = await site.hosts.leader();
    const seen = await site.during("PostgreSQL's primary switched", async () => {
      await site.sh(leader, `patronictl -c /etc/patroni/config.yml switchover --force --master ${leader}`);
      await site.whole();
    });
    assert.notEqual(await site.hosts.leader(), leader);
    for (const complaint of complaints(seen.reads, seen.logins)) t.diagnostic(complaint);
    assert.ok(errorSeconds(seen) < 20, `${errorSeconds(seen)}`);
  });

  promise("PostgreSQL's primary is powered off: service goes on with another", async (t) => {
    const leader = await site.hosts.leader();
    const seen = await site.during("PostgreSQL's primary powered off", async () => {
      await lab.lab(["power-off", leader]);
      await eventually("another leads", 60, async () => (await site.hosts.leader()) !== leader || undefined);
      await answersAgain();
    });
    for (const complaint of complaints(seen.reads, seen.logins)) t.diagnostic(complaint);
    assert.ok(errorSeconds(seen) < 60, `${errorSeconds(seen)}`);
    await lab.lab(["power-on", leader]);
    await site.whole();
  });

  promise("Redis's master is powered off: service goes on with another, sessions stay", async (t) => {
    const master = await site.master();
    const seen = await site.during("Redis's master powered off", async () => {
      await lab.lab(["power-off", master]);
      await answersAgain();
    });
    for (const complaint of complaints(seen.reads, seen.logins)) t.diagnostic(complaint);
    assert.ok(errorSeconds(seen) < 40, `${errorSeconds(seen)}`);
    await lab.lab(["power-on", master]);
    await site.whole();
    assert.notEqual(await site.master(), master);
  });

  promise("the balancer with the entry's address is powered off: the other takes over", async (t) => {
    const holder = await site.holder();
    const seen = await site.during(`${holder} (entry) powered off`, async (clients) => {
      const before = clients.account.reconnections;
      await lab.lab(["power-off", holder]);
      await eventually("all devices were cut", 60, async () =>
        clients.account.reconnections - before >= devices ? true : undefined,
      );
      await clients.devicesOn(["node1", "node2"], 60);
      await answersAgain();
    });
    for (const complaint of complaints(seen.reads, seen.logins)) t.diagnostic(complaint);
    assert.ok(errorSeconds(seen) < 30, `${errorSeconds(seen)}`);
    await lab.lab(["power-on", holder]);
    await site.whole();
    assert.notEqual(await site.holder(), holder, "it does not move back");
  });

  /** Through the entry, with all that it needs. */
  async function answersAgain(): Promise<void> {
    await eventually("the entry answers, and reaches PostgreSQL and Redis", 60, () => site.health());
  }
}
