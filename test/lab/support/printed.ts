import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { leaked, secretsOf } from "./secrets";
import type { Settings, Stack } from "./stack";
import type { Suite } from "./suite";
import type { TestLab } from "./test-lab";

interface Printing {
  readonly lab: TestLab;
  readonly stack: Stack;
  start(): Promise<void>;
  stop(): void;
}

/**
 * A promise that every stack keeps: a change shows its lines in previews of all forms; no secret is in them, in anything
 * that runs before have printed (those that failed included), or readable in the state.
 * @param shown a line that the preview of the change shows
 */
export function printsNoSecret<C extends Printing>(
  { promise, cluster }: Suite<C>,
  change: Settings,
  shown: RegExp,
): void {
  promise("no secret is in a preview of any form, in what any run has printed, or readable in the state", async () => {
    const { lab, stack } = cluster;
    const restore = stack.configure(change);
    try {
      await stack.succeeds(stack.preview());
      assert.match(await stack.succeeds(stack.preview("--diff")), shown);
      await stack.succeeds(stack.preview("--json"));
    } finally {
      restore();
    }
    const secrets = await secretsOf(stack);
    for (const kind of [/-seed result/, /server\.key/, /ca-key privateKeyPem/, /^SSH key$/]) {
      assert.ok(
        secrets.some(({ what }) => kind.test(what)),
        `${kind} is among the secrets`,
      );
    }
    for (const [command, printed] of stack.transcript) {
      assert.deepEqual(leaked(printed, secrets), [], `printed by \`${command}\``);
    }
    const directory = join(lab.state, "pulumi-state");
    const files = readdirSync(directory, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
    assert.ok(files.some(({ name }) => name.endsWith(".json")));
    for (const { path, name } of files) {
      assert.deepEqual(leaked(readFileSync(join(path, name), "utf8"), secrets), [], `in ${name}`);
    }
  });
}
