/** An SSH connection as the official plugin makes it: retries with growing pauses, a pinned host key, one bastion. */
import { connect as connectTcp, type Socket } from "node:net";
import type { Duplex } from "node:stream";
import { setTimeout as pause } from "node:timers/promises";
import type { Client } from "ssh2";
import type { Arguments } from "../shared/arguments";
import type { Operation } from "../shared/resource";
import type { Properties } from "../shared/values";
import { clientConfig } from "./ssh-config";

const FIRST_PAUSE_MS = 100;
const PAUSE_GROWTH = 1.5;
const LONGEST_PAUSE_MS = 5000;
const KEEP_ALIVE_MS = 15_000;

const endpoint: Arguments = {
  host: { kind: "string", required: true },
  port: { kind: "integer", default: 22 },
  user: { kind: "string", default: "root" },
  password: { kind: "string", secret: true },
  privateKey: { kind: "string", secret: true },
  privateKeyPassword: { kind: "string", secret: true },
  agentSocketPath: { kind: "string" },
  hostKey: { kind: "string" },
  /** -1: try for ever. */
  dialErrorLimit: { kind: "integer", default: 10 },
  /** Seconds; 0: no limit. */
  perDialTimeout: { kind: "integer", default: 15 },
};

export const connectionArguments: Arguments = { ...endpoint, proxy: { kind: { object: endpoint } } };

export interface Endpoint {
  host: string;
  port: number;
  user: string;
  password?: string;
  privateKey?: string;
  privateKeyPassword?: string;
  agentSocketPath?: string;
  hostKey?: string;
  dialErrorLimit: number;
  perDialTimeout: number;
}

type Waiting = Pick<Operation, "signal" | "log">;

/** Connects, gives the client to `work`, and closes the connection whatever happens. */
export async function connected<T>(
  connection: Properties,
  operation: Waiting,
  work: (client: Client) => Promise<T>,
): Promise<T> {
  const target = connection as unknown as Endpoint;
  const proxy = connection.proxy as unknown as Endpoint | undefined;
  if (!proxy) return closing(await dial("Dial", target, operation, () => tcp(target, operation.signal)), work);
  const bastion = await dial("Dial proxy", proxy, operation, () => tcp(proxy, operation.signal)).catch(throughProxy);
  return closing(bastion, async () => {
    const client = await dial("Dial from proxy", target, operation, () => forward(bastion, target)).catch(throughProxy);
    return closing(client, work);
  });
}

async function closing<T>(client: Client, work: (client: Client) => Promise<T>): Promise<T> {
  try {
    return await work(client);
  } finally {
    client.end();
  }
}

function throughProxy(error: Error): never {
  throw new Error(`proxy: ${error.message}`);
}

async function dial(
  what: string,
  endpoint: Endpoint,
  { signal, log }: Waiting,
  reach: () => Promise<Duplex>,
): Promise<Client> {
  const limit = endpoint.dialErrorLimit;
  // A key or an agent that cannot be read will not become readable: no retry.
  const config = await clientConfig(endpoint);
  let delay = FIRST_PAUSE_MS;
  for (let failed = 0; ; failed++) {
    signal.throwIfAborted();
    try {
      return await handshake(config, await reach(), signal);
    } catch (error) {
      signal.throwIfAborted();
      if (limit >= 0 && failed >= limit) {
        throw new Error(`after ${failed} failed attempts: ${(error as Error).message}`);
      }
      log.status(`${what} ${failed + 1}/${limit < 0 ? "inf" : limit} failed: retrying`);
    }
    await pause(delay, undefined, { signal }).catch(() => signal.throwIfAborted());
    delay = Math.min(delay * PAUSE_GROWTH, LONGEST_PAUSE_MS);
  }
}

async function handshake(
  { config, refusal }: Awaited<ReturnType<typeof clientConfig>>,
  sock: Duplex,
  signal: AbortSignal,
): Promise<Client> {
  const { Client } = await import("ssh2");
  const client = new Client();
  return new Promise((resolve, reject) => {
    const abort = () => {
      sock.destroy();
      reject(signal.reason);
    };
    signal.addEventListener("abort", abort, { once: true });
    const settle = () => signal.removeEventListener("abort", abort);
    client.once("ready", () => {
      settle();
      resolve(client);
    });
    // Stays for the life of the connection: a later error shows itself as the end of the running command.
    client.on("error", (error: Error) => {
      settle();
      sock.destroy();
      reject(new Error(`ssh: handshake failed: ${refusal() ?? explain(error)}`));
    });
    client.once("close", () => reject(new Error("ssh: handshake failed: the server closed the connection")));
    client.on("keyboard-interactive", (_name, _instructions, _language, prompts, answer) =>
      answer(prompts.map(() => config.password ?? "")),
    );
    client.connect({ ...config, sock });
  });
}

function tcp({ host, port, perDialTimeout }: Endpoint, signal: AbortSignal): Promise<Socket> {
  return new Promise((resolve, reject) => {
    // Keep-alive: a host whose power fails in the middle of a command is noticed within half a minute.
    const socket = connectTcp({ host, port, noDelay: true, keepAlive: true, keepAliveInitialDelay: KEEP_ALIVE_MS });
    const settle = () => {
      signal.removeEventListener("abort", abort);
      socket.setTimeout(0);
    };
    const fail = (error: Error) => {
      settle();
      socket.destroy();
      reject(error);
    };
    const abort = () => fail(signal.reason);
    const refuse = (reason: string) => fail(new Error(`dial tcp ${host}:${port}: ${reason}`));
    signal.addEventListener("abort", abort, { once: true });
    if (perDialTimeout > 0) socket.setTimeout(perDialTimeout * 1000, () => refuse("i/o timeout"));
    const failed = (error: NodeJS.ErrnoException) => refuse(systemError(error));
    socket.once("error", failed);
    socket.once("connect", () => {
      settle();
      socket.off("error", failed);
      resolve(socket);
    });
  });
}

function forward(bastion: Client, { host, port }: Endpoint): Promise<Duplex> {
  return new Promise((resolve, reject) => {
    bastion.forwardOut("127.0.0.1", 0, host, port, (error, channel) =>
      error ? reject(new Error(`dial tcp ${host}:${port}: ${error.message}`)) : resolve(channel),
    );
  });
}

function systemError(error: NodeJS.ErrnoException): string {
  const reasons: Readonly<Record<string, string>> = {
    ECONNREFUSED: "connect: connection refused",
    EHOSTUNREACH: "connect: no route to host",
    ENETUNREACH: "connect: network is unreachable",
    ETIMEDOUT: "i/o timeout",
    ENOTFOUND: "lookup: no such host",
    EAI_AGAIN: "lookup: temporary failure in name resolution",
  };
  return reasons[error.code ?? ""] ?? error.message;
}

function explain(error: Error & { level?: string }): string {
  switch (error.level) {
    case "client-authentication":
      return "ssh: unable to authenticate: the server refused every key and password given";
    case "client-timeout":
      return "i/o timeout";
    default:
      return error.message;
  }
}
