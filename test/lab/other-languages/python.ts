import { writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { Example } from "../support/example";
import { repository } from "../support/test-lab";

/**
 * Makes an installed example ready to run: an SDK, and a virtual environment with it. It is what `pulumi package add` and
 * `pulumi install` do with the language hosts of an official CLI, by hand and without a network.
 */
export async function installPython(example: Example): Promise<void> {
  const plugin = example.package.pluginOnPath(example.folder);
  // The language host at hand runs the python3 on PATH, whatever Pulumi.yaml says of `virtualenv`.
  example.path.push(dirname(plugin), join(example.folder, "venv/bin"));

  writeFileSync(join(example.folder, "schema.json"), await example.pulumi("package", "get-schema", plugin));
  await example.run("generate-sdk", "schema.json", "sdks/hastack");

  await example.run("python3", "-m", "venv", "venv");
  const locked = join(repository, "lab/toolchain/python/requirements.txt");
  await pip(example, "--require-hashes", "--requirement", locked);
  await pip(example, "--no-build-isolation", "--requirement", "requirements.txt", "./sdks/hastack");
}

async function pip(example: Example, ...args: string[]): Promise<void> {
  const wheels = /^PYTHON_WHEELS=(.+)$/m.exec(example.ofLab("toolchain.env"))?.[1];
  if (!wheels) throw new Error("what Python needs was not installed: lab/toolchain/install --python");
  const offline = ["--quiet", "--disable-pip-version-check", "--no-index", "--find-links", wheels];
  await example.run("python3", "-m", "pip", "install", ...offline, ...args);
}
