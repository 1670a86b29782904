/**
 * Redis on three real hosts in a lab of its own: the stack `redis`. The tests run in order, each on what the ones before
 * have left. See support/test-lab.ts for working on them.
 */
import { access } from "./redis/access";
import { changes } from "./redis/changes";
import { comesUp } from "./redis/comes-up";
import { drift } from "./redis/drift";
import { failover } from "./redis/failover";
import { oneHost } from "./redis/one-host";
import { rebuilt } from "./redis/rebuilt";
import { removal } from "./redis/removal";
import { TestRedis } from "./redis/test-redis";
import { printsNoSecret } from "./support/printed";
import { Suite } from "./support/suite";

const suite = new Suite(new TestRedis(), 5);
comesUp(suite);
access(suite);
failover(suite);
changes(suite);
drift(suite);
rebuilt(suite);
printsNoSecret(suite, { "hastack:redis": { maxClients: 9000 } }, /^ *\+ +maxclients 9000$/m);
removal(suite);
oneHost(suite);
