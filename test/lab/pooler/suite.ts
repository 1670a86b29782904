import type { Suite } from "../support/suite";
import type { PoolerCluster } from "./cluster";

/** Tests that share one cluster with its poolers. */
export type PoolerSuite = Suite<PoolerCluster>;
