import assert from "node:assert/strict";
import { test } from "node:test";
import { turns } from "../../components/converge/turns";

test("so many tasks run at once, in order, and one that fails gives its place up", async () => {
  const inTurn = turns(2);
  const ends: (() => void)[] = [];
  const begun: number[] = [];
  const task = (n: number) =>
    inTurn(async () => {
      begun.push(n);
      await new Promise<void>((resolve) => ends.push(resolve));
      if (n === 1) throw new Error("it failed");
      return n;
    });
  const all = Promise.allSettled([1, 2, 3, 4].map(task));
  const settled = () => new Promise((resolve) => setImmediate(resolve));
  await settled();
  assert.deepEqual(begun, [1, 2]);
  ends.shift()?.();
  await settled();
  assert.deepEqual(begun, [1, 2, 3]);
  ends.shift()?.();
  await settled();
  assert.deepEqual(begun, [1, 2, 3, 4]);
  for (const end of ends) end();
  assert.deepEqual(
    (await all).map((result) => (result.status === "fulfilled" ? result.value : "failed")),
    ["failed", 2, 3, 4],
  );
});
