import assert from "node:assert/strict";
import { secondsSince } from "../support/process";
import { changesIn } from "../support/stack";
import { nodes, type SiteSuite } from "./site";

/** The first `up` of everything. */
export function comesUp({ foundation, promise, cluster: site }: SiteSuite): void {
  foundation("`up` on twelve fresh hosts makes a RuDesktop that answers at the entry's address", async (t) => {
    const started = performance.now();
    await site.up();
    t.diagnostic(`up: ${secondsSince(started)} s`);
    await site.whole();
    assert.ok(nodes.includes((await site.health()).node));
  });

  promise("a second preview changes nothing", async () => {
    const { stack } = site;
    assert.deepEqual(changesIn(await stack.succeeds(stack.preview("--expect-no-changes"))), []);
  });
}
