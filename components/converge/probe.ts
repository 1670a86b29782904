import { Client, type ConnectConfig, type ServerHostKeyAlgorithm, utils } from "ssh2";
import { agentSource } from "./agent";

/** What one read-only question to a host answered. */
export interface ProbeResult {
  facts: HostFacts;
  /** Version of the agent installed on the host; empty when there is none. */
  agent: string;
  /** By role; the token is null until an apply has succeeded. While an apply runs, drift is not known and empty. */
  units: Record<string, { token: string | null; drift: string[] }>;
  /** Host's clock minus this machine's, in seconds: what is certain of it, however long the answer took. */
  clockOffset: number;
}

export interface HostFacts {
  os: { id: string; version_id: string; codename: string; pretty: string };
  arch: string;
  hostname: string;
  kernel: string;
  memory_mib: number;
  cores: number;
  time: number;
  disks: { mount: string; free_mib: number; size_mib: number }[];
  addresses: string[];
  interfaces: { name: string; addresses: string[] }[];
}

/** The part of `@pulumi/command`'s connection that the probe needs, resolved. */
export interface ProbeConnection {
  host: string;
  port?: number | undefined;
  user?: string | undefined;
  password?: string | undefined;
  privateKey?: string | undefined;
  privateKeyPassword?: string | undefined;
  agentSocketPath?: string | undefined;
  hostKey?: string | undefined;
  proxy?: ProbeConnection | undefined;
}

/** The host could not be asked: it is unreachable, refuses the key, or does not answer in time. */
export class Unreachable extends Error {}

/** Longest time for connecting and for the answer, in seconds each. */
export interface ProbeLimits {
  connectSeconds: number;
  answerSeconds: number;
}

const defaultLimits: ProbeLimits = { connectSeconds: 10, answerSeconds: 30 };

/**
 * Asks a host for its facts and for what differs from the units applied last. Nothing is written on the host: the
 * agent's source travels on standard input, so that a host which was never touched can be asked as well.
 */
export async function probe(connection: ProbeConnection, limits: ProbeLimits = defaultLimits): Promise<ProbeResult> {
  const clients: Client[] = [];
  try {
    let through: Client | undefined;
    if (connection.proxy) {
      through = await connect(connection.proxy, undefined, limits, clients);
    }
    const client = await connect(connection, through, limits, clients);
    const sent = Date.now() / 1000;
    const sudo = (connection.user ?? "root") === "root" ? "" : "sudo -n ";
    const answer = await ask(client, `${sudo}perl - probe`, agentSource(), limits);
    const received = Date.now() / 1000;
    const parsed = JSON.parse(answer) as Omit<ProbeResult, "clockOffset">;
    // The host read its clock at some moment in between.
    const { time } = parsed.facts;
    return { ...parsed, clockOffset: time < sent ? time - sent : Math.max(0, time - received) };
  } finally {
    for (const client of clients.reverse()) client.end();
  }
}

async function connect(
  connection: ProbeConnection,
  through: Client | undefined,
  limits: ProbeLimits,
  opened: Client[],
): Promise<Client> {
  const config: ConnectConfig = {
    host: connection.host,
    port: connection.port ?? 22,
    username: connection.user ?? "root",
    readyTimeout: limits.connectSeconds * 1000,
    hostVerifier: (presented: Buffer) => connection.hostKey === undefined || sameKey(presented, connection.hostKey),
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
  return new Promise((resolve, reject) => {
    client
      .once("ready", () => resolve(client))
      // An attempt that was given up may say so later once more.
      .on("error", (error) => reject(new Unreachable(`${connection.host}: ${error.message}`)))
      .connect(config);
  });
}

async function ask(client: Client, command: string, stdin: string, limits: ProbeLimits): Promise<string> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(
      () => reject(new Unreachable(`no answer within ${limits.answerSeconds} s`)),
      limits.answerSeconds * 1000,
    );
    client.exec(command, (error, channel) => {
      if (error) {
        clearTimeout(timer);
        reject(new Unreachable(error.message));
        return;
      }
      const stdout: Buffer[] = [];
      const stderr: Buffer[] = [];
      channel.on("data", (chunk: Buffer) => stdout.push(chunk));
      channel.stderr.on("data", (chunk: Buffer) => stderr.push(chunk));
      channel.on("close", (code: number | null) => {
        clearTimeout(timer);
        // 7: something drifted, which is an answer like any other.
        if (code === 0 || code === 7) resolve(Buffer.concat(stdout).toString("utf8"));
        else reject(new Error(Buffer.concat(stderr).toString("utf8").trim() || `${command} ended with ${code}`));
      });
      channel.end(stdin);
    });
  });
}

/** As `@pulumi/command` does: the agent that is named, else the one of this session where there is no key or password. */
function agentOf({ agentSocketPath, privateKey, password }: ProbeConnection): Pick<ConnectConfig, "agent"> {
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
