import assert from "node:assert/strict";
import { complaints } from "../site/clients";
import { nodes, type SiteSuite } from "./site";

/** Changes by `up` under load. */
export function changes({ promise, cluster: site }: SiteSuite): void {
  promise("a changed value is rolled out over all nodes under load, and no request fails", async () => {
    const before = await site.invocations("workspad-gateway", nodes);
    // Other than in an earlier run, where the lab is kept.
    const connectionSettings = { Timeout: String(5 + (Math.floor(Date.now() / 1000) % 1000)) };
    site.stack.configure({ "hastack:workspad": { node: { connectionSettings } } });
    const { answers } = await site.during("rolling `up` of a changed value", async () => {
      await site.up();
      await site.whole();
    });
    const after = await site.invocations("workspad-gateway", nodes);
    for (const node of nodes) assert.notEqual(after[node], before[node], `${node} was restarted`);
    assert.deepEqual(complaints(answers.reads, answers.logins), []);
    await site.stack.unchanged();
  });
}
