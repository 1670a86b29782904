/** A running command's two streams: kept whole for state, and passed on line by line as they come. */
import { StringDecoder } from "node:string_decoder";
import type { Log } from "../shared/resource";

export const loggingValues = ["stdout", "stderr", "stdoutAndStderr", "none"] as const;
export type Logging = (typeof loggingValues)[number];

export class CapturedOutput {
  readonly stdout: Stream;
  readonly stderr: Stream;
  /** Both streams as they came, for the error text. */
  private readonly both: Buffer[] = [];

  constructor(log: Log, logging: Logging = "stdoutAndStderr") {
    const keep = (chunk: Buffer) => this.both.push(chunk);
    const line = (text: string) => log.status(text);
    this.stdout = new Stream(keep, logging === "stdout" || logging === "stdoutAndStderr" ? line : undefined);
    this.stderr = new Stream(keep, logging === "stderr" || logging === "stdoutAndStderr" ? line : undefined);
  }

  /** As they are stored: without the last newline. */
  outputs(): { stdout: string; stderr: string } {
    this.stdout.end();
    this.stderr.end();
    return { stdout: this.stdout.text().replace(/\n$/, ""), stderr: this.stderr.text().replace(/\n$/, "") };
  }

  failure(reason: string, command: string): Error {
    this.stdout.end();
    this.stderr.end();
    return new Error(`${reason}: running ${quoted(command)}:\n${Buffer.concat(this.both).toString("utf8")}`);
  }
}

class Stream {
  private readonly chunks: Buffer[] = [];
  private readonly decoder = new StringDecoder("utf8");
  private partial = "";

  constructor(
    private readonly keep: (chunk: Buffer) => void,
    private readonly line: ((text: string) => void) | undefined,
  ) {}

  write(chunk: Buffer): void {
    this.chunks.push(chunk);
    this.keep(chunk);
    if (!this.line) return;
    const lines = (this.partial + this.decoder.write(chunk)).split("\n");
    this.partial = lines.pop() ?? "";
    for (const text of lines) this.line(text);
  }

  end(): void {
    if (this.partial) this.line?.(this.partial);
    this.partial = "";
  }

  text(): string {
    return Buffer.concat(this.chunks).toString("utf8");
  }
}

/** The command on one line, as Go's %q writes it, so that errors read the same with either plugin. */
function quoted(command: string): string {
  return JSON.stringify(command).replace(
    /[\u007f-\u00a0\u2028\u2029\ufeff]/g,
    (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}
