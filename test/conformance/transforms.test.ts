/** Pulumi's own escape hatches reach the children of a component. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import type * as pulumi from "@pulumi/pulumi";
import * as api from "../../components";
import { key } from "../unit/mocks";
import { TestStack } from "./stack";

describe("a component's options", () => {
  let stack: TestStack;
  before(async () => {
    stack = await TestStack.create();
  });
  after(() => stack.dispose());

  /** One host, of which nothing is asked. */
  const host = (opts: pulumi.ComponentResourceOptions) => {
    const connection = { host: "192.168.1.10", hostKey: key };
    return new api.Host("box", { address: "192.168.1.10", connection, probe: "off" }, opts);
  };

  test("`transforms` change every child, and leave the component's own options of it in force", async () => {
    const seen: Record<string, string[]> = {};
    const run = await stack.preview(() => {
      host({
        transforms: [
          ({ name, type, props, opts }) => {
            seen[name] = (opts as pulumi.CustomResourceOptions).ignoreChanges ?? [];
            if (type !== "command:remote:Command") return undefined;
            return { props: { ...props, stdin: "# transformed\nend\n" }, opts };
          },
        ],
      });
    });
    assert.deepEqual(Object.keys(seen).sort(), ["box", "box-agent", "box-base", "box-digest-key"]);
    assert.deepEqual(seen["box-base"], ["create"], "an unknown token must stay ignored");
    assert.equal(run.inputOf("box-base", "stdin"), "# transformed\nend\n");
  });
});
