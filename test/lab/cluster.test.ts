/**
 * The database cluster of `npm run dev` end to end, on real hosts in a lab of its own. The tests run in order, each on
 * what the ones before have left. See support/test-lab.ts for working on them.
 */
import { comesUp } from "./cluster/comes-up";
import { freshHosts } from "./cluster/fresh-hosts";
import { Suite } from "./support/suite";

const suite = new Suite();
freshHosts(suite);
comesUp(suite);
