import { inspect } from "node:util";

/**
 * An error is shown by its own stack. Without this, Node 20 takes a minute and 4 GB to report an error whose stack
 * leads through the Pulumi SDK: there util.inspect does not end on a path `node_modules/@scope/file`.
 */
Object.defineProperty(Error.prototype, inspect.custom, {
  value(this: Error) {
    return this.stack ?? String(this);
  },
  configurable: true,
  writable: true,
});

/**
 * The Pulumi SDK notes on each of its promises where it was made, and reads that only when it is told to look for leaks.
 * A resource has some fifty of them, and ts-node finds every line of every such stack in a source map.
 */
const found = Error.prepareStackTrace;
if (found && !process.env.PULUMI_DEBUG_PROMISE_LEAKS) {
  Error.prepareStackTrace = (error, frames) =>
    frames[0]?.getFunctionName() === "debuggablePromise" ? String(error) : found(error, frames);
}
