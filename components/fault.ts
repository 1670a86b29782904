import * as pulumi from "@pulumi/pulumi";

/**
 * An error for whoever wrote the program or its configuration: the message says it all, and the engine prints it
 * without a stack. The stack is left out altogether, since Node 20 takes minutes to format one that leads through
 * the Pulumi SDK (util.inspect does not end on a path `node_modules/@scope/file`).
 */
export function fault(message: string): pulumi.RunError {
  const error = new pulumi.RunError(message);
  error.stack = `${error.name}: ${message}`;
  return error;
}
