/**
 * What happens after the first `up`: a cluster that runs is changed, grows, shrinks, loses hosts, and is taken down. The
 * tests run in order, each on what the ones before have left. See support/test-lab.ts for working on them.
 */
import { certificates } from "./changes/certificates";
import { ChangingCluster } from "./changes/cluster";
import { firstUp } from "./changes/first-up";
import { hostDown } from "./changes/host-down";
import { interrupted } from "./changes/interrupted";
import { lost } from "./changes/lost";
import { membership } from "./changes/membership";
import { objects } from "./changes/objects";
import { parameters } from "./changes/parameters";
import { passwords } from "./changes/passwords";
import { probe } from "./changes/probe";
import { purge, removal } from "./changes/removal";
import { replaced } from "./changes/replaced";
import { Suite } from "./support/suite";

const suite = new Suite(new ChangingCluster(), 10);
firstUp(suite);
parameters(suite);
passwords(suite);
certificates(suite);
objects(suite);
probe(suite);
hostDown(suite);
interrupted(suite);
membership(suite);
replaced(suite);
lost(suite);
removal(suite);
purge(suite);
