import { type CertificateEnd, endingSoon } from "../converge/certificates";
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
  /** Certificates that units have put there. */
  certificates: CertificateEnd[];
}

export interface DriftReport {
  /** When the hosts were asked, ISO 8601. */
  at: string;
  hosts: HostDrift[];
}

/**
 * Asks all hosts at once what differs on them. Nothing is changed.
 * @param certificateDays so many days before its end a certificate is drift
 */
export async function driftOf({ hosts, virtualIps }: Inventory, certificateDays: number): Promise<DriftReport> {
  const now = new Date();
  const addresses: Record<string, readonly string[]> = {};
  const found = await Promise.all(
    Object.entries(hosts).map(async ([host, connection]): Promise<HostDrift> => {
      try {
        const answer = await probe(connection);
        addresses[host] = answer.facts.addresses.map((address) => address.split("/")[0] ?? "");
        return { host, ...differing(answer, certificateDays, now) };
      } catch (error) {
        if (!(error instanceof Unreachable)) throw error;
        return { host, unreachable: error.message, units: {}, certificates: [] };
      }
    }),
  );
  for (const virtualIp of virtualIps) noteHolders(virtualIp, addresses, found);
  return { at: now.toISOString(), hosts: found };
}

function differing({ units, certificates = [] }: ProbeResult, days: number, now: Date) {
  const drift: Record<string, string[]> = {};
  for (const [unit, state] of Object.entries(units)) if (state.drift.length > 0) drift[unit] = state.drift;
  const ends = certificates.map(({ unit, path, ends: end }) => ({ unit, path, ends: new Date(end).toISOString() }));
  for (const { unit, reason } of endingSoon(ends, days, now)) drift[unit] = [...(drift[unit] ?? []), reason];
  return { units: drift, certificates: ends };
}

/** One host holds a virtual address. Where one of its hosts was not asked, that one may be it. */
export function noteHolders(
  { address, hosts }: Inventory["virtualIps"][number],
  addresses: Readonly<Record<string, readonly string[]>>,
  found: readonly HostDrift[],
): void {
  const holders = hosts.filter((host) => addresses[host]?.includes(address));
  const unknown = hosts.some((host) => addresses[host] === undefined);
  if (holders.length === 1 || (holders.length === 0 && unknown)) return;
  const reason = holders.length === 0 ? `nobody holds ${address}` : `${address} is on ${holders.join(" and ")} at once`;
  for (const { host, units } of found) {
    if ((holders.length === 0 ? hosts : holders).includes(host)) units["virtual address"] = [reason];
  }
}

/** 0: nothing differs; 7: something does; 1: a host could not be asked. */
export function exitCodeOf({ hosts }: DriftReport): number {
  if (hosts.some(({ unreachable }) => unreachable !== undefined)) return 1;
  return hosts.some(({ units }) => Object.keys(units).length > 0) ? 7 : 0;
}
