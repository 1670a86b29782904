import { changes } from "./redis/changes";
import { comesUp } from "./redis/comes-up";
import { drift } from "./redis/drift";
import { TestRedis } from "./redis/test-redis";
import { Suite } from "./support/suite";

const suite = new Suite(new TestRedis(), 5);
comesUp(suite);
changes(suite);
drift(suite);
