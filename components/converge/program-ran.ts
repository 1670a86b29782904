import * as pulumi from "@pulumi/pulumi";

/** What the program has failed with, if it has. */
let failure: { reason: unknown } | undefined;
let watched = false;

/**
 * When the program has run as far as it goes without waiting for anything, so that all its plain arguments are checked.
 * Rejects with the program's own error, which is said once, if it has failed by then. What waits for this does not begin
 * for a program that is refused; the engine by itself begins with whatever comes before the error.
 */
export function programRan(): Promise<void> {
  if (!watched && pulumi.runtime.hasEngine()) {
    watched = true;
    for (const event of ["uncaughtException", "unhandledRejection"]) {
      process.on(event, (reason: unknown) => {
        failure ??= { reason };
      });
    }
  }
  return new Promise((resolve, reject) => {
    setImmediate(() => (failure ? reject(failure.reason) : resolve()));
  });
}
