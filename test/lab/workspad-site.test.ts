/**
 * WorksPad whole, through its entry, with users and writers at work: a request is followed, the site grows and shrinks,
 * a value changes, every single host is lost. The tests run in order, each on what the ones before have left. See support/test-lab.ts for
 * working on them.
 */
import { Suite } from "./support/suite";
import { changes } from "./workspad-site/changes";
import { comesUp } from "./workspad-site/comes-up";
import { failures } from "./workspad-site/failures";
import { growth } from "./workspad-site/growth";
import { Site } from "./workspad-site/site";
import { report } from "./workspad-site/table";
import { trace } from "./workspad-site/trace";

const suite = new Suite(new Site(), 10);
comesUp(suite);
trace(suite);
growth(suite);
changes(suite);
failures(suite);
report(suite);
