import { secondsSince } from "../support/process";
import type { ChangesSuite } from "./suite";

export function firstUp({ foundation, cluster }: ChangesSuite): void {
  foundation("three of five hosts form the cluster", async (t) => {
    const began = performance.now();
    if (cluster.fresh) cluster.consistsOf("psql1", "psql2", "psql3");
    await cluster.up();
    t.diagnostic(`up: ${secondsSince(began)} s`);
    await cluster.whole();
    await cluster.quorum();
  });
}
