import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { pause, secondsSince } from "../support/process";
import { answer } from "../support/psql";
import { KilledUp, type Victim } from "./killed-up";
import type { ChangesSuite } from "./suite";

/** A change that is cut short, and the seconds that it takes when it is not. */
interface Interruption {
  what: string;
  seconds: number;
  members?: readonly string[];
  postgres?: Record<string, unknown>;
}

const three = ["psql1", "psql2", "psql3"];
const five = [...three, "psql4", "psql5"];
const interruptions: readonly Interruption[] = [
  { what: "a rolling restart", seconds: 20, postgres: { parameters: { max_connections: 700 } } },
  { what: "new passwords", seconds: 12, postgres: { passwordRotation: 11 } },
  { what: "a new database", seconds: 10, postgres: { databases: [{ name: "workspad" }, { name: "drill" }] } },
  { what: "two members more", seconds: 45, members: five },
  { what: "new passwords of five members", seconds: 15, postgres: { passwordRotation: 12 } },
  { what: "two members less", seconds: 25, members: three },
  { what: "a lower limit", seconds: 20, postgres: { parameters: { max_connections: 500 } } },
  { what: "a longer lease", seconds: 10, postgres: { ttl: 25 } },
  { what: "another durability", seconds: 10, postgres: { durability: "sync" } },
  { what: "all of it back", seconds: 20, postgres: { durability: "async", ttl: undefined } },
];
const victims: readonly Victim[] = ["engine", "plugin", "all"];

/** Runs that are killed. */
export function interrupted({ promise, cluster }: ChangesSuite): void {
  const seed = process.env.HASTACK_SEED ?? randomBytes(4).toString("hex");
  let killed = 0;

  for (const [round, interruption] of interruptions.entries()) {
    const victim = victims[round % victims.length] ?? "all";
    promise(`an \`up\` for ${interruption.what} whose ${victim} is killed is finished by the next`, async (t) => {
      const { stack, lab } = cluster;
      if (interruption.members) cluster.consistsOf(...interruption.members);
      if (interruption.postgres) stack.configure({ "hastack:postgres": interruption.postgres });
      const seconds = 1 + chance(seed, round) * interruption.seconds;
      const up = new KilledUp(stack);
      try {
        await pause(seconds);
        const cut = await up.kill(victim);
        if (cut) killed++;
        t.diagnostic(`${cut ? "killed" : "was over"} after ${seconds.toFixed(2)} s; again: HASTACK_SEED=${seed}`);

        const began = performance.now();
        for (const step of await finish(cluster)) t.diagnostic(step);
        t.diagnostic(`finished after ${secondsSince(began)} s`);
      } finally {
        await up.clear();
      }
      await cluster.clean();
      await cluster.whole();
      await cluster.quorum();
      const login = { ...cluster.login("workspad"), options: "target_session_attrs=read-write" };
      assert.equal(await answer(lab, login, "SELECT 1"), "1");
    });
  }

  promise("most of those runs were really cut short", () => {
    assert.ok(killed > interruptions.length / 2, `${killed} of ${interruptions.length}; HASTACK_SEED=${seed}`);
  });
}

/**
 * What docs/operations.md says about an interrupted run, and nothing else.
 * @returns what it took
 */
async function finish(cluster: ChangesSuite["cluster"]): Promise<string[]> {
  const { stack } = cluster;
  const took: string[] = [];
  let result = await stack.up();
  if (/the stack is currently locked/.test(result.stdout + result.stderr)) {
    took.push("pulumi cancel");
    await stack.succeeds(stack.cancel());
    result = await stack.up();
  }
  const printed = await stack.succeeds(Promise.resolve(result));
  if (/with \d+ pending operations/.test(printed)) {
    took.push("pulumi refresh --clear-pending-creates");
    await stack.succeeds(stack.clearPendingCreates());
  }
  assert.deepEqual(await stack.pendingOperations(), []);
  await cluster.readOutputs();
  return took;
}

/** Between 0 and 1, and the same for the same seed. */
function chance(seed: string, round: number): number {
  return createHash("sha256").update(`${seed} ${round}`).digest().readUInt32BE() / 2 ** 32;
}
