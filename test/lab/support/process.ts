import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";

export interface Result {
  code: number;
  stdout: string;
  stderr: string;
}

export interface RunOptions {
  input?: string;
  env?: NodeJS.ProcessEnv;
  /** After so long the program is killed, and the test fails. */
  seconds?: number;
}

/** Runs a program to its end. */
export async function run(command: string, args: readonly string[], options: RunOptions = {}): Promise<Result> {
  const { input = "", env = {}, seconds = 60 } = options;
  const child = spawn(command, args, { env: { ...process.env, ...env } });
  child.stdin.on("error", () => undefined); // it may end before it has read all
  child.stdin.end(input);
  const timer = setTimeout(() => child.kill("SIGKILL"), seconds * 1000);
  const result = await collect(child);
  clearTimeout(timer);
  if (child.signalCode === "SIGKILL") throw new Error(`no end after ${seconds} s: ${failure(command, args, result)}`);
  return result;
}

/** What a program said that should have ended well. */
export function failure(command: string, args: readonly string[], { code, stdout, stderr }: Result): string {
  return `exit ${code}: ${[command, ...args].join(" ")}\n${stdout}${stderr}`;
}

function collect(child: ChildProcessWithoutNullStreams): Promise<Result> {
  const stdout: Buffer[] = [];
  const stderr: Buffer[] = [];
  child.stdout.on("data", (chunk: Buffer) => stdout.push(chunk));
  child.stderr.on("data", (chunk: Buffer) => stderr.push(chunk));
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code) =>
      resolve({ code: code ?? -1, stdout: Buffer.concat(stdout).toString(), stderr: Buffer.concat(stderr).toString() }),
    );
  });
}

/**
 * Asks again and again until there is an answer, i.e. neither undefined nor an exception.
 * @param what is awaited, e.g. "psql2 streams"
 */
export async function eventually<T>(what: string, seconds: number, ask: () => Promise<T | undefined>): Promise<T> {
  const deadline = performance.now() + seconds * 1000;
  let reason = "";
  while (performance.now() < deadline) {
    try {
      const answer = await ask();
      if (answer !== undefined) return answer;
    } catch (error) {
      reason = (error as Error).message;
    }
    await pause(0.25);
  }
  throw new Error(`not so after ${seconds} s: ${what}\n${reason}`);
}

export function pause(seconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, seconds * 1000));
}

/** For messages: 12.3. */
export function secondsSince(start: number): string {
  return ((performance.now() - start) / 1000).toFixed(1);
}
