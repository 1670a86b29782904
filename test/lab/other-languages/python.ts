import { writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { OwnProgram } from "../support/own-program";
import { repository } from "../support/test-lab";

/**
 * Makes an installed program in Python ready to run: an SDK, and a virtual environment with it. It is what `pulumi package
 * add` and `pulumi install` do with the language hosts of an official CLI, by hand and without a network.
 */
export async function installPython(program: OwnProgram): Promise<void> {
  const plugin = program.package.pluginOnPath(program.folder);
  // The language host at hand runs the python3 on PATH, whatever Pulumi.yaml says of `virtualenv`.
  program.path.push(dirname(plugin), join(program.folder, "venv/bin"));

  writeFileSync(join(program.folder, "schema.json"), await program.pulumi("package", "get-schema", plugin));
  await program.run("generate-sdk", "schema.json", "sdks/hastack");

  await program.run("python3", "-m", "venv", "venv");
  const locked = join(repository, "lab/toolchain/python/requirements.txt");
  await pip(program, "--require-hashes", "--requirement", locked);
  await pip(program, "--no-build-isolation", "--requirement", "requirements.txt", "./sdks/hastack");
}

async function pip(program: OwnProgram, ...args: string[]): Promise<void> {
  const wheels = /^PYTHON_WHEELS=(.+)$/m.exec(program.lab.file("toolchain.env"))?.[1];
  if (!wheels) throw new Error("what Python needs was not installed: lab/toolchain/install --python");
  const offline = ["--quiet", "--disable-pip-version-check", "--no-index", "--find-links", wheels];
  await program.run("python3", "-m", "pip", "install", ...offline, ...args);
}
