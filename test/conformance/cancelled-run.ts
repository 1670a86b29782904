/**
 * Started by a test as a process of its own: runs `pulumi up` of a command that does not end, and cancels it on SIGTERM.
 * In the test's own process the program's promises, which a cancelled run leaves rejected, would count as its failure.
 */
import { local } from "@pulumi/command";
import { TestStack } from "./stack";

async function main(create: string): Promise<void> {
  const controller = new AbortController();
  process.on("SIGTERM", () => controller.abort());
  process.on("unhandledRejection", () => {});
  const stack = await TestStack.create();
  try {
    await stack.upFailing(() => new local.Command("endless", { create }), { signal: controller.signal });
  } finally {
    await stack.dispose();
  }
}

main(process.argv[2] ?? "").then(
  () => process.exit(0),
  (error) => {
    console.error(error);
    process.exit(1);
  },
);
