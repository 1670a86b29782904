import assert from "node:assert/strict";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { remote } from "@pulumi/command";
import { asset } from "@pulumi/pulumi";
import { freePort, SshServer } from "./ssh-server";
import { isEncrypted, type Run, TestStack } from "./stack";

const BINARY = Buffer.from(Array.from({ length: 70_000 }, (_, i) => (i * 7) % 256));

describe("remote.CopyToRemote", () => {
  let server: SshServer;
  let stack: TestStack;
  let dir: string;
  const here = (path: string) => join(dir, "here", path);
  const there = (path: string) => join(dir, "there", path);
  const copy = (name: string, args: Pick<remote.CopyToRemoteArgs, "source" | "remotePath" | "triggers">) =>
    new remote.CopyToRemote(name, { connection: server.connection, ...args });

  before(async () => {
    server = await SshServer.start();
    stack = await TestStack.create();
    dir = mkdtempSync(join(tmpdir(), "conformance-copy-"));
    mkdirSync(here("tree/inner"), { recursive: true });
    mkdirSync(there("existing"), { recursive: true });
    writeFileSync(here("binary"), BINARY);
    writeFileSync(here("tree/a"), "a");
    writeFileSync(here("tree/inner/b"), "b");
    writeFileSync(there("overwritten"), "a longer text that was here before");
  });
  after(async () => {
    await stack.dispose();
    await server.stop();
    rmSync(dir, { recursive: true });
  });

  test("files, texts and directories go where the documentation says", async () => {
    await stack.up(() => {
      copy("text", { source: new asset.StringAsset("text, Кириллица"), remotePath: there("new/dirs/text") });
      copy("file", { source: new asset.FileAsset(here("binary")), remotePath: there("new/dirs/file") });
      copy("overwrite", { source: new asset.StringAsset("short"), remotePath: there("overwritten") });
      copy("into-directory", { source: new asset.FileAsset(here("binary")), remotePath: there("existing") });
      copy("directory", { source: new asset.FileArchive(here("tree")), remotePath: there("copy") });
      copy("contents", { source: new asset.FileArchive(`${here("tree")}/`), remotePath: there("contents") });
      new remote.CopyFile("deprecated", {
        connection: server.connection,
        localPath: here("binary"),
        remotePath: there("deprecated"),
      });
    });
    assert.equal(readFileSync(there("new/dirs/text"), "utf8"), "text, Кириллица");
    assert.deepEqual(readFileSync(there("new/dirs/file")), BINARY);
    assert.equal(readFileSync(there("overwritten"), "utf8"), "short");
    assert.deepEqual(readFileSync(there("existing/binary")), BINARY);
    assert.equal(readFileSync(there("copy/tree/inner/b"), "utf8"), "b");
    assert.equal(readFileSync(there("contents/inner/b"), "utf8"), "b");
    assert.deepEqual(readFileSync(there("deprecated")), BINARY);
    assert.ok(isEncrypted((await stack.state()).resource("file")?.outputs?.connection));
  });

  describe("changes", () => {
    const program = (text: string, more: { path?: string; trigger?: number; limit?: number } = {}) => {
      const connection = { ...server.connection, dialErrorLimit: more.limit ?? 1 };
      const source = new asset.StringAsset(text);
      new remote.CopyToRemote("copied", { connection, source, remotePath: there(more.path ?? "copied") });
      copy("triggered", { source: new asset.StringAsset("t"), remotePath: there("t"), triggers: [more.trigger ?? 1] });
    };
    before(() => stack.up(() => program("one")));

    test("new content is copied, in place", async () => {
      const run = await stack.up(() => program("two"));
      assert.deepEqual(run.stepsOf("copied"), ["update"]);
      assert.deepEqual(run.stepsOf("triggered"), ["same"]);
      assert.equal(readFileSync(there("copied"), "utf8"), "two");
    });

    test("a new path is copied to; the old file stays", async () => {
      await stack.up(() => program("two", { path: "elsewhere" }));
      assert.equal(readFileSync(there("elsewhere"), "utf8"), "two");
      assert.ok(existsSync(there("copied")));
    });

    test("a change of the connection alone copies nothing", async () => {
      writeFileSync(there("elsewhere"), "edited on the host");
      const run = await stack.up(() => program("two", { path: "elsewhere", limit: 2 }));
      assert.deepEqual(run.stepsOf("copied"), ["update"]);
      assert.equal(readFileSync(there("elsewhere"), "utf8"), "edited on the host");
    });

    test("a trigger replaces, which copies again", async () => {
      rmSync(there("t"));
      const run = await stack.up(() => program("two", { path: "elsewhere", limit: 2, trigger: 2 }));
      assert.deepEqual([...run.stepsOf("triggered")].sort(), ["create-replacement", "delete-replaced", "replace"]);
      assert.equal(readFileSync(there("t"), "utf8"), "t");
    });

    test("removal leaves the file", async () => {
      await stack.up(() => {});
      assert.ok(existsSync(there("t")));
    });
  });

  describe("failures", () => {
    let run: Run;
    before(async () => {
      const port = await freePort();
      const path = there("never");
      run = await stack.upFailing(() => {
        copy("text-into-directory", { source: new asset.StringAsset("x"), remotePath: there("existing") });
        copy("directory-onto-file", { source: new asset.FileArchive(here("tree")), remotePath: there("overwritten") });
        const connection = { ...server.connection, port };
        new remote.CopyToRemote("unreachable", { connection, source: new asset.StringAsset("x"), remotePath: path });
      });
    });

    test("text needs the path of a file", () => assert.match(run.errorOf("text-into-directory"), /is a directory/));
    test("a directory does not replace a file", () => assert.notEqual(run.errorOf("directory-onto-file"), ""));
    test("an unreachable host is an error", () => assert.match(run.errorOf("unreachable"), /refused/));
    test("a list of assets is refused before anything is copied", async () => {
      const source = new asset.AssetArchive({ a: new asset.StringAsset("a") });
      const preview = await stack.previewFailing(() => copy("assets", { source, remotePath: there("assets") }));
      assert.match(preview.text, /archive must be a path/);
    });
  });
});
