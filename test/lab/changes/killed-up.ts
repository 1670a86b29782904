import type { ChildProcessWithoutNullStreams } from "node:child_process";
import { pause, run } from "../support/process";
import type { Stack } from "../support/stack";

/** What is killed: Pulumi's engine; the plugin that has the connections to the hosts; all of the run, as by a power loss. */
export type Victim = "engine" | "plugin" | "all";

/** An `up` of which a part is killed. */
export class KilledUp {
  private readonly engine: ChildProcessWithoutNullStreams;
  private readonly ended: Promise<unknown>;

  constructor(stack: Stack) {
    this.engine = stack.beginUp();
    for (const stream of [this.engine.stdout, this.engine.stderr]) stream.resume();
    this.ended = new Promise((resolve) => this.engine.once("exit", resolve));
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
