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
