import type { ChildProcessWithoutNullStreams } from "node:child_process";
import { join } from "node:path";
import { type Result, run } from "../support/process";
import { repository, type TestLab } from "../support/test-lab";

const stack = "dev";

/** Commands of the engine besides `up` and `preview`. */
export function pulumi(lab: TestLab, command: string, ...flags: string[]): Promise<Result> {
  return lab.exec(commandLine(lab, command, flags), { seconds: 400 });
}

/** What an operator does after a run was killed: ends its lock on the stack. */
export function unlock(lab: TestLab): Promise<Result> {
  return lab.exec(["pulumi", "--cwd", repository, "cancel", "--yes", "--stack", stack, "--non-interactive"]);
}

/** Operations of which the stack's state does not say how they ended. */
export async function pendingOperations(lab: TestLab): Promise<unknown[]> {
  const { stdout } = await lab.exec(["pulumi", "--cwd", repository, "stack", "export", "--stack", stack]);
  const { deployment } = JSON.parse(stdout) as { deployment: { pending_operations?: unknown[] } };
  return deployment.pending_operations ?? [];
}

/** An `up` that can be killed at once with everything that it has started. */
export class KillableUp {
  private readonly engine: ChildProcessWithoutNullStreams;
  private readonly ended: Promise<unknown>;

  constructor(lab: TestLab) {
    // The plugins have process groups of their own, and the session in common with the engine.
    const flags = ["--yes", "--skip-preview", "--suppress-progress"];
    this.engine = lab.begin(["setsid", ...commandLine(lab, "up", flags)]);
    for (const stream of [this.engine.stdout, this.engine.stderr]) stream.resume();
    this.ended = new Promise((resolve) => this.engine.once("exit", resolve));
  }

  /**
   * Kills the engine, the program and the plugins with SIGKILL.
   * @returns whether it was still going on
   */
  async kill(): Promise<boolean> {
    if (this.engine.exitCode !== null) return false;
    const session = String(this.engine.pid);
    const { stdout } = await run("ps", ["-o", "pid=", "--sid", session]);
    for (const pid of stdout.trim().split(/\s+/).map(Number)) {
      try {
        process.kill(pid, "SIGKILL");
      } catch {
        // it has ended meanwhile
      }
    }
    await this.ended;
    return this.engine.signalCode === "SIGKILL";
  }
}

function commandLine(lab: TestLab, command: string, flags: readonly string[]): string[] {
  const where = ["--stack", stack, "--config-file", join(lab.state, "Pulumi.test.yaml")];
  return ["pulumi", "--cwd", repository, command, ...flags, ...where, "--non-interactive", "--color", "never"];
}
