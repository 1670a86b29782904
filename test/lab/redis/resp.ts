import { connect, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";

/** Where Redis is, and what the client trusts; without a certificate it speaks no TLS. */
export interface Server {
  host: string;
  port: number;
  ca?: string;
}

export type Reply = string | number | null | Reply[];

/** An error reply, e.g. `NOPERM …`. */
export class Refused extends Error {}

/** A connection that speaks Redis' protocol (Redis serialization protocol specification, RESP2). */
export class Connection {
  private received = Buffer.alloc(0);
  private readonly waiting: { resolve: (reply: Reply) => void; reject: (error: Error) => void }[] = [];
  private broken: Error | undefined;

  private constructor(private readonly socket: Socket) {
    socket.on("data", (chunk: Buffer) => {
      this.received = Buffer.concat([this.received, chunk]);
      this.deliver();
    });
    socket.on("error", (error) => this.fail(error));
    socket.on("close", () => this.fail(new Error("the connection was closed")));
  }

  static open({ host, port, ca }: Server, seconds: number): Promise<Connection> {
    return new Promise((resolve, reject) => {
      const event = ca ? "secureConnect" : "connect";
      const socket = ca ? connectTls({ host, port, ca }) : connect({ host, port });
      const timer = setTimeout(() => socket.destroy(new Error(`no connection after ${seconds} s`)), seconds * 1000);
      socket.once("error", reject);
      socket.once("close", () => clearTimeout(timer));
      socket.once(event, () => {
        clearTimeout(timer);
        resolve(new Connection(socket));
      });
    });
  }

  ask(command: readonly (string | number)[], seconds = 5): Promise<Reply> {
    if (this.broken) return Promise.reject(this.broken);
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => this.fail(new Error(`no reply after ${seconds} s`)), seconds * 1000);
      const done =
        <T>(settle: (value: T) => void) =>
        (value: T) => {
          clearTimeout(timer);
          settle(value);
        };
      this.waiting.push({ resolve: done(resolve), reject: done(reject) });
      const words = command.map((word) => `$${Buffer.byteLength(String(word))}\r\n${word}\r\n`);
      this.socket.write(`*${words.length}\r\n${words.join("")}`);
    });
  }

  close(): void {
    this.socket.destroy();
  }

  private fail(error: Error): void {
    this.broken ??= error;
    for (const { reject } of this.waiting.splice(0)) reject(error);
    this.socket.destroy();
  }

  private deliver(): void {
    for (let parsed = parse(this.received, 0); parsed; parsed = parse(this.received, 0)) {
      this.received = this.received.subarray(parsed.end);
      const next = this.waiting.shift();
      if (parsed.value instanceof Refused) next?.reject(parsed.value);
      else next?.resolve(parsed.value);
    }
  }
}

/** The reply that begins there; undefined while it is not whole. */
function parse(bytes: Buffer, start: number): { value: Reply | Refused; end: number } | undefined {
  const lineEnd = bytes.indexOf("\r\n", start);
  if (lineEnd < 0) return undefined;
  const line = bytes.toString("utf8", start + 1, lineEnd);
  const next = lineEnd + 2;
  switch (String.fromCharCode(bytes[start] ?? 0)) {
    case "+":
      return { value: line, end: next };
    case "-":
      return { value: new Refused(line), end: next };
    case ":":
      return { value: Number(line), end: next };
    case "$": {
      const end = next + Number(line);
      if (Number(line) < 0) return { value: null, end: next };
      return bytes.length < end + 2 ? undefined : { value: bytes.toString("utf8", next, end), end: end + 2 };
    }
    case "*": {
      const list: Reply[] = [];
      let end = next;
      for (let n = 0; n < Number(line); n++) {
        const item = parse(bytes, end);
        if (!item) return undefined;
        list.push(item.value as Reply);
        end = item.end;
      }
      return { value: list, end };
    }
    default:
      throw new Error(`not a reply: ${line}`);
  }
}
