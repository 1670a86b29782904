import type { HostFacts } from "../converge/probe";
import { fault } from "../fault";
import type { ResolvedHost } from "./args";

/** Systems that the packages and their configuration were proved on. */
const supported: Record<string, readonly string[]> = { debian: ["12", "13"], astra: ["1.7", "1.8"] };

const leastMemoryMiB = 480;
const leastFreeMiB = 1024;
/** TLS and logs need clocks that agree; more than this is a broken or missing time service. */
const mostClockSkewSeconds = 5;

/** Why a host cannot take part, in the words of its operator; empty when it can. */
export function unsuitable(host: Pick<ResolvedHost, "address">, facts: HostFacts): string[] {
  return Object.values(shortcomings(host, facts));
}

/** The same, by what it is about. */
export function shortcomings(host: Pick<ResolvedHost, "address">, facts: HostFacts): Record<string, string> {
  const reasons: Record<string, string> = {};
  const versions = supported[facts.os.id];
  if (!versions?.some((version) => facts.os.version_id.startsWith(version))) {
    const known = Object.entries(supported).map(([id, list]) => `${id} ${list.join(" or ")}`);
    reasons.system = `it runs ${facts.os.pretty}; supported are ${known.join(", ")}`;
  }
  if (facts.memory_mib < leastMemoryMiB) {
    reasons.memory = `it has ${facts.memory_mib} MiB of memory; give it ${leastMemoryMiB} at least`;
  }
  for (const disk of facts.disks) {
    if (disk.mount === "/" && disk.free_mib < leastFreeMiB) {
      reasons.disk = `only ${disk.free_mib} MiB are free on /; free ${leastFreeMiB} at least`;
    }
  }
  if (!facts.addresses.some((address) => address.split("/")[0] === host.address)) {
    reasons.address = `none of its interfaces has the address ${host.address} (they have ${facts.addresses.join(", ")})`;
  }
  return reasons;
}

/**
 * Ends the program with one message. The promise stays open, so that what waits for it is never made: were it to
 * fail, every resource that depends on it would report the same failure again.
 */
export function refuse(message: string): Promise<never> {
  void Promise.reject(fault(message));
  return new Promise(() => {});
}

/** Why the clocks of a cluster's hosts will not do, from their offsets in seconds by host; undefined when they will. */
export function clockSkew(offsets: Readonly<Record<string, number>>): string | undefined {
  const sorted = Object.entries(offsets).sort(([, a], [, b]) => a - b);
  const first = sorted[0];
  const last = sorted.at(-1);
  if (!first || !last || last[1] - first[1] <= mostClockSkewSeconds) return undefined;
  return (
    `the clocks of ${first[0]} and ${last[0]} are ${(last[1] - first[1]).toFixed(1)} s apart; ` +
    `at most ${mostClockSkewSeconds} s are accepted. Set up time synchronisation (chrony) on both.`
  );
}
