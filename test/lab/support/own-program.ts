import assert from "node:assert/strict";
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { parse, stringify } from "yaml";
import { knownHosts } from "../../../stacks/known-hosts";
import { PackedPackage } from "../../unit/packed";
import { failure, type Result } from "./process";
import { repository, type TestLab } from "./test-lab";

/** A copy of a program, outside of this repository, in a folder where the npm package is installed, with a stack. */
export class OwnProgram {
  readonly folder = mkdtempSync(join(tmpdir(), "hastack-program-"));
  /** The stack's name, and of the file with its settings. */
  readonly stack: string;
  readonly settingsFile: string;
  /** Folders where commands are looked for first. */
  readonly path: string[] = [];
  private packed: PackedPackage | undefined;

  /** @param source folder of this repository */
  constructor(
    readonly lab: TestLab,
    private readonly source: string,
  ) {
    this.stack = basename(source);
    this.settingsFile = `Pulumi.${this.stack}.yaml`;
  }

  get package(): PackedPackage {
    return this.packed ?? assert.fail(`${this.source} was not installed`);
  }

  async install(settings: Readonly<Record<string, unknown>>): Promise<void> {
    cpSync(join(repository, this.source), this.folder, { recursive: true });
    this.packed = new PackedPackage();
    this.packed.installInto(this.folder);
    const { name } = parse(readFileSync(join(this.folder, "Pulumi.yaml"), "utf8")) as { name: string };
    const config = Object.entries(settings).map(([key, value]) => [`${name}:${key}`, value]);
    writeFileSync(join(this.folder, this.settingsFile), stringify({ config: Object.fromEntries(config) }));
    await this.pulumi("stack", "select", "--create", this.stack);
  }

  exec(...command: string[]): Promise<Result> {
    const env = { PATH: [...this.path, process.env.PATH].join(":") };
    return this.lab.exec(["env", "-C", this.folder, ...command], { seconds: 900, env });
  }

  async run(...command: string[]): Promise<string> {
    const result = await this.exec(...command);
    if (result.code !== 0) throw new Error(failure(command[0] ?? "", command.slice(1), result));
    return result.stdout;
  }

  pulumi(...args: string[]): Promise<string> {
    return this.run("pulumi", ...args, "--non-interactive", "--color", "never");
  }

  up(): Promise<string> {
    return this.pulumi("up", "--yes", "--skip-preview", "--suppress-progress");
  }

  /** A preview that wants no change: its exit code, and all that it said. */
  async preview(): Promise<{ code: number; said: string }> {
    const { code, stdout, stderr } = await this.exec("pulumi", "preview", "--expect-no-changes", "--diff");
    return { code, said: stdout + stderr };
  }

  async outputs(): Promise<Record<string, unknown>> {
    return JSON.parse(await this.pulumi("stack", "output", "--json", "--show-secrets"));
  }

  dispose(): void {
    this.packed?.dispose();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** What a program has to know of a running lab. */
export function settingsOf(lab: TestLab) {
  const keys = knownHosts(lab.file("ssh/known_hosts"));
  return {
    privateKey: lab.file("ssh/id_ed25519"),
    hostKey: (address: string) => keys.get(address) ?? assert.fail(`the lab has no host ${address}`),
    apt: { uri: "http://192.168.1.1:8080/debian-12", suite: "./", key: lab.file("apt/archive-keyring.asc") },
  };
}
