import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { describe, test } from "node:test";
import { agentSource, agentVersion } from "../../components/converge/agent";
import { installation, unpack, versionInstalled } from "../../components/host/installation";

describe("the agent's source", () => {
  test("compiles, without a warning", () => {
    const perl = spawnSync("perl", ["-c", "-"], { input: agentSource(), encoding: "utf8" });
    assert.equal(perl.stderr, "- syntax OK\n");
    assert.equal(perl.status, 0);
  });

  test("uses no module beyond Debian's perl-base", () => {
    const inPerlBase = ["Fcntl", "IO::Handle", "POSIX", "Socket", "constant", "feature", "strict", "warnings"];
    const used = [...agentSource().matchAll(/^ *(?:use|require) ([\w:]+)/gm)].map((match) => match[1]);
    assert.ok(used.length > 5);
    assert.deepEqual(
      [...new Set(used)].filter((name) => name && !inPerlBase.includes(name)),
      [],
    );
  });

  test("knows its version, which changes with it", () => {
    assert.match(agentVersion, /^[0-9a-f]{12}$/);
    assert.ok(agentSource().includes(`VERSION   => '${agentVersion}'`));
    assert.ok(!agentSource().includes("@AGENT_VERSION@"));
  });

  test("answers --help to anybody, through a pipe as well", () => {
    const perl = spawnSync("perl", ["-", "--help"], { input: agentSource(), encoding: "utf8" });
    assert.match(perl.stdout, /^usage: converge COMMAND/);
    assert.equal(perl.status, 0);
  });

  test("is unpacked on the host as it is here, and not at all if it was cut short on its way", () => {
    const unpacked = (input: string) => spawnSync("sh", ["-c", unpack], { input, encoding: "utf8" });
    const whole = installation();
    assert.equal(unpacked(whole).stdout, agentSource());
    assert.equal(unpacked(whole).status, 0);
    for (const length of [0, 5, 12, 13, 14, 17, 1000, whole.length / 2, whole.length - 12]) {
      assert.notEqual(unpacked(whole.slice(0, length)).status, 0, `cut after ${length} characters`);
    }
  });

  test("says its version when packed, and has no time or machine in it", () => {
    assert.equal(versionInstalled(installation()), agentVersion);
    const header = Buffer.from(installation().split("\n")[1] ?? "", "base64").subarray(0, 10);
    assert.equal(header.toString("hex"), "1f8b0800000000000203", "the header of gzip: no name, no time, Unix");
  });
});
