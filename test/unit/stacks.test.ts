import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { knownHosts } from "../../stacks/known-hosts";
import { refuseOutsideLab } from "../../stacks/lab-guard";

describe("known_hosts", () => {
  const text = [
    "# comment",
    "psql1,192.168.1.130 ssh-ed25519 AAAA1 root@psql1",
    "192.168.1.130 ssh-rsa AAAA2",
    "[psql2]:2222 ssh-ed25519 AAAA3",
    "@revoked psql3 ssh-ed25519 AAAA4",
    "|1|hash|hash ssh-ed25519 AAAA5",
    "",
  ].join("\n");

  test("by name and by address, the first key of each", () => {
    const keys = knownHosts(text);
    assert.equal(keys.get("psql1"), "ssh-ed25519 AAAA1");
    assert.equal(keys.get("192.168.1.130"), "ssh-ed25519 AAAA1");
    assert.equal(keys.get("[psql2]:2222"), "ssh-ed25519 AAAA3");
  });

  test("a revoked key pins nothing", () => assert.equal(knownHosts(text).get("psql3"), undefined));
});

describe("the lab's stack outside of the lab", () => {
  test("is refused, and says what to do", () => {
    for (const namespace of ["", "no-such-namespace"]) {
      assert.throws(() => refuseOutsideLab("stack dev", namespace), /stack dev is the lab's.*lab\/lab exec -- pulumi/s);
    }
  });
});

test("only what the SDK notes on its promises is spared the look into source maps", () => {
  const own = Error.prepareStackTrace;
  try {
    Error.prepareStackTrace = () => "found";
    require("../../stacks/quick-errors");
    const { debuggablePromise } = require("@pulumi/pulumi/runtime/debuggable");
    const promise: Promise<void> & { _debugStackTrace?: string } = Promise.resolve();
    void debuggablePromise(promise, "test");
    assert.equal(promise._debugStackTrace, "Error");
    assert.equal(new Error("another").stack, "found");
  } finally {
    Error.prepareStackTrace = own;
  }
});
