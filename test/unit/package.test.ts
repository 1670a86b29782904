import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { cpSync, mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { PackedPackage, repository } from "./packed";

describe("the npm package", () => {
  let packed: PackedPackage;
  before(() => {
    packed = new PackedPackage();
  });
  after(() => packed.dispose());

  const tool = (name: string, args: readonly string[]) =>
    spawnSync(join(repository, "node_modules/.bin", name), args, {
      encoding: "utf8",
      env: { ...process.env, CI: "1" },
    });

  test("it holds what a program needs, and nothing else", () => {
    const files = packed.files();
    const expected = /^(package\.json|README\.md|LICENSE|dist\/.*(\.js|\.d\.ts|\.pl)|dist\/[a-z-]+\/host\/[a-z.-]+)$/;
    const plugin = ["PulumiPlugin.yaml", "package.json", "schema.json"].map((file) => `dist/plugin/${file}`);
    assert.deepEqual(
      files.filter((file) => !expected.test(file) && !plugin.includes(file)),
      [],
    );
    for (const file of [
      "dist/index.js",
      "dist/index.d.ts",
      "dist/cli/main.js",
      "dist/converge/agent/main.pl",
      ...plugin,
    ]) {
      assert.ok(files.includes(file), `${file} is missing`);
    }
    assert.deepEqual(
      files.filter((file) => /test|lab|stand-in|golden|build/.test(file)),
      [],
    );
  });

  test("publint finds nothing to better", () => {
    const { status, stdout, stderr } = tool("publint", ["run", packed.tarball, "--strict"]);
    assert.equal(status, 0, stdout + stderr);
    assert.match(stdout, /All good/);
  });

  test("are the types wrong? no, however it is imported", () => {
    const { status, stdout, stderr } = tool("attw", [packed.tarball, "--no-definitely-typed", "--no-color"]);
    assert.equal(status, 0, stdout + stderr);
    assert.match(stdout, /No problems found/);
  });

  test("installed from the tarball, it loads, and the example's types are right", () => {
    const folder = join(packed.folder, "example");
    cpSync(join(repository, "examples/program"), folder, { recursive: true });
    packed.installInto(folder);
    // With the program that runs on hosts, which is read when the library is loaded.
    const loads = 'console.log(typeof require("hastack").Host, require.resolve("hastack"))';
    const printed = execFileSync(process.execPath, ["-e", loads], { cwd: folder, encoding: "utf8" });
    assert.match(printed, /^function .*node_modules\/hastack\/dist\/index\.js$/m);
    const { status, stdout } = spawnSync(join(folder, "node_modules/.bin/tsc"), ["-p", "."], {
      cwd: folder,
      encoding: "utf8",
    });
    assert.equal(status, 0, stdout);
  });

  test("what is internal is not in the types", () => {
    const folder = join(packed.folder, "extracted");
    mkdirSync(folder);
    execFileSync("tar", ["--extract", "--file", packed.tarball, "--directory", folder]);
    const types = readFileSync(join(folder, "package/dist/host/index.d.ts"), "utf8");
    const host = types.slice(types.indexOf("export declare class Host"));
    assert.match(host, /readonly address:/);
    for (const internal of ["answer", "digestKey", "commandOptions"])
      assert.equal(host.includes(internal), false, internal);
  });
});
