import { type ChildProcessWithoutNullStreams, spawn, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { failure, type Result, type RunOptions, run } from "./process";

export const repository = resolve(__dirname, "../../..");
const labCommand = join(repository, "lab/lab");

/**
 * The lab of a suite. It gets a state directory of its own, so that a developer's lab is left alone, and is gone when
 * the suite ends, however it ends. For quick work on tests HASTACK_LAB_STATE names another state directory, whose lab
 * is used as it is, and with HASTACK_TEST_KEEP=1 the lab stays.
 */
export class TestLab {
  readonly state: string;
  private readonly temporary: boolean;
  private started = false;

  constructor() {
    const given = process.env.HASTACK_LAB_STATE;
    this.temporary = !given;
    this.state = given ? resolve(given) : mkdtempSync(join(tmpdir(), "hastack-lab-"));
  }

  /**
   * Starts it, unless it runs already.
   * @param toolchain arguments of `lab/toolchain/install`
   */
  async start(topology: string, ...toolchain: string[]): Promise<void> {
    for (const signal of ["SIGINT", "SIGTERM"] as const) {
      process.once(signal, () => {
        this.down();
        process.exit(1);
      });
    }
    await this.must(join(repository, "lab/toolchain/install"), toolchain, { seconds: 900 });
    this.started = (await run(labCommand, ["status"], this.options())).code !== 0;
    if (this.started) await this.lab(["up", topology], { seconds: 600 });
  }

  stop(): void {
    if (process.env.HASTACK_TEST_KEEP) {
      console.log(`The lab is kept; to use it: HASTACK_LAB_STATE=${this.state}, to end it: lab/lab down`);
    } else {
      this.down();
    }
  }

  /** The command `lab/lab`, which has to succeed; returns what it printed. */
  lab(args: readonly string[], options?: RunOptions): Promise<string> {
    return this.must(labCommand, args, options);
  }

  /** A program of this machine in the lab's network. */
  exec(command: readonly string[], options?: RunOptions): Promise<Result> {
    return run(labCommand, ["exec", "--", ...command], this.options(options));
  }

  /** The same for a program that talks with the test: it is the child itself, so signals reach it. */
  begin(command: readonly string[], env: NodeJS.ProcessEnv = {}): ChildProcessWithoutNullStreams {
    return spawn(labCommand, ["exec", "--", ...command], { env: { ...process.env, ...this.options({ env }).env } });
  }

  /** Shell text on a host as root, while the test goes on. */
  beginOn(host: string, script: string): ChildProcessWithoutNullStreams {
    return spawn(labCommand, ["ssh", host, script], { env: { ...process.env, HASTACK_LAB_STATE: this.state } });
  }

  /** What stands in a file of the running lab. */
  file(path: string): string {
    return readFileSync(join(this.state, path), "utf8");
  }

  private async must(command: string, args: readonly string[], options?: RunOptions): Promise<string> {
    const result = await run(command, args, this.options(options));
    if (result.code !== 0) throw new Error(failure(command, args, result));
    return result.stdout;
  }

  private options(options: RunOptions = {}): RunOptions {
    return { ...options, env: { ...options.env, HASTACK_LAB_STATE: this.state } };
  }

  /** Synchronous, for the end of the process may be near. */
  private down(): void {
    if (!this.started) return;
    const { status, stderr } = spawnSync(labCommand, ["down"], {
      env: { ...process.env, HASTACK_LAB_STATE: this.state },
    });
    if (status !== 0) throw new Error(`the lab could not be ended: ${stderr}`);
    if (this.temporary) rmSync(this.state, { recursive: true, force: true });
  }
}
