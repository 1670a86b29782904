import { spawnSync } from "node:child_process";
import { Wrong } from "./wrong";

export interface EngineAnswer {
  /** Whether it succeeded. */
  well: boolean;
  stdout: string;
  stderr: string;
}

/** Runs the Pulumi CLI, which must be on PATH. */
export function engine(...args: readonly string[]): EngineAnswer {
  const { error, status, stdout, stderr } = spawnSync("pulumi", [...args, "--non-interactive"], {
    encoding: "utf8",
    maxBuffer: 1 << 28,
  });
  if (error) throw new Wrong(`pulumi cannot be started (${error.message}): install it, or add it to PATH`);
  return { well: status === 0, stdout, stderr: stderr.replace(/^error: /, "").trim() };
}
