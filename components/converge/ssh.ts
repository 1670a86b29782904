import { createHash } from "node:crypto";
import { Client, type ConnectConfig, type ServerHostKeyAlgorithm, utils } from "ssh2";
import { timeLimit } from "./time-limit";
import { turns } from "./turns";

/** The part of `@pulumi/command`'s connection that is needed, resolved. */
export interface SshConnection {
  host: string;
  port?: number | undefined;
  user?: string | undefined;
  password?: string | undefined;
  privateKey?: string | undefined;
  privateKeyPassword?: string | undefined;
  agentSocketPath?: string | undefined;
  hostKey?: string | undefined;
  proxy?: SshConnection | undefined;
}

/** The host could not be asked: it is unreachable, refuses the key, or does not answer in time. */
export class Unreachable extends Error {}

/** What answers at the address has another key than the one that is pinned. */
export class AnotherHostKey extends Unreachable {}

/** The host takes no key and no password of ours. */
export class LoginRefused extends Unreachable {}

/** Longest time for connecting and for an answer, in seconds each. */
export interface SshLimits {
  connectSeconds: number;
  answerSeconds: number;
}

export const defaultLimits: SshLimits = { connectSeconds: 10, answerSeconds: 30 };

/** Runs a command on the host as root; what it printed. */
export type Run = (command: string, options?: { stdin?: string; accept?: readonly number[] }) => Promise<string>;

/** Hundreds of handshakes at once would each take longer than its limit: this program has one thread for all of them. */
const inTurn = turns(32);

/** A connection for as long as `use` needs it. Its limits count from its turn on. */
export function session<T>(connection: SshConnection, limits: SshLimits, use: (run: Run) => Promise<T>): Promise<T> {
  return inTurn(() => connected(connection, limits, use));
}

async function connected<T>(connection: SshConnection, limits: SshLimits, use: (run: Run) => Promise<T>): Promise<T> {
  const clients: Client[] = [];
  try {
    const through = connection.proxy && (await connect(connection.proxy, undefined, limits, clients));
    const client = await connect(connection, through, limits, clients);
    const sudo = (connection.user ?? "root") === "root" ? "" : "sudo -n ";
    return await use((command, { stdin = "", accept = [0] } = {}) =>
      execute(client, `${sudo}${command}`, stdin, accept, limits),
    );
  } finally {
    for (const client of clients.reverse()) client.end();
  }
}

async function connect(
  connection: SshConnection,
  through: Client | undefined,
  limits: SshLimits,
  opened: Client[],
): Promise<Client> {
  let stranger: string | undefined;
  const config: ConnectConfig = {
    host: connection.host,
    port: connection.port ?? 22,
    username: connection.user ?? "root",
    readyTimeout: 0,
    hostVerifier: (presented: Buffer) => {
      if (connection.hostKey === undefined || sameKey(presented, connection.hostKey)) return true;
      stranger = fingerprint(presented);
      return false;
    },
    ...(connection.hostKey !== undefined && { algorithms: { serverHostKey: hostKeyAlgorithms(connection.hostKey) } }),
    ...(connection.privateKey !== undefined && { privateKey: connection.privateKey }),
    ...(connection.privateKeyPassword !== undefined && { passphrase: connection.privateKeyPassword }),
    ...(connection.password !== undefined && { password: connection.password }),
    ...agentOf(connection),
  };
  if (through) {
    config.sock = await new Promise((resolve, reject) =>
      through.forwardOut("127.0.0.1", 0, connection.host, connection.port ?? 22, (error, channel) =>
        error ? reject(new Unreachable(`bastion: ${error.message}`)) : resolve(channel),
      ),
    );
  }
  const client = new Client();
  opened.push(client);
  let stop = () => {};
  return new Promise<Client>((resolve, reject) => {
    stop = timeLimit(limits.connectSeconds, () => {
      reject(new Unreachable(`${connection.host}: no connection within ${limits.connectSeconds} s`));
      client.destroy();
    });
    client
      .once("ready", () => resolve(client))
      // An attempt that was given up may say so later once more.
      .on("error", (error) => reject(unreachable(connection, error, stranger)))
      .connect(config);
  }).finally(() => stop());
}

function unreachable({ host, hostKey = "" }: SshConnection, error: Error & { level?: string }, stranger?: string) {
  if (stranger !== undefined) {
    return new AnotherHostKey(`${host}: it presents the host key ${stranger}, which is not the one that is pinned`);
  }
  if (/no matching host key/.test(error.message)) {
    return new AnotherHostKey(`${host}: it has no host key of the kind that is pinned, ${hostKey.split(" ")[0]}`);
  }
  const Kind = error.level === "client-authentication" ? LoginRefused : Unreachable;
  return new Kind(`${host}: ${error.message}`);
}

/** As `ssh-keygen -l` shows it. */
function fingerprint(key: Buffer): string {
  return `SHA256:${createHash("sha256").update(key).digest("base64").replace(/=+$/, "")}`;
}

async function execute(
  client: Client,
  command: string,
  stdin: string,
  accept: readonly number[],
  limits: SshLimits,
): Promise<string> {
  return new Promise((resolve, reject) => {
    const stop = timeLimit(limits.answerSeconds, () =>
      reject(new Unreachable(`no answer within ${limits.answerSeconds} s`)),
    );
    client.exec(command, (error, channel) => {
      if (error) {
        stop();
        reject(new Unreachable(error.message));
        return;
      }
      const stdout: Buffer[] = [];
      const stderr: Buffer[] = [];
      channel.on("data", (chunk: Buffer) => stdout.push(chunk));
      channel.stderr.on("data", (chunk: Buffer) => stderr.push(chunk));
      channel.on("close", (code: number | null) => {
        stop();
        if (code !== null && accept.includes(code)) resolve(Buffer.concat(stdout).toString("utf8"));
        else reject(new Error(Buffer.concat(stderr).toString("utf8").trim() || `${command} ended with ${code}`));
      });
      channel.end(stdin);
    });
  });
}

/** As `@pulumi/command` does: the agent that is named, else the one of this session where there is no key or password. */
function agentOf({ agentSocketPath, privateKey, password }: SshConnection): Pick<ConnectConfig, "agent"> {
  const agent = agentSocketPath ?? ((privateKey ?? password) ? undefined : process.env.SSH_AUTH_SOCK);
  return agent ? { agent } : {};
}

/** A server with keys of several kinds must present the one that is pinned. */
function hostKeyAlgorithms(pinned: string): ServerHostKeyAlgorithm[] {
  const type = pinned.split(" ")[0] ?? "";
  return (type === "ssh-rsa" ? ["rsa-sha2-512", "rsa-sha2-256"] : [type]) as ServerHostKeyAlgorithm[];
}

/** Compares a presented key with a pinned one in OpenSSH's format (`ssh-ed25519 AAAA… comment`). */
function sameKey(presented: Buffer, pinned: string): boolean {
  const parsed = utils.parseKey(pinned);
  return !(parsed instanceof Error) && presented.equals(parsed.getPublicSSH());
}
