import { comesUp } from "./redis/comes-up";
import { rebuilt } from "./redis/rebuilt";
import { removal } from "./redis/removal";
import { TestRedis } from "./redis/test-redis";
import { Suite } from "./support/suite";

const suite = new Suite(new TestRedis(), 5);
comesUp(suite);
rebuilt(suite);
removal(suite);
