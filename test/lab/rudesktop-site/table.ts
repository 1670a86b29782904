import assert from "node:assert/strict";
import type { Account, Requests } from "./clients";
import type { SiteSuite } from "./site";

const head = row(
  "fault",
  "failed reads",
  "failed logins",
  "errors for",
  "slowest answer",
  "devices reconnected",
  "longest without relay",
);

/** Prints what all tests before it have noted. */
export function report({ promise, cluster: site }: SiteSuite): void {
  promise("what clients saw of each fault, as a table", (t) => {
    assert.ok(site.rows.length > 0);
    for (const line of [head, ...site.rows]) t.diagnostic(line);
  });
}

/** One fault as clients saw it. */
export function rowOf(what: string, account: Account): string {
  const { reads, logins, reconnections, longestWithoutRelaySeconds } = account;
  return row(
    what,
    `${reads.failures.length} of ${reads.sent}`,
    `${logins.failures.length} of ${logins.sent}`,
    seconds(errorSeconds(account)),
    seconds(Math.max(reads.slowestSeconds, logins.slowestSeconds)),
    `${reconnections}`,
    seconds(longestWithoutRelaySeconds),
  );
}

/** From the end of the first request that failed to that of the last one. */
export function errorSeconds({ reads, logins }: Account): number {
  const ends = [reads, logins].flatMap(({ failures }) => failures.map(({ to }) => to));
  return ends.length === 0 ? 0 : Math.max(...ends) - Math.min(...ends);
}

/** What failed and how often, for messages. */
export function complaints(...kinds: Requests[]): string[] {
  const counts = new Map<string, number>();
  for (const { what } of kinds.flatMap(({ failures }) => failures)) counts.set(what, (counts.get(what) ?? 0) + 1);
  return [...counts].map(([what, count]) => `${count} x ${what}`);
}

function seconds(value: number): string {
  return `${value.toFixed(1)} s`;
}

function row(first: string, ...others: string[]): string {
  return [first.padEnd(36), ...others.map((cell) => cell.padStart(21))].join(" ");
}
