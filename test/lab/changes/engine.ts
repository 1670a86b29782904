import { join } from "node:path";
import type { Result } from "../support/process";
import { repository, type TestLab } from "../support/test-lab";

const stack = "dev";

/** Commands of the engine besides `up` and `preview`. */
export function pulumi(lab: TestLab, command: string, ...flags: string[]): Promise<Result> {
  return lab.exec(commandLine(lab, command, flags), { seconds: 400 });
}

function commandLine(lab: TestLab, command: string, flags: readonly string[]): string[] {
  const where = ["--stack", stack, "--config-file", join(lab.state, "Pulumi.test.yaml")];
  return ["pulumi", "--cwd", repository, command, ...flags, ...where, "--non-interactive", "--color", "never"];
}
