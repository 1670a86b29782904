import type { Suite } from "../support/suite";
import type { ChangingCluster } from "./cluster";

/** Tests that share one cluster which changes. */
export type ChangesSuite = Suite<ChangingCluster>;
