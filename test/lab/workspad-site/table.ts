import assert from "node:assert/strict";
import { errorSeconds } from "../site/clients";
import type { Seen, SiteSuite } from "./site";

const head = row(
  "what",
  "failed reads",
  "failed logins",
  "errors for",
  "slowest answer",
  "rows acknowledged",
  "lost",
  "gap",
);

/** Prints what all tests before it have noted. */
export function report({ promise, cluster: site }: SiteSuite): void {
  promise("what users and writers saw of each host's loss, as a table", (t) => {
    assert.ok(site.rows.length > 0);
    for (const line of [head, ...site.rows]) t.diagnostic(line);
  });
}

/** One event as users and writers saw it. */
export function rowOf(what: string, { answers, rows }: Seen): string {
  const { reads, logins } = answers;
  return row(
    what,
    `${reads.failures.length} of ${reads.sent}`,
    `${logins.failures.length} of ${logins.sent}`,
    seconds(errorSeconds(answers)),
    seconds(Math.max(reads.slowestSeconds, logins.slowestSeconds)),
    String(rows.acknowledged),
    String(rows.lost.length),
    seconds(rows.longestGapSeconds),
  );
}

function seconds(value: number): string {
  return `${value.toFixed(1)} s`;
}

function row(first: string, ...others: string[]): string {
  return [first.padEnd(38), ...others.map((cell) => cell.padStart(17))].join(" ");
}
