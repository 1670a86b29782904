import type { ChildProcessWithoutNullStreams } from "node:child_process";
import { commandOf, environmentOf, type Login } from "../support/psql";
import type { TestLab } from "../support/test-lab";

/** One connection that stays open between queries. */
export class OpenSession {
  private readonly client: ChildProcessWithoutNullStreams;

  constructor(lab: TestLab, login: Login) {
    this.client = lab.begin(commandOf(login), environmentOf(login));
    this.client.stdin.on("error", () => undefined); // said by `ask`
  }

  /** The answer to a query that gives one line. */
  ask(query: string): Promise<string> {
    return new Promise((resolve, reject) => {
      const broke = () => reject(new Error(`the connection was closed before it answered: ${query}`));
      if (this.client.exitCode !== null) return broke();
      this.client.once("close", broke);
      this.client.stdout.once("data", (chunk: Buffer) => {
        this.client.off("close", broke);
        resolve(chunk.toString().trim());
      });
      this.client.stdin.write(`${query};\n`);
    });
  }

  end(): void {
    this.client.kill();
  }
}
