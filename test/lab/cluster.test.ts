/**
 * The database cluster end to end, on real hosts in a lab of its own. The tests run in order, each on what the ones before
 * have left. See support/test-lab.ts for working on them.
 */
import { access } from "./cluster/access";
import { comesUp } from "./cluster/comes-up";
import { drift } from "./cluster/drift";
import { durability } from "./cluster/durability";
import { failures } from "./cluster/failures";
import { freshHosts } from "./cluster/fresh-hosts";
import { namesOfAnyKind } from "./cluster/names";
import { probeUser } from "./cluster/probe-user";
import { refusals } from "./cluster/refusals";
import { removal } from "./cluster/removal";
import { review } from "./cluster/review";
import { secrecy } from "./cluster/secrecy";
import { settings } from "./cluster/settings";
import { Suite } from "./support/suite";
import { TestCluster } from "./support/test-cluster";

const suite = new Suite(new TestCluster(), 8);
freshHosts(suite);
comesUp(suite);
access(suite);
namesOfAnyKind(suite);
settings(suite);
failures(suite);
drift(suite);
probeUser(suite);
review(suite);
durability(suite);
refusals(suite);
secrecy(suite);
removal(suite);
