import type { StackValidationPolicy } from "@pulumi/policy";
import { type Seen, unitOf } from "./commands";

/** An even number survives no more failures than one less, and a tie stops it. */
export const quorumIsOdd: StackValidationPolicy = {
  name: "quorum-is-odd",
  description: "A quorum of etcd has an odd number of members.",
  validateStack: ({ resources }, report) => {
    const members = new Map<string, string[]>();
    for (const resource of resources) {
      const unit = unitOf(resource as Seen);
      if (unit?.role !== "etcd") continue;
      const quorum = resource.parent?.urn ?? "";
      members.set(quorum, [...(members.get(quorum) ?? []), unit.host]);
    }
    for (const [quorum, hosts] of members) {
      if (hosts.length % 2 === 1) continue;
      report(`etcd has ${hosts.length} members, ${hosts.sort().join(", ")}: give 1, 3, 5 or 7`, quorum);
    }
  },
};
