import type { ChildProcessWithoutNullStreams } from "node:child_process";
import { createInterface } from "node:readline";
import { eventually } from "../support/process";
import type { Order } from "./client";
import { beginClient, type TestRedis } from "./test-redis";

/** What a writer finds out afterwards. */
export interface Account {
  acknowledged: number;
  lost: number[];
  /** Between two acknowledged writes. */
  longestGapSeconds: number;
  /** What went wrong meanwhile, once each. */
  errors: string[];
}

/** A client that keeps writing through the address while something happens. */
export class Writer {
  private readonly acknowledged: { number: number; at: number }[] = [];
  private readonly errors = new Set<string>();
  private readonly client: ChildProcessWithoutNullStreams;

  constructor(
    private readonly redis: TestRedis,
    order: Order,
  ) {
    this.client = beginClient(redis.lab, order);
    createInterface({ input: this.client.stdout }).on("line", (line) => {
      const { number, error } = JSON.parse(line) as { number?: number; error?: string };
      if (number !== undefined) this.acknowledged.push({ number, at: performance.now() });
      if (error !== undefined) this.errors.add(error);
    });
  }

  /** Waits until so many more are acknowledged. */
  async more(count: number, seconds: number): Promise<void> {
    const wanted = this.acknowledged.length + count;
    await eventually(`${count} more writes: ${[...this.errors].join("; ")}`, seconds, async () =>
      this.acknowledged.length >= wanted ? true : undefined,
    );
  }

  /** Ends, and compares what was acknowledged with what is there. */
  async account(): Promise<Account> {
    this.client.kill("SIGKILL");
    const [there] = await this.redis.ask([
      ["SMEMBERS", "ledger"],
      ["DEL", "ledger"],
    ]);
    const found = new Set(there?.reply as string[]);
    const gaps = this.acknowledged.map(({ at }, i) => at - (this.acknowledged[i - 1]?.at ?? at));
    return {
      acknowledged: this.acknowledged.length,
      lost: this.acknowledged.map(({ number }) => number).filter((number) => !found.has(String(number))),
      longestGapSeconds: Math.max(...gaps) / 1000,
      errors: [...this.errors],
    };
  }
}
