/** One thing that was looked at before the first `up`. */
export interface Check {
  /** What it is about, in a word or two: `host key`, `sudo`, `ports`. */
  about: string;
  verdict: "ok" | "warn" | "fail";
  /** What was found. */
  says: string;
  /** What to do about it. */
  cure?: string;
}

export const ok = (about: string, says: string): Check => ({ about, verdict: "ok", says });
export const warn = (about: string, says: string, cure: string): Check => ({ about, verdict: "warn", says, cure });
export const fail = (about: string, says: string, cure: string): Check => ({ about, verdict: "fail", says, cure });

/** All that was looked at. */
export interface Diagnosis {
  /** The machine that `pulumi up` will run on, and the stack as it stands there. */
  machine: Check[];
  /** By host. */
  hosts: Record<string, Check[]>;
}

export function isHealthy({ machine, hosts }: Diagnosis): boolean {
  return [machine, ...Object.values(hosts)].every((checks) => checks.every(({ verdict }) => verdict !== "fail"));
}
