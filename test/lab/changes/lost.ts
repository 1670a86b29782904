import assert from "node:assert/strict";
import { eventually, secondsSince } from "../support/process";
import type { ChangesSuite } from "./suite";
import { underWrites } from "./under-writes";

/** A machine that never comes back, and another one in its place. */
export function lost({ promise, cluster }: ChangesSuite): void {
  promise("a host that is gone for good is taken out by saying so, and another one takes its place", async (t) => {
    const { lab, machine, stack } = cluster;
    const members = cluster.hosts.names;
    const gone = (await cluster.hosts.replicas()).at(-1) ?? "";
    const substitute = machine.names.find((name) => !members.includes(name)) ?? "";
    await lab.lab(["rebuild", substitute]);
    await underWrites(t, cluster, 4, async () => {
      await lab.lab(["power-off", gone]);
      stack.configure({ "hastack:hosts": { [gone]: { gone: true } } });
      let began = performance.now();
      const printed = await cluster.up();
      t.diagnostic(`up that is told: ${secondsSince(began)} s`);
      assert.doesNotMatch(printed, new RegExp(`Host ${gone} cannot be asked`));
      await cluster.clean();

      cluster.consistsOf(...members.filter((name) => name !== gone), substitute);
      began = performance.now();
      await cluster.up();
      t.diagnostic(`up that takes it out: ${secondsSince(began)} s`);
    });

    assert.deepEqual(Object.values(await cluster.quorum()).sort(), [...cluster.hosts.names].sort());
    await eventually("Patroni knows the remaining members only", 40, async () => {
      const known = (await cluster.hosts.members()).map(({ name }) => name);
      assert.deepEqual(known.sort(), [...cluster.hosts.names].sort());
      return true;
    });
    const left = (await stack.resources()).filter(({ urn }) => urn.includes(gone)).map(({ urn }) => urn);
    assert.deepEqual(left, []);
    await cluster.clean();
    await lab.lab(["rebuild", gone]);
  });
}
