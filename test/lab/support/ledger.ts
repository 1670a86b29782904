import type { ChildProcessWithoutNullStreams } from "node:child_process";
import { eventually, pause } from "./process";
import { commandOf, environmentOf, type Login } from "./psql";
import type { TestLab } from "./test-lab";

const secondsBetweenWrites = 0.05;

/** Those who write. */
export interface Clients {
  connections: number;
  /** More of libpq's connection string. */
  options: string;
  /** Seconds that a write, connecting included, may take before the client gives up and connects again. */
  patience: number;
}

/** One client that knows all members itself, and looks for the primary among them. */
const ofMembers: Clients = {
  connections: 1,
  options: "target_session_attrs=read-write connect_timeout=2 tcp_user_timeout=3000",
  patience: 4,
};

/** What the clients find out afterwards about the rows they wrote. */
export interface Account {
  acknowledged: number;
  /** Acknowledged, and not there. */
  lost: number[];
  /** Written once, and there more than once. */
  duplicated: number[];
  /** Between two acknowledged writes of the same client. */
  longestGapSeconds: number;
  /** What clients were told whose connection ended before it had written anything. */
  refusals: string[];
}

/**
 * Clients that keep writing numbered rows and remember which of them the database has acknowledged. A row whose fate is
 * unknown, because the connection broke, is not tried again.
 */
export class Ledger {
  private readonly writers: Writer[];

  constructor(lab: TestLab, login: Login, clients = ofMembers) {
    let next = 1;
    const row = () => next++;
    this.writers = Array.from({ length: clients.connections }, () => new Writer(lab, login, clients, row));
  }

  /** Begins to write, and returns when the first rows of every client are in. */
  async start(): Promise<void> {
    for (const writer of this.writers) writer.start();
    await this.moreRows(10, 30);
  }

  /** Waits until every client has written so many more rows. */
  async moreRows(count: number, seconds: number): Promise<void> {
    const wanted = this.writers.map((writer) => writer.acknowledged.length + count);
    const done = () => this.writers.every((writer, i) => writer.acknowledged.length >= (wanted[i] ?? 0));
    await eventually(`every client writes ${count} more rows`, seconds, async () => done() || undefined);
  }

  async stop(): Promise<void> {
    await Promise.all(this.writers.map((writer) => writer.stop()));
  }

  /** Compares what was acknowledged with the rows that are there: the output of `SELECT n FROM ledger`. */
  account(rows: readonly number[]): Account {
    const counts = new Map<number, number>();
    for (const row of rows) counts.set(row, (counts.get(row) ?? 0) + 1);
    const acknowledged = this.writers.flatMap((writer) => writer.acknowledged);
    return {
      acknowledged: acknowledged.length,
      lost: acknowledged.map(({ row }) => row).filter((row) => !counts.has(row)),
      duplicated: [...counts].filter(([, count]) => count > 1).map(([row]) => row),
      longestGapSeconds: Math.max(...this.writers.map((writer) => writer.longestGap())) / 1000,
      refusals: this.writers.flatMap((writer) => writer.refusals),
    };
  }
}

/** One client. */
class Writer {
  readonly acknowledged: { row: number; at: number }[] = [];
  readonly refusals: string[] = [];
  private session: Session | undefined;
  private stopping = false;
  private running: Promise<void> = Promise.resolve();

  constructor(
    private readonly lab: TestLab,
    private readonly login: Login,
    private readonly clients: Clients,
    private readonly nextRow: () => number,
  ) {}

  start(): void {
    this.running = this.write();
  }

  async stop(): Promise<void> {
    this.stopping = true;
    await this.running;
    this.session?.end();
  }

  longestGap(): number {
    return Math.max(...this.acknowledged.map(({ at }, i) => at - (this.acknowledged[i - 1]?.at ?? at)));
  }

  private async write(): Promise<void> {
    while (!this.stopping) {
      const row = this.nextRow();
      this.session ??= new Session(this.lab, this.login, this.clients);
      if (await this.session.insert(row)) {
        this.acknowledged.push({ row, at: performance.now() });
      } else {
        if (!this.session.used) this.refusals.push(this.session.said);
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
  /** Its errors. */
  said = "";

  constructor(
    lab: TestLab,
    login: Login,
    private readonly clients: Clients,
  ) {
    this.client = lab.begin(commandOf({ ...login, options: clients.options }), environmentOf(login));
    this.client.stdout.on("data", (chunk: Buffer) => {
      this.printed += chunk.toString();
    });
    this.client.stderr.on("data", (chunk: Buffer) => {
      this.said += chunk.toString();
    });
    this.client.stdin.on("error", () => undefined); // the connection broke
  }

  /** Whether it has ever had an answer. */
  get used(): boolean {
    return this.printed !== "";
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
      const timer = setTimeout(broke, this.clients.patience * 1000);
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
