import { agentSource, convergePath } from "./agent";
import type { CertificateEnd } from "./certificates";
import { defaultLimits, type Run, type SshConnection, type SshLimits, session } from "./ssh";

/** What one read-only question to a host answered. */
export interface ProbeResult {
  facts: HostFacts;
  /** Version of the agent installed on the host; empty when there is none. */
  agent: string;
  /** By role. */
  units: Record<string, UnitState>;
  /** Those that units have put on the host; `ends` as openssl(1) says it, e.g. `Nov 19 09:38:49 2036 GMT`. */
  certificates?: CertificateEnd[];
  /** Host's clock minus this machine's, in seconds: what is certain of it, however long the answer took. */
  clockOffset: number;
}

export interface UnitState {
  /** That of the last apply that succeeded; null until then. */
  token: string | null;
  /** Digest of the secrets with it. */
  secrets?: string | null;
  /** The text of the last apply. */
  text?: string;
  /** While an apply runs, drift is not known and empty. */
  drift: string[];
}

export interface HostFacts {
  os: { id: string; version_id: string; codename: string; pretty: string };
  arch: string;
  hostname: string;
  kernel: string;
  memory_mib: number;
  cores: number;
  time: number;
  disks: { mount: string; free_mib: number; size_mib: number }[];
  addresses: string[];
  interfaces: { name: string; addresses: string[] }[];
}

/** 7: something drifted, which is an answer like any other. */
const accept = [0, 7];

/**
 * Asks a host for its facts and for what differs from the units applied last. Nothing is written on the host: the
 * agent's source travels on standard input, so that a host which was never touched can be asked as well.
 */
export function probe(connection: SshConnection, limits: SshLimits = defaultLimits): Promise<ProbeResult> {
  return asked(connection, limits, (run) => run("perl - probe", { stdin: agentSource(), accept }));
}

/** The same by the agent that is installed: all that a user may have done who can only probe. */
export function probeInstalled(connection: SshConnection, limits: SshLimits = defaultLimits): Promise<ProbeResult> {
  return asked(connection, limits, (run) => run(`${convergePath} probe`, { accept }));
}

function asked(connection: SshConnection, limits: SshLimits, ask: (run: Run) => Promise<string>): Promise<ProbeResult> {
  return session(connection, limits, async (run) => {
    const sent = Date.now() / 1000;
    const answer = await ask(run);
    const received = Date.now() / 1000;
    const parsed = JSON.parse(answer) as Omit<ProbeResult, "clockOffset">;
    // The host read its clock at some moment in between.
    const { time } = parsed.facts;
    return { ...parsed, clockOffset: time < sent ? time - sent : Math.max(0, time - received) };
  });
}
