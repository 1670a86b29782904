import assert from "node:assert/strict";
import { pause } from "../support/process";
import { answer } from "../support/psql";
import { KillableUp, pendingOperations, unlock } from "./engine";
import type { ChangesSuite } from "./suite";

const rounds = process.env.HASTACK_DRILLS ? 10 : 3;
/** Seconds: an `up` of the changes below takes about as long. */
const longest = 14;

/** Runs that are killed. */
export function interrupted({ promise, cluster }: ChangesSuite): void {
  promise("an `up` that is killed at any moment leaves nothing that the next one does not put right", async (t) => {
    const { lab, stack } = cluster;
    let killed = 0;
    for (let round = 1; round <= rounds; round++) {
      const database = `drill${round}`;
      stack.configure({
        "hastack:postgres": {
          passwordRotation: 10 + round,
          parameters: { work_mem: `${16 + round}MB` },
          databases: [{ name: "workspad" }, { name: database }],
        },
      });
      // One part of the time each, so that few rounds reach early and late moments alike.
      const seconds = 1 + ((round - 1 + Math.random()) * (longest - 1)) / rounds;
      const up = new KillableUp(lab);
      await pause(seconds);
      if (await up.kill()) killed++;
      t.diagnostic(`round ${round}: killed after ${seconds.toFixed(2)} s`);

      await unlock(lab);
      await cluster.up();
      await cluster.clean();
      await cluster.whole();
      assert.equal(
        await answer(lab, { ...cluster.login(database), options: "target_session_attrs=read-write" }, "SELECT 1"),
        "1",
      );
      assert.deepEqual(await pendingOperations(lab), []);
    }
    assert.notEqual(killed, 0, "no run was still going on when it was to be killed");
  });
}
