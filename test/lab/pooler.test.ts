/**
 * The address of the stack `postgres` end to end: two poolers in front of the cluster, on real hosts in a lab of its own.
 * The tests run in order, each on what the ones before have left. See support/test-lab.ts for working on them.
 */
import { drills, faultsNamed } from "./faults/drills";
import { access } from "./pooler/access";
import { PoolerCluster } from "./pooler/cluster";
import { comesUp } from "./pooler/comes-up";
import { drift } from "./pooler/drift";
import { namesOfAnyKind } from "./pooler/names";
import { readOnly } from "./pooler/read-only";
import { refusals, refusesClashes } from "./pooler/refusals";
import { removal } from "./pooler/removal";
import { runbooks } from "./pooler/runbooks";
import { settings } from "./pooler/settings";
import { status } from "./pooler/status";
import { printsNoSecret } from "./support/printed";
import { Suite } from "./support/suite";

const suite = new Suite(new PoolerCluster({ "hastack:postgres": { durability: "sync" } }), 8);
refusesClashes(suite);
comesUp(suite);
status(suite);
runbooks(suite);
access(suite);
readOnly(suite);
namesOfAnyKind(suite);
settings(suite);
refusals(suite);
drift(suite);
drills(suite, faultsNamed("keepalived-stopped,proxy-power-off,switchover,patroni-frozen,primary-power-off"), 1);
printsNoSecret(suite, { "hastack:pooler": { maxClientConnections: 6000 } }, /^ *\+ +max_client_conn = 6000$/m);
removal(suite);
