import type { ChildProcessWithoutNullStreams } from "node:child_process";
import { join } from "node:path";
import { eventually } from "../support/process";
import { repository, type TestLab } from "../support/test-lab";

/** How its clients speak to an application. */
export interface Application {
  serverName: string;
  users: number;
  /** Paths that users read in turn: idempotent requests. */
  reads: string[];
  /** The header that has a user's session, and what stands there before it. */
  sessionHeader: { name: string; prefix: string };
  /** Users come from a network each, as the header of a trusted proxy says. */
  networks: boolean;
  /** How many of them hold a WebSocket, and its path. */
  devices: number;
  relay: string;
}

/** Requests of one kind. Times are seconds since the clients' start. */
export interface Requests {
  sent: number;
  failures: { from: number; to: number; what: string }[];
  /** Of all, failed ones included. */
  slowestSeconds: number;
  /** The longest time without a good answer to any user. */
  longestGapSeconds: number;
}

/** What the clients saw since their start. */
export interface Account {
  /** Idempotent requests, all with sessions that were made at the start. */
  reads: Requests;
  logins: Requests;
  /** Requests whose session was not accepted. */
  sessionsRefused: number;
  /** How many devices are connected to each node now. */
  nodes: Record<string, number>;
  /** Connections of devices that ended. */
  reconnections: number;
  /** The longest time that a device was connected to no relay. */
  longestWithoutRelaySeconds: number;
}

/** Devices and users of an application, who reach it through its entry. */
export class Clients {
  private printed = "";
  private said = "";
  private readonly ended: Promise<unknown>;

  private constructor(
    private readonly child: ChildProcessWithoutNullStreams,
    private readonly devices: number,
  ) {
    child.stdout.on("data", (chunk: Buffer) => {
      this.printed = (this.printed + chunk.toString()).split("\n").slice(-2).join("\n");
    });
    child.stderr.on("data", (chunk: Buffer) => {
      this.said += chunk.toString();
    });
    this.ended = new Promise((resolve) => child.once("close", resolve));
  }

  /** Returns when all users have sessions, and all devices are connected. */
  static async start(lab: TestLab, address: string, caFile: string, application: Application): Promise<Clients> {
    const program = join(repository, "test/lab/site/client.ts");
    const node = [process.execPath, "--experimental-websocket", "--import", "tsx"];
    const words = [address, caFile, JSON.stringify(application)];
    const child = lab.begin([...node, program, ...words], { NODE_EXTRA_CA_CERTS: caFile });
    const clients = new Clients(child, application.devices);
    await eventually("all users have sessions, all devices are connected", 60, async () => {
      if (child.exitCode !== null) throw new Error(clients.said);
      return clients.printed.includes("\n") || undefined;
    });
    return clients;
  }

  /** Up to now. */
  get account(): Account {
    const [line = ""] = this.printed.split("\n");
    return JSON.parse(line) as Account;
  }

  /** Waits until all devices are connected, and none to any other node. */
  async devicesOn(nodes: readonly string[], seconds: number): Promise<void> {
    await eventually(`all devices are connected to ${nodes.join(" or ")}`, seconds, async () => {
      const { nodes: found } = this.account;
      const there = nodes.reduce((sum, node) => sum + (found[node] ?? 0), 0);
      if (there === this.devices && Object.keys(found).every((node) => nodes.includes(node))) return true;
      throw new Error(JSON.stringify(found));
    });
  }

  /** Ends them; what they saw. */
  async stop(): Promise<Account> {
    this.child.stdin.end();
    await this.ended;
    return this.account;
  }
}

/** From the end of the first request that failed to that of the last one. */
export function errorSeconds({ reads, logins }: Account): number {
  const ends = [reads, logins].flatMap(({ failures }) => failures.map(({ to }) => to));
  return ends.length === 0 ? 0 : Math.max(...ends) - Math.min(...ends);
}

/** What failed and how often, for messages. */
export function complaints(...kinds: Requests[]): string[] {
  const counts = new Map<string, number>();
  for (const { what } of kinds.flatMap(({ failures }) => failures)) counts.set(what, (counts.get(what) ?? 0) + 1);
  return [...counts].map(([what, count]) => `${count} x ${what}`);
}
