import "./quick-errors";
import * as pulumi from "@pulumi/pulumi";
import { fault } from "../components/fault";
import { dev } from "./dev";
import { hostsOf } from "./environment";
import { redis } from "./redis";

/** The program of every stack: which system it makes is said by `hastack:system` in the stack's configuration. */
const systems = { dev, redis };

const config = new pulumi.Config("hastack");
const wanted = config.require("system");
if (!Object.hasOwn(systems, wanted)) {
  throw fault(
    `stack ${pulumi.getStack()}: hastack:system: ${JSON.stringify(wanted)}: give one of ${Object.keys(systems).join(", ")}`,
  );
}
const outputs = systems[wanted as keyof typeof systems](hostsOf(config), config);

export = outputs;
