import assert from "node:assert/strict";
import { secondsSince } from "../support/process";
import { changesIn } from "../support/stack";
import { nodes, type SiteSuite } from "./site";

/** The first `up` of everything. */
export function comesUp({ foundation, promise, cluster: site }: SiteSuite): void {
  foundation("`up` on ten fresh hosts makes a WorksPad that answers at the entry's address", async (t) => {
    const started = performance.now();
    await site.up();
    t.diagnostic(`up: ${secondsSince(started)} s`);
    await site.whole();
    assert.ok(nodes.includes(await site.answers()));
  });

  promise("a second preview changes nothing", async () => {
    const { stack } = site;
    assert.deepEqual(changesIn(await stack.succeeds(stack.preview("--expect-no-changes"))), []);
  });

  promise("every node reaches Active Directory and Exchange", async () => {
    const { outside } = await site.stack.outputs();
    for (const node of nodes) {
      const found = (outside as Record<string, string>)[node] ?? "";
      for (const system of ["LDAP", "LDAPS", "Kerberos"]) {
        assert.match(found, new RegExp(`^Active Directory \\(${system}\\) at [\\d.:]+: answers`, "m"), node);
      }
      assert.match(found, /^Exchange \(EWS\) at 192\.168\.1\.205:443: .* answers with status 401/m, node);
    }
  });
}
