/** A throw-away stack whose program is a function, and what a run of it did to each resource. */
import assert from "node:assert/strict";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type EngineEvent, LocalWorkspace, type OutputMap, type Stack } from "@pulumi/pulumi/automation";

/** Creates resources and returns the outputs to look at, if any. */
export type Program = () => unknown;

interface StateResource {
  urn: string;
  id?: string;
  inputs?: Record<string, unknown>;
  outputs?: Record<string, unknown>;
}

export class Run {
  readonly outputs: Record<string, unknown> = {};
  private readonly steps = new Map<string, string[]>();
  private readonly inputs = new Map<string, Record<string, unknown>>();
  private readonly guarded = new Set<string>();
  private readonly diffs = new Map<string, string[]>();
  private readonly messages = new Map<string, string[]>();
  /** Everything the CLI printed. */
  text = "";
  failed = false;

  record({ resourcePreEvent, diagnosticEvent }: EngineEvent): void {
    if (resourcePreEvent) {
      const { urn, op, detailedDiff, new: wanted } = resourcePreEvent.metadata;
      if (wanted) this.inputs.set(nameOf(urn), wanted.inputs);
      if (wanted?.protect) this.guarded.add(nameOf(urn));
      append(this.steps, nameOf(urn), op);
      append(this.diffs, nameOf(urn), ...Object.keys(detailedDiff ?? {}));
    }
    if (diagnosticEvent) {
      const { urn = "", severity, message } = diagnosticEvent;
      append(this.messages, nameOf(urn), `${severity}: ${message.replace(/<\{%[^%]*%\}>/g, "")}`);
    }
  }

  /** The names of all resources that were looked at. */
  resources(): string[] {
    return [...this.steps.keys()].sort();
  }

  /** The names of the resources that Pulumi would refuse to delete. */
  protectedResources(): string[] {
    return [...this.guarded].sort();
  }

  /** What happened to the resource, e.g. `["create"]`; a replacement is three steps. */
  stepsOf(name: string): string[] {
    return this.steps.get(name) ?? [];
  }

  inputOf(name: string, property: string): unknown {
    return this.inputs.get(name)?.[property];
  }

  /** The paths of the properties that were found to differ. */
  diffOf(name: string): string[] {
    return [...new Set(this.diffs.get(name))].sort();
  }

  /** Errors, warnings and status lines beside the resource. */
  messagesOf(name: string): string {
    return (this.messages.get(name) ?? []).join("\n");
  }

  errorOf(name: string): string {
    return (this.messages.get(name) ?? []).filter((message) => message.startsWith("error:")).join("\n");
  }
}

function append(map: Map<string, string[]>, key: string, ...values: string[]): void {
  map.set(key, [...(map.get(key) ?? []), ...values]);
}

function nameOf(urn: string): string {
  return urn.split("::").slice(3).join("::");
}

export class TestStack {
  private constructor(
    private readonly stack: Stack,
    private readonly home: string,
  ) {}

  static async create(): Promise<TestStack> {
    const home = await mkdtemp(join(tmpdir(), "conformance-"));
    const stack = await LocalWorkspace.createStack(
      { projectName: "conformance", stackName: "test", program: async () => {} },
      {
        workDir: home,
        secretsProvider: "passphrase",
        projectSettings: { name: "conformance", runtime: "nodejs", backend: { url: `file://${home}` } },
        envVars: { PULUMI_CONFIG_PASSPHRASE: "conformance", PULUMI_SKIP_UPDATE_CHECK: "1", SSH_AUTH_SOCK: "" },
      },
    );
    return new TestStack(stack, home);
  }

  /** Expects the run to succeed. */
  async up(program: Program, options: { signal?: AbortSignal } = {}): Promise<Run> {
    const run = await this.run(program, "up", options);
    assert.equal(run.failed, false, `pulumi up failed:\n${run.text}`);
    return run;
  }

  /** Expects the run to fail; resources that do not depend on a failed one are still worked on. */
  async upFailing(program: Program, options: { signal?: AbortSignal } = {}): Promise<Run> {
    const run = await this.run(program, "up", options);
    assert.equal(run.failed, true, `pulumi up succeeded, but was to fail:\n${run.text}`);
    return run;
  }

  async preview(program: Program, options: { policyPacks?: string[] } = {}): Promise<Run> {
    const run = await this.run(program, "preview", options);
    assert.equal(run.failed, false, `pulumi preview failed:\n${run.text}`);
    return run;
  }

  async previewFailing(program: Program, options: { policyPacks?: string[] } = {}): Promise<Run> {
    const run = await this.run(program, "preview", options);
    assert.equal(run.failed, true, `pulumi preview succeeded, but was to fail:\n${run.text}`);
    return run;
  }

  async refresh(): Promise<void> {
    await this.stack.refresh();
  }

  /** The state as it lies on disk, secrets encrypted (`pulumi stack export` would decrypt them here). */
  async state(): Promise<{ text: string; resource(name: string): StateResource | undefined }> {
    const text = await readFile(join(this.home, ".pulumi/stacks/conformance/test.json"), "utf8");
    const resources = (JSON.parse(text).checkpoint.latest.resources ?? []) as StateResource[];
    return { text, resource: (name) => resources.find(({ urn }) => nameOf(urn) === name) };
  }

  async dispose(): Promise<void> {
    await this.stack.destroy().catch(() => {});
    await rm(this.home, { recursive: true, force: true });
  }

  private async run(
    program: Program,
    kind: "up" | "preview",
    options: { signal?: AbortSignal; policyPacks?: string[] },
  ): Promise<Run> {
    const run = new Run();
    const shared = {
      program: async () => ((await program()) ?? {}) as Record<string, unknown>,
      onEvent: (event: EngineEvent) => run.record(event),
      onOutput: (text: string) => {
        run.text += text;
      },
      ...options,
    };
    try {
      if (kind === "preview") await this.stack.preview(shared);
      else Object.assign(run.outputs, plain((await this.stack.up({ ...shared, continueOnError: true })).outputs));
    } catch (error) {
      run.failed = true;
      run.text += String(error);
    }
    return run;
  }
}

function plain(outputs: OutputMap): Record<string, unknown> {
  return Object.fromEntries(Object.entries(outputs).map(([name, { value }]) => [name, value]));
}

const ENCRYPTED = "4dabf18193072939515e22adb298388d";

/** Whether state holds the value only in encrypted form. */
export function isEncrypted(value: unknown): boolean {
  return typeof value === "object" && value !== null && ENCRYPTED in value && "ciphertext" in value;
}
