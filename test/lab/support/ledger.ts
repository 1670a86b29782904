import type { ChildProcessWithoutNullStreams } from "node:child_process";
import { eventually, pause } from "./process";
import { commandOf, environmentOf, type Login } from "./psql";
import type { TestLab } from "./test-lab";

/** How long a write, connecting included, may take before the client gives up and connects again. */
const patienceSeconds = 4;
const secondsBetweenWrites = 0.05;

/** What a client finds out afterwards about the rows it wrote. */
export interface Account {
  acknowledged: number;
  /** Acknowledged, and not there. */
  lost: number[];
  /** Written once, and there more than once. */
  duplicated: number[];
  /** Between two acknowledged writes. */
  longestGapSeconds: number;
}

/**
 * A client that keeps writing numbered rows through libpq's list of hosts and remembers which of them the database
 * has acknowledged. A row whose fate is unknown, because the connection broke, is not tried again.
 */
export class Ledger {
  private readonly acknowledged: { row: number; at: number }[] = [];
  private session: Session | undefined;
  private stopping = false;
  private running: Promise<void> = Promise.resolve();
  private next = 1;

  constructor(
    private readonly lab: TestLab,
    private readonly login: Login,
  ) {}

  /** Begins to write, and returns when the first rows are in. */
  async start(): Promise<void> {
    this.running = this.write();
    await this.moreRows(10, 30);
  }

  /** Waits until so many more rows are acknowledged. */
  async moreRows(count: number, seconds: number): Promise<void> {
    const wanted = this.acknowledged.length + count;
    await eventually(
      `${count} more rows are written`,
      seconds,
      async () => this.acknowledged.length >= wanted || undefined,
    );
  }

  async stop(): Promise<void> {
    this.stopping = true;
    await this.running;
    this.session?.end();
  }

  /** Compares what was acknowledged with the rows that are there: the output of `SELECT n FROM ledger`. */
  account(rows: readonly number[]): Account {
    const counts = new Map<number, number>();
    for (const row of rows) counts.set(row, (counts.get(row) ?? 0) + 1);
    const gaps = this.acknowledged.map(({ at }, i) => at - (this.acknowledged[i - 1]?.at ?? at));
    return {
      acknowledged: this.acknowledged.length,
      lost: this.acknowledged.map(({ row }) => row).filter((row) => !counts.has(row)),
      duplicated: [...counts].filter(([, count]) => count > 1).map(([row]) => row),
      longestGapSeconds: Math.max(...gaps) / 1000,
    };
  }

  private async write(): Promise<void> {
    while (!this.stopping) {
      const row = this.next++;
      this.session ??= new Session(this.lab, this.login);
      if (await this.session.insert(row)) {
        this.acknowledged.push({ row, at: performance.now() });
      } else {
        this.session.end();
        this.session = undefined;
      }
      await pause(secondsBetweenWrites);
    }
  }
}

/** One connection: psql ends when it breaks. */
class Session {
  private readonly client: ChildProcessWithoutNullStreams;
  private printed = "";

  constructor(lab: TestLab, login: Login) {
    const options = "target_session_attrs=read-write connect_timeout=2 tcp_user_timeout=3000";
    this.client = lab.begin(commandOf({ ...login, options }), environmentOf(login));
    this.client.stdout.on("data", (chunk: Buffer) => {
      this.printed += chunk.toString();
    });
    this.client.stdin.on("error", () => undefined); // the connection broke
  }

  /** Whether the database has acknowledged the row. */
  insert(row: number): Promise<boolean> {
    return new Promise((resolve) => {
      const done = (acknowledged: boolean) => {
        clearTimeout(timer);
        this.client.stdout.off("data", look);
        this.client.off("close", broke);
        resolve(acknowledged);
      };
      const look = () => this.printed.endsWith(`:${row}\n`) && done(true);
      const broke = () => done(false);
      const timer = setTimeout(broke, patienceSeconds * 1000);
      this.client.stdout.on("data", look);
      this.client.on("close", broke);
      if (this.client.exitCode !== null) broke();
      this.client.stdin.write(`INSERT INTO ledger (n) VALUES (${row}) RETURNING ':' || n;\n`);
    });
  }

  end(): void {
    this.client.kill("SIGKILL");
  }
}
