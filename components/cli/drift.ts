import { type ProbeResult, probe } from "../converge/probe";
import { Unreachable } from "../converge/ssh";
import type { Inventory } from "./inventory";

/** What a host answered about one run of asking. */
export interface HostDrift {
  host: string;
  /** Why the host could not be asked. */
  unreachable?: string;
  /** What differs from what was applied last, by unit. */
  units: Record<string, string[]>;
}

/** Asks all hosts at once what differs on them. Nothing is changed. */
export function driftOf({ hosts }: Inventory): Promise<HostDrift[]> {
  return Promise.all(
    Object.entries(hosts).map(async ([host, connection]) => {
      try {
        return { host, units: differing(await probe(connection)) };
      } catch (error) {
        if (!(error instanceof Unreachable)) throw error;
        return { host, unreachable: error.message, units: {} };
      }
    }),
  );
}

function differing({ units }: ProbeResult): Record<string, string[]> {
  return Object.fromEntries(
    Object.entries(units)
      .filter(([, { drift }]) => drift.length > 0)
      .map(([unit, { drift }]) => [unit, drift]),
  );
}

/** 0: nothing differs; 7: something does; 1: a host could not be asked. */
export function exitCodeOf(hosts: readonly HostDrift[]): number {
  if (hosts.some(({ unreachable }) => unreachable !== undefined)) return 1;
  return hosts.some(({ units }) => Object.keys(units).length > 0) ? 7 : 0;
}
