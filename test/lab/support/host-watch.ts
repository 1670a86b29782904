import type { ChildProcessWithoutNullStreams } from "node:child_process";
import type { TestLab } from "./test-lab";

/** A stretch of time in which something held all along, in seconds since the epoch. */
interface Stretch {
  from: number;
  to: number;
}

/** A host that could not be asked for so long may have changed meanwhile. */
const longestBetweenSamples = 1.5;

/**
 * Looks on several hosts at once, all the time, whether something holds that may hold on one of them only. All hosts
 * of the lab have the same clock.
 */
export class HostWatch {
  private readonly stretches = new Map<string, Stretch[]>();
  private readonly children = new Map<string, { child: ChildProcessWithoutNullStreams; heard: number }>();
  private readonly timer: NodeJS.Timeout;
  private samples = 0;

  /**
   * @param script runs on each host and prints a line `BEGIN END HOLDS` for each look that it takes: seconds since the
   * epoch before and after it, and 1 or 0. It ends with its standard input.
   */
  constructor(
    private readonly lab: TestLab,
    private readonly hosts: readonly string[],
    private readonly script: string,
  ) {
    for (const host of hosts) this.begin(host);
    // A host that lost power says nothing any more, not even that.
    this.timer = setInterval(() => {
      for (const host of hosts) {
        const known = this.children.get(host);
        if (!known || performance.now() - known.heard > 5000) this.begin(host);
      }
    }, 1000);
  }

  /** Ends it; returns for how many seconds at most it held on two hosts at the same time, and how often it looked. */
  stop(): { together: number; samples: number } {
    clearInterval(this.timer);
    for (const { child } of this.children.values()) child.kill("SIGKILL");
    let together = 0;
    for (const [i, one] of this.hosts.entries()) {
      for (const other of this.hosts.slice(i + 1)) {
        for (const a of this.of(one)) {
          for (const b of this.of(other)) {
            together = Math.max(together, Math.min(a.to, b.to) - Math.max(a.from, b.from));
          }
        }
      }
    }
    return { together, samples: this.samples };
  }

  private of(host: string): Stretch[] {
    return this.stretches.get(host) ?? [];
  }

  private begin(host: string): void {
    this.children.get(host)?.child.kill("SIGKILL");
    const child = this.lab.beginOn(host, this.script);
    const known = { child, heard: performance.now() };
    this.children.set(host, known);
    child.stdin.on("error", () => undefined); // the host is gone
    child.on("close", () => this.children.get(host) === known && this.children.delete(host));
    let rest = "";
    child.stdout.on("data", (chunk: Buffer) => {
      known.heard = performance.now();
      const lines = (rest + chunk.toString()).split("\n");
      rest = lines.pop() ?? "";
      for (const line of lines) this.note(host, line.split(" ").map(Number));
    });
  }

  /** Counts only what is certain: from the end of the first look that saw it to the beginning of the last one. */
  private note(host: string, [begin = 0, end = 0, holds = 0]: readonly number[]): void {
    this.samples += 1;
    const stretches = this.of(host);
    const last = stretches.at(-1);
    if (holds !== 1) stretches.push({ from: Number.POSITIVE_INFINITY, to: Number.NEGATIVE_INFINITY });
    else if (last && Number.isFinite(last.from) && begin - last.to < longestBetweenSamples) last.to = begin;
    else stretches.push({ from: end, to: end });
    this.stretches.set(host, stretches);
  }
}
