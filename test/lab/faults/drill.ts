import assert from "node:assert/strict";
import { type PoolerCluster, port, virtualIp } from "../pooler/cluster";
import { AddressWatch } from "../support/address-watch";
import { type Clients, Ledger } from "../support/ledger";
import { emptyLedger, ledgerRows } from "../support/ledger-table";
import { eventually } from "../support/process";
import type { Fault } from "./fault";
import { watchHolders } from "./holder-watch";
import { watchPrimaries } from "./primary-watch";

/** What one fault did to the clients. */
export interface Outcome {
  fault: string;
  acknowledged: number;
  lost: number;
  duplicated: number;
  /** Longest time in seconds that a client was without an acknowledged write. */
  gap: number;
  /** What clients were told who wanted to connect, and could not. */
  refusals: string[];
  /** Longest time in seconds that the address did not answer a new connection. */
  away: number;
  /** Longest time in seconds that two members accepted writes. */
  primaries: number;
  /** Longest time in seconds that two hosts had the address. */
  holders: number;
}

/** They give up only when TCP does: that a failover is a pause is to be seen. */
function clientsOf(cluster: PoolerCluster): Clients {
  const { conninfo = "" } = cluster.endpoints.workspad ?? {};
  return { connections: 4, options: `${conninfo} connect_timeout=150`, patience: 150 };
}

/** One fault, while clients write through the address and every member and every proxy is watched. */
export async function drill(cluster: PoolerCluster, fault: Fault): Promise<Outcome> {
  await ready(cluster);
  const leader = await cluster.whole();
  await emptyLedger(cluster.hosts, leader);
  const address = new AddressWatch(cluster.lab, virtualIp, port);
  const primaries = await watchPrimaries(cluster);
  const holders = watchHolders(cluster);
  const begun = performance.now();
  const ledger = new Ledger(cluster.lab, cluster.through(), clientsOf(cluster));
  let undo: (() => Promise<unknown>) | undefined;
  try {
    await ledger.start();
    undo = await fault.strike(cluster);
    await ledger.moreRows(20, 90);
    await undo();
    undo = undefined;
    await ready(cluster);
    await ledger.moreRows(20, 60);
  } finally {
    await undo?.();
    await ledger.stop();
  }
  const seen = { primaries: primaries.stop(), holders: holders.stop() };
  const seconds = (performance.now() - begun) / 1000;
  for (const [what, { samples }] of Object.entries(seen)) {
    assert.ok(samples > seconds, `${what} were watched: ${samples} looks in ${seconds} s`);
  }
  const account = ledger.account(await ledgerRows(cluster.hosts));
  return {
    fault: fault.name,
    acknowledged: account.acknowledged,
    lost: account.lost.length,
    duplicated: account.duplicated.length,
    gap: account.longestGapSeconds,
    refusals: account.refusals,
    away: await address.stop(),
    primaries: seen.primaries.together,
    holders: seen.holders.together,
  };
}

/** All is well: all members stream, one of them synchronously, and both poolers can serve. */
async function ready(cluster: PoolerCluster): Promise<void> {
  const leader = await cluster.whole(120);
  await eventually("a replica is synchronous", 60, async () => {
    const query = "SELECT count(*) FROM pg_stat_replication WHERE sync_state = 'sync'";
    return (await cluster.hosts.superuser(leader, query)) === "1" || undefined;
  });
  await cluster.spare(60);
}
