import assert from "node:assert/strict";
import { complaints } from "../site/clients";
import { nodes, type SiteSuite } from "./site";

/** Changes by `up` under clients. */
export function changes({ promise, cluster: site }: SiteSuite): void {
  promise("a changed value is rolled out over all nodes: no request fails, devices stay connected", async () => {
    const started = () => Promise.all(nodes.map((node) => site.sh(node, "systemctl show -P InvocationID rudesktop")));
    const before = await started();
    // Other than in an earlier run, where the lab is kept.
    const variables = { ROLLED_OUT_AT: new Date().toISOString() };
    site.configure({ node: { variables, tomlFiles: { "rz.toml": "expiry = 40\n" } } });
    const { reads, logins } = await site.during("rolling `up` of a changed value", async (clients) => {
      await site.up();
      await clients.devicesOn(nodes, 30);
      await site.whole();
    });
    const now = await started();
    for (const [i, node] of nodes.entries()) assert.notEqual(now[i], before[i], `${node} was restarted`);
    assert.deepEqual(complaints(reads, logins), []);
    await site.stack.unchanged();
  });
}
