import type { remote } from "@pulumi/command";
import type { Host } from "./host";

/**
 * Makes one resource for each host, each after the one before: a clustered service changes one host at a time.
 * All of them come after everything in `first`.
 */
export function inTurn(
  hosts: readonly Host[],
  first: readonly remote.Command[],
  make: (host: Host, dependsOn: remote.Command[]) => remote.Command,
): remote.Command[] {
  const made: remote.Command[] = [];
  for (const host of hosts) made.push(make(host, [...first, ...made.slice(-1)]));
  return made;
}
