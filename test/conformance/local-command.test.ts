import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { local } from "@pulumi/command";
import * as pulumi from "@pulumi/pulumi";
import { isEncrypted, TestStack } from "./stack";

describe("local", () => {
  let stack: TestStack;
  let dir: string;
  const file = (name: string) => join(dir, name);
  const content = (name: string) => readFileSync(file(name), "utf8");

  before(async () => {
    stack = await TestStack.create();
    dir = mkdtempSync(join(tmpdir(), "conformance-local-"));
    mkdirSync(file("assets/logos"), { recursive: true });
    mkdirSync(file("src"));
    for (const path of ["assets/logos/logo.svg", "src/index.js", "src/secret.js", "other"]) {
      writeFileSync(file(path), `content of ${path}`);
    }
  });
  after(async () => {
    await stack.dispose();
    rmSync(dir, { recursive: true });
  });

  describe("Command", () => {
    test("runs here, with its input, environment, directory and interpreter", async () => {
      const run = await stack.up(() => {
        const streams = new local.Command("streams", { create: "cat; echo err >&2", stdin: "in\nput" });
        const noStdin = new local.Command("no-stdin", { create: "cat; echo ended" });
        const secret = pulumi.secret("top-secret-stdin");
        const digest = new local.Command("secret", { create: "cat >secret", dir, stdin: secret, logging: "none" });
        const environment = { GREETING: 'he said "hi" $USER' };
        return {
          streams: [streams.stdout, streams.stderr],
          noStdin: noStdin.stdout,
          environment: new local.Command("environment", { create: 'echo "$GREETING $HOME"', environment }).stdout,
          dir: new local.Command("dir", { create: "pwd", dir }).stdout,
          interpreter: new local.Command("interpreter", { create: "print 6*7", interpreter: ["perl", "-e"] }).stdout,
          digest: digest.stdout,
        };
      });
      assert.deepEqual(run.outputs, {
        streams: ["in\nput", "err"],
        noStdin: "ended",
        environment: `he said "hi" $USER ${process.env.HOME}`,
        dir,
        interpreter: "42",
        digest: "",
      });
      assert.equal(content("secret"), "top-secret-stdin");
      const state = await stack.state();
      assert.doesNotMatch(state.text, /top-secret-stdin/);
      assert.ok(isEncrypted(state.resource("secret")?.outputs?.stdin));
    });

    test("collects assets and an archive by glob: the last rule that matches decides", async () => {
      const paths = ["assets/**", "src/**.js", "!**secret.*"];
      const run = await stack.up(() => {
        const made = new local.Command("files", { create: "true", dir, assetPaths: paths, archivePaths: paths });
        return { names: made.assets.apply((assets) => Object.keys(assets ?? {}).sort()) };
      });
      assert.deepEqual(run.outputs.names, ["assets/logos/logo.svg", "src/index.js"]);
      const archive = (await stack.state()).resource("files")?.outputs?.archive as { assets: object };
      assert.deepEqual(Object.keys(archive.assets).sort(), ["assets/logos/logo.svg", "src/index.js"]);
    });

    test("create, then update in place, then replacement by a trigger, then delete", async () => {
      const log = (event: string) => `echo ${event} >>${file("life")}`;
      const program = (stdin: string, trigger: number) => () => {
        const previous = 'echo "<$PULUMI_COMMAND_STDOUT>"';
        const own = { create: log("create"), update: `${log("update")}; ${previous}`, delete: log("delete") };
        new local.Command("no-update", { create: log("again"), stdin });
        return { out: new local.Command("life", { ...own, stdin, triggers: [trigger] }).stdout };
      };
      await stack.up(program("1", 1));
      assert.deepEqual(content("life").trim().split("\n").sort(), ["again", "create"]);
      rmSync(file("life"));

      const updated = await stack.up(program("2", 1));
      assert.deepEqual([updated.stepsOf("life"), updated.stepsOf("no-update")], [["update"], ["update"]]);
      assert.deepEqual(content("life").trim().split("\n").sort(), ["again", "update"]);
      rmSync(file("life"));

      const replaced = await stack.up(program("2", 2));
      assert.deepEqual(replaced.stepsOf("no-update"), ["same"]);
      assert.equal(content("life"), "create\ndelete\n");
      rmSync(file("life"));

      await stack.up(() => {});
      assert.equal(content("life"), "delete\n");
    });

    test("an exit status, a missing directory and a missing program are errors", async () => {
      const run = await stack.upFailing(() => {
        new local.Command("status", { create: "echo seen; exit 3" });
        new local.Command("no-dir", { create: "true", dir: file("missing") });
        new local.Command("no-program", { create: "true", interpreter: ["/no/such/interpreter"] });
      });
      assert.match(run.errorOf("status"), /exit status 3: running "echo seen; exit 3":\nseen/);
      assert.match(run.errorOf("no-dir"), /missing/);
      assert.match(run.errorOf("no-program"), /no\/such\/interpreter/);
      assert.equal((await stack.state()).resource("status"), undefined);
    });

    test("a cancelled run ends the command", async () => {
      const create = `echo $$ >${file("pid")}; exec sleep 600`;
      const program = join(__dirname, "cancelled-run.ts");
      const running = spawn(process.execPath, ["--import", "tsx", program, create], { stdio: "inherit" });
      const exited = new Promise((resolve) => running.once("exit", resolve));
      while (running.exitCode === null && !(existsSync(file("pid")) && content("pid"))) await pause(50);
      const pid = Number(content("pid"));
      running.kill("SIGTERM");
      assert.equal(await exited, 0, "the run did not end as a cancelled one");
      // Ends it, too, should it still run.
      assert.throws(() => process.kill(pid), /ESRCH/, "the command still runs");
    });
  });

  describe("run", () => {
    test("runs at every preview and update, and returns what it was given and what it printed", async () => {
      const program = async () => {
        const result = await local.run({
          command: `echo ran >>${file("runs")}; cat; echo "$V" >&2`,
          stdin: "in",
          environment: { V: "v" },
        });
        return { stdout: result.stdout, stderr: result.stderr, given: result.stdin };
      };
      const run = await stack.up(program);
      assert.deepEqual(run.outputs, { stdout: "in", stderr: "v", given: "in" });
      const once = content("runs").length;
      await stack.preview(program);
      assert.equal(content("runs").length, once + "ran\n".length);
    });

    test("its failure rejects", async () => {
      const run = await stack.up(async () => {
        const failure = local.run({ command: "echo seen; exit 4" });
        return { error: await failure.then(() => "it succeeded", String) };
      });
      assert.match(String(run.outputs.error), /exit status 4: running "echo seen; exit 4":\nseen/);
    });
  });
});
