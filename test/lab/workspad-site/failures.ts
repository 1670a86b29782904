import assert from "node:assert/strict";
import { complaints, errorSeconds } from "../site/clients";
import { eventually, pause } from "../support/process";
import { balancers, databases, nodes, proxies, type SiteSuite } from "./site";

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

  for (const { hosts, errors, gap } of limits) {
    for (const host of hosts) {
      promise(`${host} is powered off and comes back: service goes on, and no acknowledged row is lost`, async (t) => {
        await site.whole();
        const duty = await site.duty(host);
        duties.add(duty);
        const { answers, rows } = await site.during(`${host}${duty}`, async () => {
          await lab.lab(["power-off", host]);
          await pause(noticed);
          await eventually("the entry answers, and reaches the database", 60, () => site.answers());
          await lab.lab(["power-on", host]);
          await site.whole();
        });
        for (const complaint of [...complaints(answers.reads, answers.logins), ...new Set(rows.refusals)]) {
          t.diagnostic(complaint.trim());
        }
        assert.ok(errorSeconds(answers) < errors, `errors for ${errorSeconds(answers)} s`);
        assert.ok(rows.longestGapSeconds < gap, `a writer waited ${rows.longestGapSeconds} s`);
        if (hosts === nodes || duty === "") assert.deepEqual(complaints(answers.reads), [], "failed reads");
      });
    }
  }

  promise("every duty that others have to take over was among them", () => {
    const wanted = ["", " with the database's address", " with the entry's address", " with the primary"];
    assert.deepEqual([...duties].sort(), wanted);
  });
}
