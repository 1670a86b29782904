/** remote.Command: one command line in one SSH session, its standard input given, its output kept. */
import { constants } from "node:os";
import type { Client, ClientChannel, SFTPWrapper } from "ssh2";
import type { Operation } from "../shared/resource";
import type { Properties } from "../shared/values";
import { commandArguments, commandResource, previousOutput } from "./command-resource";
import { connected, connectionArguments } from "./connection";
import { CapturedOutput, type Logging } from "./output";

export const remoteCommand = commandResource(
  {
    ...commandArguments,
    connection: { kind: { object: connectionArguments }, required: true, secret: true },
  },
  ["stdout", "stderr"],
  (command, state, operation) =>
    connected(state.connection as Properties, operation, (client) => run(client, command, state, operation)),
);

async function run(client: Client, command: string, state: Properties, operation: Operation): Promise<Properties> {
  const env = await environment(client, state, operation);
  const output = new CapturedOutput(operation.log, state.logging as Logging | undefined);
  const { channel, end } = await execute(client, command, env, operation.signal);
  channel.on("data", (chunk: Buffer) => output.stdout.write(chunk));
  channel.stderr.on("data", (chunk: Buffer) => output.stderr.write(chunk));
  // A command may end without reading its input; that is its own affair.
  channel.on("error", () => {});
  channel.end(state.stdin ?? "");
  const failure = await end;
  if (failure) throw output.failure(failure, command);
  return output.outputs();
}

interface Execution {
  channel: ClientChannel;
  /** Why the command failed, when it has ended. */
  end: Promise<string | undefined>;
}

function execute(
  client: Client,
  command: string,
  env: Record<string, string>,
  signal: AbortSignal,
): Promise<Execution> {
  return new Promise((resolve, reject) => {
    client.exec(command, { env }, (error, channel) => {
      if (error) return reject(error);
      // At once: a command that ends immediately says so in the very packet that opened its channel.
      resolve({ channel, end: ended(client, channel, signal) });
    });
  });
}

/** Why the command failed; undefined if it did not. */
function ended(client: Client, channel: ClientChannel, signal: AbortSignal): Promise<string | undefined> {
  return new Promise((resolve, reject) => {
    const abort = () => {
      terminate(client, channel);
      client.end();
      reject(signal.reason);
    };
    if (signal.aborted) return abort();
    signal.addEventListener("abort", abort, { once: true });
    let verdict: string | undefined = "wait: remote command exited without exit status or exit signal";
    channel.on("exit", (status: number | null, killedBy?: string) => {
      verdict = status === 0 ? undefined : exitReason(status, killedBy);
    });
    const finish = () => {
      signal.removeEventListener("abort", abort);
      resolve(verdict);
    };
    channel.on("close", finish);
    client.once("close", finish);
  });
}

/**
 * Asks sshd to signal the command's process group. It does not in a session of root: there the command learns of the
 * end from its closed streams. The library's own `signal` refuses after we have sent the end of stdin; SSH does not.
 */
function terminate(client: Client, channel: ClientChannel): void {
  const { _protocol } = client as unknown as { _protocol: { signal(channel: number, name: string): void } };
  const { outgoing } = channel as unknown as { outgoing: { id: number } };
  _protocol.signal(outgoing.id, "TERM");
}

/** Worded as in the official plugin; a signal counts as in a shell. */
function exitReason(status: number | null, signal: string | undefined): string {
  if (!signal) return `Process exited with status ${status}`;
  const number = constants.signals[signal as NodeJS.Signals] ?? 0;
  return `Process exited with status ${128 + number} from signal ${signal.replace(/^SIG/, "")}`;
}

/**
 * The server drops a variable that its AcceptEnv does not name, and the client library does not say so for a command.
 * A rejected variable of the user's is an error, so each is first tried on a session of its own.
 */
async function environment(client: Client, state: Properties, { log }: Operation): Promise<Record<string, string>> {
  const asked = (state.environment ?? {}) as Record<string, string>;
  for (const name of Object.keys(asked)) {
    if (!(await accepts(client, name))) {
      throw new Error(`could not set environment variable "${name}": ssh: setenv failed: ${whyNot(name)}`);
    }
  }
  const accepted = { ...asked };
  for (const [name, value] of Object.entries(previousOutput(state))) {
    if (await accepts(client, name)) accepted[name] = value;
    else log.warning(whyNot(name));
  }
  return accepted;
}

/** `sftp` takes an environment, and reports what becomes of it; the type definitions leave it out. */
type SftpWithEnvironment = {
  sftp(environment: Record<string, string>, callback: (error: Error | undefined, sftp?: SFTPWrapper) => void): void;
};

function accepts(client: Client, name: string): Promise<boolean> {
  return new Promise((resolve) => {
    (client as unknown as SftpWithEnvironment).sftp({ [name]: "" }, (error, sftp) => {
      sftp?.end();
      // A server without SFTP fails later, for another reason.
      resolve(error?.message !== "Unable to set environment");
    });
  });
}

function whyNot(name: string): string {
  return (
    `Unable to set '${name}'. This only works if your SSH server is configured to accept it via AcceptEnv. ` +
    "Alternatively, prefix the command itself with the variables in the form 'VAR=value command'."
  );
}
