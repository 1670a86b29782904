import assert from "node:assert/strict";
import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { parse } from "yaml";

const root = join(__dirname, "../..");

test("the engine runs the stacks' program, and never the built package", () => {
  // A folder as `main` is resolved as a package, and this package's `exports` name a library that makes nothing.
  const { main } = parse(readFileSync(join(root, "Pulumi.yaml"), "utf8")) as { main: string };
  assert.equal(main, "stacks/index.ts");
  assert.ok(statSync(join(root, main)).isFile());
});
