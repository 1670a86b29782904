import "./quick-errors";
import * as pulumi from "@pulumi/pulumi";
import { fault } from "../components/fault";
import { entry } from "./entry";
import { hostsOf } from "./environment";
import { postgres } from "./postgres";
import { redis } from "./redis";
import { rudesktop } from "./rudesktop";
import { workspad } from "./workspad";

/** The program of every stack: which system it makes is said by `hastack:system` in the stack's configuration. */
const systems = { entry, postgres, redis, rudesktop, workspad };

const config = new pulumi.Config("hastack");
const wanted = config.require("system");
if (!Object.hasOwn(systems, wanted)) {
  throw fault(
    `stack ${pulumi.getStack()}: hastack:system: ${JSON.stringify(wanted)}: give one of ${Object.keys(systems).join(", ")}`,
  );
}

/** The stack's outputs are what its system returns. */
export = systems[wanted as keyof typeof systems](hostsOf(config), config);
