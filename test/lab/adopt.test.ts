/**
 * A cluster that was set up by hand is taken over as it runs. The tests run in order, each on what the ones before have
 * left. See support/test-lab.ts for working on them.
 */
import { HandMadeCluster } from "./adopt/hand-made";
import { takeover } from "./adopt/takeover";
import { Suite } from "./support/suite";

const suite = new Suite(new HandMadeCluster(), 10);
takeover(suite);
