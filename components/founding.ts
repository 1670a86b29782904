import * as pulumi from "@pulumi/pulumi";
import type { Host } from "./host";

/** First word of the token of a host that is new to a group: where there is no group yet, and where there is one. */
export const foundWord = "found";
export const joinWord = "join";

/**
 * A host that is new founds the group only if none of its hosts has ever seen it whole; a host that cannot be asked may
 * have.
 * @param readyRole the unit that a host has when it has seen the group whole
 */
export function firstWord(hosts: readonly Host[], readyRole: string): pulumi.Output<string> {
  return pulumi
    .all(hosts.map((host) => host.answer))
    .apply((answers) => (answers.every(({ result }) => result && !result.units[readyRole]) ? foundWord : joinWord));
}
