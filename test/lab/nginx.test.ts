/**
 * The entry for clients end to end: two balancers with a virtual address, two servers behind them. The tests run in order,
 * each on what the ones before have left. See support/test-lab.ts for working on them.
 */
import { changes } from "./nginx/changes";
import { clients } from "./nginx/clients";
import { comesUp } from "./nginx/comes-up";
import { Entry } from "./nginx/entry";
import { failures } from "./nginx/failures";
import { removal } from "./nginx/removal";
import { printsNoSecret } from "./support/printed";
import { Suite } from "./support/suite";

const suite = new Suite(new Entry(), 4);
comesUp(suite);
failures(suite);
changes(suite);
clients(suite);
printsNoSecret(suite, { "hastack:balancer": { maxBodyMiB: 12 } }, /^ *\+ +client_max_body_size 12m;$/m);
removal(suite);
