import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { chance, finish, KilledUp, type Victim } from "../support/killed-up";
import { pause, secondsSince } from "../support/process";
import { answer } from "../support/psql";
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
        for (const step of await finish(stack)) t.diagnostic(step);
        await cluster.readOutputs();
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
