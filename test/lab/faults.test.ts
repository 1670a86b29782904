/**
 * Every fault, three times, while clients write through the address. HASTACK_FAULTS=NAME,NAME tries only those, and
 * HASTACK_FAULT_TIMES says how often: so an interrupted run can be completed in a lab that was kept.
 */
import { drills, faultsNamed } from "./faults/drills";
import { PoolerCluster } from "./pooler/cluster";
import { comesUp } from "./pooler/comes-up";
import { Suite } from "./support/suite";

const suite = new Suite(new PoolerCluster({ "hastack:postgres": { durability: "sync" } }), 8);
comesUp(suite);
drills(suite, faultsNamed(process.env.HASTACK_FAULTS), Number(process.env.HASTACK_FAULT_TIMES ?? 3));
