import assert from "node:assert/strict";
import type { TestContext } from "node:test";
import { complaints, errorSeconds } from "../site/clients";
import { eventually, pause } from "../support/process";
import { balancers, databases, nodes, proxies, type Seen, type SiteSuite } from "./site";

/** Seconds in which a host that says nothing any more is out of service, and another does its work. */
const noticed = 10;

/**
 * Seconds that users may see errors, and a writer may wait, on a machine with other work to do: by what the host is
 * there for.
 */
const limits = [
  { hosts: balancers, errors: 30, gap: 15 },
  { hosts: nodes, errors: 20, gap: 15 },
  { hosts: proxies, errors: 40, gap: 30 },
  { hosts: databases, errors: 60, gap: 60 },
];

/** "The failure of any single server does not stop the service": the article's claim, for one host after the other. */
export function failures({ promise, cluster: site }: SiteSuite): void {
  const { lab } = site;
  const duties = new Set<string>();

  /** Powers a host off, and on again; what users and writers saw has to be within the limits. */
  async function lose(t: TestContext, host: string, duty: string): Promise<Seen> {
    const { errors = 0, gap = 0 } = limits.find(({ hosts }) => hosts.includes(host)) ?? {};
    const seen = await site.during(`${host}${duty}`, async (ledger) => {
      await lab.lab(["power-off", host]);
      try {
        await pause(noticed);
        await eventually("the entry answers, and reaches the database", 60, () => site.answers());
        await ledger.moreRows(10, 90);
      } finally {
        await lab.lab(["power-on", host]);
      }
      await site.whole();
    });
    const { answers, rows } = seen;
    for (const complaint of [...complaints(answers.reads, answers.logins), ...new Set(rows.refusals)]) {
      t.diagnostic(complaint.trim());
    }
    assert.ok(errorSeconds(answers) < errors, `errors for ${errorSeconds(answers)} s`);
    assert.ok(rows.longestGapSeconds < gap, `a writer waited ${rows.longestGapSeconds} s`);
    return seen;
  }

  for (const host of limits.flatMap(({ hosts }) => hosts)) {
    promise(`${host} is powered off and comes back: service goes on, and no acknowledged row is lost`, async (t) => {
      await site.whole();
      const duty = await site.duty(host);
      duties.add(duty);
      const { answers } = await lose(t, host, duty);
      if (duty === "") assert.deepEqual(complaints(answers.reads), [], "failed reads");
    });
  }

  promise("the synchronous replica is powered off and comes back: writers wait for another one", async (t) => {
    await site.whole();
    const query = "SELECT application_name FROM pg_stat_replication WHERE sync_state = 'sync'";
    const replica = await site.hosts.superuser(await site.hosts.leader(), query);
    const { answers } = await lose(t, replica, " with the synchronous replica");
    assert.deepEqual(complaints(answers.reads), []);
  });

  promise("every duty that others have to take over was among them", () => {
    const wanted = ["", " with the database's address", " with the entry's address", " with the primary"];
    assert.deepEqual([...duties].sort(), wanted);
  });
}
