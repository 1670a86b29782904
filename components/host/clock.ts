import * as pulumi from "@pulumi/pulumi";
import type { Host } from ".";
import { clockSkew, refuse } from "./preflight";

/** Resolves when the clocks of those hosts that could be asked agree; fails when they do not. */
export function clockSkewRefused(resource: string, hosts: readonly Host[]): pulumi.Output<unknown> {
  return pulumi.all(hosts.map((host) => host.answer)).apply((answers) => {
    const offsets: Record<string, number> = {};
    for (const [i, answer] of answers.entries()) {
      const host = hosts[i];
      if (host && answer.result) offsets[host.hostName] = answer.result.clockOffset;
    }
    const reason = clockSkew(offsets);
    return reason ? refuse(`${resource}: ${reason}`) : undefined;
  });
}
