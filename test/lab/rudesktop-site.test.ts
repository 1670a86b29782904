/**
 * RuDesktop whole, through its entry, with clients at work: hosts stop and are lost, values change, the site is switched.
 * The tests run in order, each on what the ones before have left. See support/test-lab.ts for working on them.
 */
import { changes } from "./rudesktop-site/changes";
import { comesUp } from "./rudesktop-site/comes-up";
import { failures } from "./rudesktop-site/failures";
import { Site } from "./rudesktop-site/site";
import { switching } from "./rudesktop-site/switching";
import { report } from "./rudesktop-site/table";
import { Suite } from "./support/suite";

const suite = new Suite(new Site(), 10);
comesUp(suite);
failures(suite);
changes(suite);
switching(suite);
report(suite);
