import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { describe, test } from "node:test";
import { agentSource, agentVersion } from "../../components/converge/agent";

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
});
