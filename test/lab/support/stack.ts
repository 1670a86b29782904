import type { ChildProcessWithoutNullStreams } from "node:child_process";
import { copyFileSync, existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parse, stringify } from "yaml";
import { failure, type Result, type RunOptions } from "./process";
import { repository, type TestLab } from "./test-lab";

/** A stack's settings, e.g. `{ "hastack:probe": "required", "hastack:postgres": { durability: "sync" } }`. */
export type Settings = Record<string, unknown>;

/** Something that a run did or would do to a resource. */
export interface Change {
  op: string;
  name: string;
}

interface StateResource {
  urn: string;
  inputs?: Record<string, unknown>;
  outputs?: Record<string, unknown>;
}

/** The stack's settings without its poolers: the database cluster alone. */
export const databasesOnly: Settings = {
  "hastack:pooler": undefined,
  "hastack:postgres": { clients: [{ network: "192.168.1.0/24" }] },
  "hastack:hosts": { proxy1: undefined, proxy2: undefined },
};

interface Deployment {
  resources: StateResource[];
  pending_operations?: unknown[];
}

const unattended = ["--yes", "--skip-preview", "--suppress-progress"];

/** A stack of the repository, run by the real engine in a test's lab with a copy of its settings. */
export class Stack {
  /** Everything that the engine printed in all runs, by command line. */
  readonly transcript: [string, string][] = [];
  /** The copy of its settings. */
  readonly file: string;

  constructor(
    private readonly lab: TestLab,
    private readonly changes: Settings = {},
    private readonly name = "postgres",
  ) {
    this.file = join(lab.state, "Pulumi.test.yaml");
  }

  /** A stack without resources, with the settings of the repository but for the changes; false if it is there already. */
  async init(): Promise<boolean> {
    if (!existsSync(this.file)) {
      copyFileSync(join(repository, `Pulumi.${this.name}.yaml`), this.file);
      this.configure(this.changes);
    }
    if (await this.exists()) return false;
    await this.must(["stack", "init", this.name]);
    return true;
  }

  /** Forgets the stack and all of its resources; the hosts are not touched. */
  async forget(): Promise<void> {
    await this.must(["stack", "rm", this.name, "--force", "--yes", "--preserve-config"]);
    rmSync(this.file);
  }

  private async exists(): Promise<boolean> {
    return (await this.pulumi(["stack", "ls", "--json"])).stdout.includes(`"${this.name}"`);
  }

  get settings(): Settings {
    return (parse(readFileSync(this.file, "utf8")) as { config: Settings }).config;
  }

  /**
   * Changes the copy of the settings: parts of an object one by one, and undefined takes one away.
   * @returns what restores the settings as they were before
   */
  configure(changes: Settings): () => void {
    const before = readFileSync(this.file, "utf8");
    const file = parse(before) as { config: Settings };
    merge(file.config, changes);
    writeFileSync(this.file, stringify(file));
    return () => writeFileSync(this.file, before);
  }

  /** Puts secret values into the copy of the settings, by path, e.g. `hastack:postgres.roles[0].password`. */
  async configureSecrets(values: Readonly<Record<string, string>>): Promise<void> {
    const pairs = Object.entries(values).flatMap(([path, value]) => ["--secret", `${path}=${value}`]);
    await this.must(["config", "set-all", "--path", ...pairs, "--stack", this.name, "--config-file", this.file]);
  }

  up(...flags: string[]): Promise<Result> {
    return this.run("up", [...unattended, ...flags]);
  }

  preview(...flags: string[]): Promise<Result> {
    return this.run("preview", flags);
  }

  /** A preview that has to find everything in order; what it finds else is in the error. */
  async unchanged(): Promise<void> {
    await this.succeeds(this.preview("--diff", "--expect-no-changes"));
  }

  /** A run that has to succeed; returns what it printed. */
  async succeeds(running: Promise<Result>): Promise<string> {
    const result = await running;
    if (result.code !== 0) throw new Error(failure("pulumi", [], result));
    return result.stdout + result.stderr;
  }

  /** A run that has to fail; returns what it printed. */
  async fails(running: Promise<Result>): Promise<string> {
    const result = await running;
    if (result.code === 0) throw new Error(`it succeeded, and should not:\n${result.stdout}`);
    return result.stdout + result.stderr;
  }

  /** An `up` that goes on while the test does something else. It leads a session of processes of its own. */
  beginUp(): ChildProcessWithoutNullStreams {
    return this.lab.begin(["setsid", "pulumi", "--cwd", repository, "up", ...unattended, ...this.where]);
  }

  /** Ends the lock that a killed run has left on the stack. */
  cancel(): Promise<Result> {
    return this.pulumi(["cancel", "--yes", "--stack", this.name]);
  }

  /** Forgets the creations of which a killed run could not note how they ended. */
  clearPendingCreates(): Promise<Result> {
    return this.run("refresh", [...unattended, "--clear-pending-creates"]);
  }

  private get where(): string[] {
    return ["--stack", this.name, "--config-file", this.file, "--non-interactive", "--color", "never"];
  }

  private run(command: string, flags: readonly string[], within: readonly string[] = []): Promise<Result> {
    return this.pulumi([command, ...flags, ...this.where], { seconds: 400 }, within);
  }

  /** All outputs with their secrets in clear; none before the first run that came to its end. */
  async outputs(): Promise<Record<string, unknown>> {
    const printed = await this.must(["stack", "output", "--json", "--show-secrets", "--stack", this.name]);
    return JSON.parse(printed) as Record<string, unknown>;
  }

  /** The state as an operator could export it, with all secrets in clear. Nothing of it belongs into a message. */
  async resources(): Promise<StateResource[]> {
    return (await this.deployment()).resources;
  }

  /** Operations of which the state does not say how they ended. */
  async pendingOperations(): Promise<unknown[]> {
    return (await this.deployment()).pending_operations ?? [];
  }

  private async deployment(): Promise<Deployment> {
    const { code, stdout } = await this.pulumi(["stack", "export", "--show-secrets", "--stack", this.name]);
    if (code !== 0) throw new Error(`pulumi stack export: exit ${code}`);
    return (JSON.parse(stdout) as { deployment: Deployment }).deployment;
  }

  destroy(): Promise<Result> {
    return this.run("destroy", unattended);
  }

  /** The same command in a network that is not the lab's, and where nothing can be reached by accident. */
  outside(command: string): Promise<Result> {
    return this.run(command, [], ["unshare", "--net", "sh", "-c", 'ip link set lo up && exec "$@"', "sh"]);
  }

  private async must(args: readonly string[]): Promise<string> {
    const result = await this.pulumi(args);
    if (result.code !== 0) throw new Error(failure("pulumi", args, result));
    return result.stdout;
  }

  private async pulumi(args: readonly string[], options?: RunOptions, within: readonly string[] = []): Promise<Result> {
    const result = await this.lab.exec([...within, "pulumi", "--cwd", repository, ...args], options);
    // What is asked for in clear is no leak.
    if (!args.includes("--show-secrets")) {
      this.transcript.push([`pulumi ${args.slice(0, 3).join(" ")}`, result.stdout + result.stderr]);
    }
    return result;
  }
}

/** The resources that a run changed or a preview would change, from the lines that it printed. */
export function changesIn(printed: string): Change[] {
  const lines = printed.matchAll(
    /^ *([~+-]{1,2}) +[\w:/-]+:\w+ (\S+) (create|created|update|updated|delete|deleted)\b/gm,
  );
  const ops: Record<string, string> = { "+": "create", "~": "update", "-": "delete" };
  const found = new Map<string, Change>();
  for (const [, sign = "", resource = ""] of lines) {
    found.set(resource, { op: ops[sign] ?? "replace", name: resource });
  }
  return [...found.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** Why a preview with `--diff` would touch a resource: what has drifted, by resource. */
export function driftIn(printed: string): Record<string, string> {
  const found: Record<string, string> = {};
  for (const step of printed.split("[urn=").slice(1)) {
    const drift = /=> ".*'drift:\w+ (.*)'"/.exec(step)?.[1];
    if (drift !== undefined) found[/::([^:\]]+)\]/.exec(step)?.[1] ?? "?"] = drift;
  }
  return found;
}

function merge(into: Settings, changes: Settings): void {
  for (const [key, value] of Object.entries(changes)) {
    const old = into[key];
    if (value === undefined) delete into[key];
    else if (isObject(old) && isObject(value)) merge(old, value);
    else into[key] = value;
  }
}

function isObject(value: unknown): value is Settings {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
