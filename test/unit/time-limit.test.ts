import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { timeLimit } from "../../components/converge/time-limit";

test("the time in which the program is busy does not count, all other time does", async () => {
  let reached = 0;
  const end = new Promise<void>((resolve) => {
    timeLimit(0.4, () => {
      reached = performance.now();
      resolve();
    });
  });
  const start = performance.now();
  while (performance.now() - start < 600);
  await pause(20);
  assert.equal(reached, 0);
  await end;
  assert.ok(reached - start > 900, `after ${reached - start} ms`);
});

test("a limit that was ended is never reached", async () => {
  let reached = false;
  const stop = timeLimit(0.05, () => {
    reached = true;
  });
  stop();
  await pause(200);
  assert.equal(reached, false);
});
