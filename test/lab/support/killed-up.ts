import assert from "node:assert/strict";
import type { ChildProcessWithoutNullStreams } from "node:child_process";
import { createHash } from "node:crypto";
import { eventually, pause, run } from "./process";
import type { Stack } from "./stack";

/** What is killed: Pulumi's engine; the plugin that has the connections to the hosts; all of the run, as by a power loss. */
export type Victim = "engine" | "plugin" | "all";

/** An `up` of which a part is killed. */
export class KilledUp {
  private readonly engine: ChildProcessWithoutNullStreams;
  private readonly ended: Promise<unknown>;
  private printed = "";

  constructor(stack: Stack) {
    this.engine = stack.beginUp();
    for (const stream of [this.engine.stdout, this.engine.stderr]) {
      stream.on("data", (chunk: Buffer) => {
        this.printed += chunk.toString();
      });
    }
    this.ended = new Promise((resolve) => this.engine.once("exit", resolve));
  }

  /** Waits until the engine says that it does something. */
  async reaches(what: RegExp, seconds: number): Promise<void> {
    const ended = () => this.engine.exitCode !== null;
    await eventually(`the run says ${what}`, seconds, async () => what.test(this.printed) || ended() || undefined);
    assert.match(this.printed, what);
  }

  /**
   * Kills the victim with SIGKILL, as soon as there is one, and waits for the end of the engine.
   * @returns whether it cut the run short
   */
  async kill(victim: Victim): Promise<boolean> {
    const isVictim = {
      engine: ({ pid }: Process) => pid === this.engine.pid,
      plugin: ({ line }: Process) => line.includes("pulumi-resource-command"),
      all: () => true,
    }[victim];
    let victims: Process[] = [];
    // The plugin is not there from the very beginning.
    while (this.engine.exitCode === null && victims.length === 0) {
      await pause(0.1);
      victims = (await this.processes()).filter(isVictim);
    }
    kill(victims);
    await this.ended;
    return victims.length > 0 && this.engine.exitCode !== 0;
  }

  /** Ends what outlives the engine. */
  async clear(): Promise<void> {
    kill(await this.processes());
  }

  /** All processes of the run: plugins have process groups of their own, and the session in common with the engine. */
  private async processes(): Promise<Process[]> {
    const { stdout } = await run("ps", ["-ww", "-o", "pid=,args=", "--sid", String(this.engine.pid)]);
    return [...stdout.matchAll(/^ *(\d+) (.*)$/gm)].map(([, pid, line = ""]) => ({ pid: Number(pid), line }));
  }
}

interface Process {
  pid: number;
  line: string;
}

function kill(processes: readonly Process[]): void {
  for (const { pid } of processes) {
    try {
      process.kill(pid, "SIGKILL");
    } catch {
      // it has ended meanwhile
    }
  }
}

/** What docs/operations.md says about a stack whose run was killed, and nothing else; what it took. */
export async function finish(stack: Stack): Promise<string[]> {
  const took: string[] = [];
  let result = await stack.up();
  if (/the stack is currently locked/.test(result.stdout + result.stderr)) {
    took.push("pulumi cancel");
    await stack.succeeds(stack.cancel());
    result = await stack.up();
  }
  const printed = await stack.succeeds(Promise.resolve(result));
  if (/with \d+ pending operations/.test(printed)) {
    took.push("pulumi refresh --clear-pending-creates");
    await stack.succeeds(stack.clearPendingCreates());
  }
  assert.deepEqual(await stack.pendingOperations(), []);
  return took;
}

/** Between 0 and 1, and the same for the same seed. */
export function chance(seed: string, round: number): number {
  return createHash("sha256").update(`${seed} ${round}`).digest().readUInt32BE() / 2 ** 32;
}
