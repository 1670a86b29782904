/**
 * WorksPad whole: it comes up on fresh hosts, a request is followed through it, a node is added and removed. What else is
 * promised of it takes long, and is in workspad-site.test.ts.
 */
import { Suite } from "./support/suite";
import { comesUp } from "./workspad-site/comes-up";
import { growth } from "./workspad-site/growth";
import { Site } from "./workspad-site/site";
import { trace } from "./workspad-site/trace";

const suite = new Suite(new Site(), 10);
comesUp(suite);
trace(suite);
growth(suite);
