import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { remote, type types } from "@pulumi/command";
import * as pulumi from "@pulumi/pulumi";
import { SshServer } from "./ssh-server";
import { isEncrypted, type Run, TestStack } from "./stack";

type CommandArgs = Omit<remote.CommandArgs, "connection"> & { connection?: types.input.remote.ConnectionArgs };

/** Contents that a shell, a line-based reader or a text encoding would spoil. */
const AWKWARD = 'it\'s "quoted" \\ back\\slash $HOME `id` %s\n\ttab, Кириллица, 漢字, 🙂\r\n  no final newline';
const MIB = "0123456789abcde\n".repeat(65536);

describe("remote.Command", () => {
  let server: SshServer;
  let stack: TestStack;
  let dir: string;
  const file = (name: string) => join(dir, name);
  const content = (name: string) => readFileSync(file(name), "utf8");
  const command = (name: string, { connection, ...args }: CommandArgs) =>
    new remote.Command(name, { connection: { ...server.connection, ...connection }, ...args });

  before(async () => {
    server = await SshServer.start({ config: ["AcceptEnv GREETING PULUMI_COMMAND_STDOUT PULUMI_COMMAND_STDERR"] });
    stack = await TestStack.create();
    dir = mkdtempSync(join(tmpdir(), "conformance-remote-"));
  });
  after(async () => {
    await stack.dispose();
    await server.stop();
    rmSync(dir, { recursive: true });
  });

  describe("create", () => {
    let run: Run;
    const program = () => {
      const streams = command("streams", { create: "echo out; echo; echo err >&2; echo more" });
      const stdin = command("stdin", { create: `cat >${file("stdin")}`, stdin: AWKWARD });
      const echo = command("echo", { create: "cat", stdin: AWKWARD });
      const noStdin = command("no-stdin", { create: "cat; echo ended" });
      const secret = pulumi.secret("top-secret-stdin");
      command("secret", { create: `cat >${file("secret")}`, stdin: secret, logging: "none" });
      const big = command("big-stdin", { create: "sha256sum; echo done", stdin: MIB });
      const bigOut = command("big-stdout", { create: `yes 0123456789abcde | head -n 65536`, logging: "none" });
      const environment = command("environment", { create: 'echo "$GREETING"', environment: { GREETING: AWKWARD } });
      const nothing = command("nothing", { delete: "true" });
      return {
        stdout: streams.stdout,
        stderr: streams.stderr,
        echoed: echo.stdout,
        stdin: stdin.stdin,
        noStdin: noStdin.stdout,
        bigStdin: big.stdout,
        bigStdout: bigOut.stdout.apply((text) => [text.length, sha256(`${text}\n`)]),
        environment: environment.stdout,
        nothing: pulumi.all([nothing.stdout, nothing.stderr]),
      };
    };

    before(async () => {
      run = await stack.up(program);
    });

    test("a preview runs nothing and knows no output", async () => {
      const preview = await stack.preview(() => {
        const first = command("first", { create: `echo ran >${file("preview")}; echo text` });
        // Its command line and input are unknown until the first has run.
        command("second", { create: pulumi.interpolate`echo ${first.stdout}`, stdin: first.stdout });
        command("third", { create: "true", connection: { host: first.stdout as unknown as string } });
      });
      assert.deepEqual(
        ["first", "second", "third"].map((name) => preview.stepsOf(name)),
        [["create"], ["create"], ["create"]],
      );
      assert.equal(existsSync(file("preview")), false);
    });

    test("stdout and stderr are kept apart, without the last newline", () => {
      assert.equal(run.outputs.stdout, "out\n\nmore");
      assert.equal(run.outputs.stderr, "err");
    });

    test("lines are shown as they come, and none with logging: none", () => {
      assert.match(run.messagesOf("streams"), /out/);
      assert.match(run.messagesOf("streams"), /err/);
      assert.doesNotMatch(run.messagesOf("big-stdout"), /0123456789abcde/);
    });

    test("stdin arrives byte for byte, and is an output", () => {
      assert.equal(content("stdin"), AWKWARD);
      assert.equal(run.outputs.echoed, AWKWARD);
      assert.equal(run.outputs.stdin, AWKWARD);
    });

    test("without stdin the command reads an end of file", () => {
      assert.equal(run.outputs.noStdin, "ended");
    });

    test("a secret stdin reaches the host and lies encrypted in state", async () => {
      assert.equal(content("secret"), "top-secret-stdin");
      const state = await stack.state();
      assert.doesNotMatch(state.text, /top-secret-stdin/);
      assert.ok(isEncrypted(state.resource("secret")?.inputs?.stdin));
      assert.ok(isEncrypted(state.resource("secret")?.outputs?.stdin));
      assert.doesNotMatch(run.text, /top-secret-stdin/);
    });

    test("the connection, which holds a private key, lies encrypted in state", async () => {
      const resource = (await stack.state()).resource("streams");
      assert.ok(isEncrypted(resource?.inputs?.connection));
      assert.ok(isEncrypted(resource?.outputs?.connection));
    });

    test("1 MiB of stdin arrives whole", () => {
      assert.equal(MIB.length, 1 << 20);
      assert.equal(run.outputs.bigStdin, `${sha256(MIB)}  -\ndone`);
    });

    test("1 MiB of stdout comes back whole", () => {
      assert.deepEqual(run.outputs.bigStdout, [MIB.length - 1, sha256(MIB)]);
    });

    test("environment reaches a server that accepts it", () => {
      assert.equal(run.outputs.environment, AWKWARD);
    });

    test("without create nothing runs", () => {
      assert.deepEqual(run.outputs.nothing, ["", ""]);
    });

    test("an unchanged program changes nothing", async () => {
      const again = await stack.preview(program);
      for (const name of ["streams", "stdin", "secret", "big-stdin", "environment", "nothing"]) {
        assert.deepEqual(again.stepsOf(name), ["same"], name);
      }
    });
  });

  describe("update, replacement and delete", () => {
    const log = (event: string) => `echo ${event} >>${file("life")}`;
    const life = (name: string, args: CommandArgs = {}) =>
      command(name, {
        create: log(`${name}-create`),
        update: log(`${name}-update`),
        delete: log(`${name}-delete`),
        ...args,
      });
    let run: Run;
    let events: string[];

    before(async () => {
      await stack.up(() => {
        life("updated", { stdin: "1" });
        command("no-update", { create: log("no-update-create"), stdin: "1" });
        life("logging");
        life("triggered", { triggers: ["a", { b: [1] }] });
        life("untouched");
        life("removed");
        command("output", { create: "echo first; echo fault >&2" });
        command("output-unset", { create: "echo first", addPreviousOutputInEnv: false });
      });
      rmSync(file("life"));
      run = await stack.up(() => {
        life("updated", { stdin: "2" });
        command("no-update", { create: log("no-update-create"), stdin: "2" });
        life("logging", { logging: "stderr" });
        life("triggered", { triggers: ["a", { b: [2] }] });
        life("untouched");
        const previous = 'echo "<$PULUMI_COMMAND_STDOUT><$PULUMI_COMMAND_STDERR>"';
        const output = command("output", { create: "echo first; echo fault >&2", update: previous });
        const unset = command("output-unset", {
          create: "echo first",
          update: previous,
          addPreviousOutputInEnv: false,
        });
        return { output: output.stdout, outputUnset: unset.stdout };
      });
      events = content("life").trim().split("\n");
    });
    const eventsOf = (name: string) => events.filter((event) => event.startsWith(`${name}-`));

    test("a changed input runs update, in place", () => {
      assert.deepEqual(run.stepsOf("updated"), ["update"]);
      assert.deepEqual(run.diffOf("updated"), ["stdin"]);
      assert.deepEqual(eventsOf("updated"), ["updated-update"]);
    });

    test("where update is absent, create runs again, in place", () => {
      assert.deepEqual(run.stepsOf("no-update"), ["update"]);
      assert.deepEqual(eventsOf("no-update"), ["no-update-create"]);
    });

    test("a change of any other input runs update, too", () => {
      assert.deepEqual(run.stepsOf("logging"), ["update"]);
      assert.deepEqual(run.diffOf("logging"), ["logging"]);
      assert.deepEqual(eventsOf("logging"), ["logging-update"]);
    });

    test("a changed trigger replaces: create of the new, then delete of the old", () => {
      assert.deepEqual([...run.stepsOf("triggered")].sort(), ["create-replacement", "delete-replaced", "replace"]);
      assert.match(run.diffOf("triggered").join(), /^triggers/);
      assert.deepEqual(eventsOf("triggered"), ["triggered-create", "triggered-delete"]);
    });

    test("an untouched resource runs nothing", () => {
      assert.deepEqual(run.stepsOf("untouched"), ["same"]);
      assert.deepEqual(eventsOf("untouched"), []);
    });

    test("a removed resource runs delete, once", () => {
      assert.deepEqual(run.stepsOf("removed"), ["delete"]);
      assert.deepEqual(eventsOf("removed"), ["removed-delete"]);
    });

    test("an update sees the previous output in its environment, unless told not to", () => {
      assert.equal(run.outputs.output, "<first><fault>");
      assert.equal(run.outputs.outputUnset, "<><>");
    });
  });

  describe("failing commands", () => {
    test("an exit status, a signal and the output are in the error, and the resource is not in state", async () => {
      const run = await stack.upFailing(() => {
        command("status", { create: "echo to-stdout; echo to-stderr >&2; exit 3" });
        command("signal", { create: "kill -TERM $$" });
        command("missing", { create: "no-such-program" });
      });
      assert.match(run.errorOf("status"), /exited with status 3: running "echo to-stdout/);
      assert.match(run.errorOf("status"), /^to-stdout$/m);
      assert.match(run.errorOf("status"), /^to-stderr$/m);
      assert.match(run.errorOf("signal"), /status 143 from signal TERM/);
      assert.match(run.errorOf("missing"), /status 127/);
      const state = await stack.state();
      for (const name of ["status", "signal", "missing"]) assert.equal(state.resource(name), undefined, name);
    });

    test("a failed update keeps the old state and is tried again", async () => {
      const update = `test -e ${file("permit")} && echo second`;
      await stack.up(() => command("retried", { create: "echo first", stdin: "1" }));
      const changed = () => ({ out: command("retried", { create: "echo first", update, stdin: "2" }).stdout });
      await stack.upFailing(changed);
      const kept = (await stack.state()).resource("retried");
      assert.equal(kept?.inputs?.stdin, "1");
      assert.equal(kept?.outputs?.stdout, "first");
      execFileSync("touch", [file("permit")]);
      const run = await stack.up(changed);
      assert.deepEqual(run.stepsOf("retried"), ["update"]);
      assert.equal(run.outputs.out, "second");
    });

    test("a failed delete keeps the resource in state", async () => {
      const removable = `test -e ${file("removable")}`;
      await stack.up(() => command("sticky", { delete: removable }));
      const run = await stack.upFailing(() => {});
      assert.match(run.errorOf("sticky"), /status 1/);
      assert.ok((await stack.state()).resource("sticky"));
      execFileSync("touch", [file("removable")]);
      await stack.up(() => {});
      assert.equal((await stack.state()).resource("sticky"), undefined);
    });
  });
});

function sha256(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}
