import assert from "node:assert/strict";
import { type Account, errorSeconds } from "../site/clients";
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

function seconds(value: number): string {
  return `${value.toFixed(1)} s`;
}

function row(first: string, ...others: string[]): string {
  return [first.padEnd(36), ...others.map((cell) => cell.padStart(21))].join(" ");
}
