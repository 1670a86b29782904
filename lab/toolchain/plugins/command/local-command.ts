/** local.Command, and local.run, which runs a command at every preview and update. */
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import type { Arguments } from "../shared/arguments";
import { failures } from "../shared/arguments";
import type { Operation } from "../shared/resource";
import type { Properties } from "../shared/values";
import { commandArguments, commandResource, previousOutput } from "./command-resource";
import { collected } from "./local-files";
import { CapturedOutput, type Logging } from "./output";

const localArguments: Arguments = {
  ...commandArguments,
  interpreter: { kind: { listOf: "string" } },
  dir: { kind: "string" },
  assetPaths: { kind: { listOf: "string" } },
  archivePaths: { kind: { listOf: "string" } },
};

export const localCommand = commandResource(localArguments, ["stdout", "stderr", "assets", "archive"], run);

export async function localRun(args: Properties, operation: Operation): Promise<Properties> {
  const { create: _c, update: _u, delete: _d, triggers: _t, ...runArguments } = localArguments;
  const [failure] = failures({ ...runArguments, command: { kind: "string", required: true } }, args);
  if (failure) throw new Error(`local.run: ${failure.reason}`);
  return { ...args, ...(await run(args.command as string, args, operation)) };
}

async function run(command: string, state: Properties, operation: Operation): Promise<Properties> {
  const interpreter = (state.interpreter as string[] | undefined) ?? [];
  const [program = "/bin/sh", ...options] = interpreter.length > 0 ? interpreter : ["/bin/sh", "-c"];
  const dir = (state.dir as string | undefined) ?? process.cwd();
  if (!existsSync(dir)) throw new Error(`chdir ${dir}: no such file or directory: running ${JSON.stringify(command)}`);

  const output = new CapturedOutput(operation.log, state.logging as Logging | undefined);
  const env = {
    ...process.env,
    ...(state.environment as Record<string, string> | undefined),
    ...previousOutput(state),
  };
  // A process group of its own, so that a cancelled command ends with all its children.
  const child = spawn(program, [...options, command], { cwd: dir, env, detached: true });
  child.stdout.on("data", (chunk: Buffer) => output.stdout.write(chunk));
  child.stderr.on("data", (chunk: Buffer) => output.stderr.write(chunk));
  // A command may end without reading its input; that is its own affair.
  child.stdin.on("error", () => {});
  child.stdin.end((state.stdin as string | undefined) ?? "");

  const failure = await ended(child, operation.signal);
  if (failure) throw output.failure(failure, command);
  return { ...output.outputs(), ...(await collected(dir, state)) };
}

/** Why the command failed; undefined if it did not. */
function ended(child: ReturnType<typeof spawn>, signal: AbortSignal): Promise<string | undefined> {
  return new Promise((resolve, reject) => {
    const abort = () => {
      if (child.pid !== undefined) killGroup(child.pid);
      reject(signal.reason);
    };
    if (signal.aborted) return abort();
    signal.addEventListener("abort", abort, { once: true });
    const finish = (failure: string | undefined) => {
      signal.removeEventListener("abort", abort);
      resolve(failure);
    };
    child.once("error", (error) => finish(error.message));
    child.once("close", (status, killedBy) => {
      if (status === 0) finish(undefined);
      else finish(killedBy ? `signal: ${killedBy}` : `exit status ${status}`);
    });
  });
}

function killGroup(pid: number): void {
  try {
    process.kill(-pid, "SIGKILL");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}
