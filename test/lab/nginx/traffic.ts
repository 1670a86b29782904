import type { ChildProcessWithoutNullStreams } from "node:child_process";
import { join } from "node:path";
import { eventually } from "../support/process";
import { repository, type TestLab } from "../support/test-lab";

/** What a client saw. */
export interface Account {
  requests: number;
  failures: string[];
  /** Requests that were answered, by the node that did. */
  nodes: Record<string, number>;
  /** Of all requests, failed ones included. */
  longestSeconds: number;
  /** A WebSocket that was open all the time. */
  socket: { node: string; echoes: number; closed?: string };
}

/** A client that uses the entry while something goes on. */
export class Traffic {
  private printed = "";
  private readonly ended: Promise<unknown>;

  private constructor(private readonly client: ChildProcessWithoutNullStreams) {
    for (const stream of [client.stdout, client.stderr]) {
      stream.on("data", (chunk: Buffer) => {
        this.printed += chunk.toString();
      });
    }
    this.ended = new Promise((resolve) => client.once("close", resolve));
  }

  /** Returns when the client has its WebSocket and its first answer. */
  static async start(lab: TestLab, address: string, name: string, caFile: string): Promise<Traffic> {
    const program = join(repository, "test/lab/nginx/client.ts");
    const traffic = new Traffic(lab.begin([process.execPath, "--import", "tsx", program, address, name, caFile]));
    await eventually("the client has begun", 30, async () => traffic.printed.startsWith("begun\n") || undefined);
    return traffic;
  }

  async stop(): Promise<void> {
    this.client.stdin.end();
    await this.ended;
  }

  account(): Account {
    try {
      return JSON.parse(this.printed.replace("begun\n", "")) as Account;
    } catch {
      throw new Error(`the client failed: ${this.printed}`);
    }
  }
}
