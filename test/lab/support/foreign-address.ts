import { failure } from "./process";
import type { TestLab } from "./test-lab";

/** An address in the lab's network that no setting of the stack names. */
export const foreign = "10.9.9.9";

/** Does something while what goes to one address comes from a foreign one. */
export async function fromForeignAddress(lab: TestLab, to: string, attempt: () => Promise<void>): Promise<void> {
  const ip = async (...args: string[]) => {
    const result = await lab.exec(["ip", ...args]);
    if (result.code !== 0) throw new Error(failure("ip", args, result));
  };
  await ip("address", "add", `${foreign}/32`, "dev", "labbr0");
  try {
    await ip("route", "add", `${to}/32`, "dev", "labbr0", "src", foreign);
    await attempt();
  } finally {
    await ip("address", "delete", `${foreign}/32`, "dev", "labbr0"); // and with it the route
  }
}
