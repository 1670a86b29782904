import assert from "node:assert/strict";
import { appendFileSync, existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { PoolerSuite } from "../pooler/suite";
import { drill, type Outcome } from "./drill";
import type { Fault } from "./fault";
import { faultsOfTheDatabase } from "./of-database";
import { faultsOfProxies } from "./of-proxies";
import { plannedChanges } from "./planned";
import { table } from "./table";

export const allFaults: readonly Fault[] = [...faultsOfProxies, ...faultsOfTheDatabase, ...plannedChanges];

/**
 * Each of the faults so many times, and a table of what they did. In a lab that is kept the table has the outcomes of
 * earlier runs as well.
 */
export function drills({ promise, cluster }: PoolerSuite, faults: readonly Fault[], times: number): void {
  const file = join(cluster.lab.state, "faults.jsonl");

  for (const fault of faults) {
    for (let time = 1; time <= times; time++) {
      promise(
        `${fault.name}: no acknowledged row is lost, and only one member takes writes (${time}/${times})`,
        async (t) => {
          const outcome = await drill(cluster, fault);
          appendFileSync(file, `${JSON.stringify(outcome)}\n`);
          for (const line of [...table([outcome]), ...new Set(outcome.refusals)]) t.diagnostic(line.trim());
          assert.equal(outcome.lost, 0);
          assert.equal(outcome.duplicated, 0);
          assert.ok(outcome.primaries <= 0, `two members took writes for ${outcome.primaries} s`);
          assert.ok(outcome.gap < fault.longest, `a client waited ${outcome.gap} s`);
        },
      );
    }
  }

  promise("the faults and what they did", (t) => {
    const lines = existsSync(file) ? readFileSync(file, "utf8").trim().split("\n") : [];
    const outcomes = lines.map((line) => JSON.parse(line) as Outcome);
    for (const line of table(outcomes)) t.diagnostic(line);
    for (const fault of faults)
      assert.ok(
        outcomes.some((outcome) => outcome.fault === fault.name),
        `${fault.name} was tried`,
      );
  });
}

/** Those whose names are given, or all. */
export function faultsNamed(names: string | undefined): readonly Fault[] {
  if (!names) return allFaults;
  return names.split(",").map((name) => {
    const found = allFaults.find((fault) => fault.name === name);
    if (!found) throw new Error(`no such fault: ${name}; there are ${allFaults.map((fault) => fault.name).join(", ")}`);
    return found;
  });
}
