import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import * as path from "node:path";
import { agentSource, agentVersion } from "../../components/converge/agent";
import { release } from "./text";

const labCommand = path.resolve(__dirname, "../../lab/lab");
const address = "192.168.1.10";

/** Path of the agent on a host. */
export const converge = "/usr/local/lib/hastack/converge";

export interface Result {
  code: number;
  stdout: string;
  stderr: string;
}

export interface UnitStatus {
  token: string | null;
  drift: string[];
  busy?: string;
}

interface RunOptions {
  input?: string | Buffer;
  user?: "root" | "deploy";
  /** An SSH connection of its own, so that it breaks when the client is killed. */
  separate?: boolean;
}

export interface Running {
  client: ChildProcessWithoutNullStreams;
  ended: Promise<Result>;
}

/**
 * One real host in a lab of its own, with the agent installed. For quick work on tests a lab that runs already
 * (topology `single`) is used if HASTACK_CONVERGE_LAB names its state directory: its host is made anew, and stays.
 */
export class TestHost {
  private constructor(
    private readonly scratch: string,
    private readonly state: string,
    private readonly borrowed: boolean,
  ) {}

  static async start(): Promise<TestHost> {
    const borrowed = process.env.HASTACK_CONVERGE_LAB;
    const scratch = mkdtempSync(path.join(tmpdir(), "hastack-"));
    const host = new TestHost(scratch, borrowed ?? path.join(scratch, "lab"), borrowed !== undefined);
    try {
      if (host.borrowed) await host.lab("rebuild", "box");
      else await host.lab("up", release === "debian-13" ? "single13" : "single");
      await host.sh("cat >/usr/share/keyrings/lab.asc; chmod 644 /usr/share/keyrings/lab.asc", {
        input: readFileSync(path.join(host.state, "apt/archive-keyring.asc")),
      });
      await host.installAgent();
      return host;
    } catch (error) {
      await host.stop();
      throw error;
    }
  }

  async stop(): Promise<void> {
    await collect(this.ssh(["-O", "exit", "root@box"]));
    await collect(this.ssh(["-O", "exit", "deploy@box"]));
    if (!this.borrowed) await this.lab("down");
    rmSync(this.scratch, { recursive: true, force: true });
  }

  async installAgent(): Promise<void> {
    const command = 'file=$(mktemp); trap "rm -f $file" EXIT; cat >$file; perl $file install';
    const said = await this.sh(command, { input: agentSource() });
    if (said !== `converge ${agentVersion} installed\n`) throw new Error(`unexpected answer of install: ${said}`);
  }

  /** Starts shell text on the host. */
  begin(command: string, { input = "", user = "root", separate = false }: RunOptions = {}): Running {
    const client = this.ssh([...(separate ? ["-o", "ControlPath=none"] : []), `${user}@box`, command]);
    client.stdin.end(input);
    return { client, ended: collect(client) };
  }

  /** Runs shell text on the host. */
  async run(command: string, options: RunOptions = {}): Promise<Result> {
    return this.begin(command, options).ended;
  }

  /** Runs shell text that has to succeed, and returns what it printed. */
  async sh(command: string, options: RunOptions = {}): Promise<string> {
    const result = await this.run(command, options);
    if (result.code !== 0) throw new Error(`exit ${result.code}: ${command}\n${result.stdout}${result.stderr}`);
    return result.stdout;
  }

  /** Waits until shell text succeeds on the host. */
  async until(command: string, seconds = 10): Promise<void> {
    await this.sh(`for i in $(seq ${seconds * 20}); do if ${command}; then exit 0; fi; sleep 0.05; done; exit 1`);
  }

  async read(file: string): Promise<string> {
    return this.sh(`cat '${file}'`);
  }

  async apply(unit: string, text: string, { secrets = "-", token = "t" } = {}): Promise<Result> {
    return this.run(`${converge} apply ${unit} ${secrets} ${token}`, { input: whole(text) });
  }

  /** An apply that has to succeed; returns what it said, without the unit's name. */
  async applied(unit: string, text: string, options: { secrets?: string; token?: string } = {}): Promise<string[]> {
    const result = await this.apply(unit, text, options);
    if (result.code !== 0) throw new Error(`apply of ${unit}: exit ${result.code}\n${result.stdout}${result.stderr}`);
    const lines = result.stdout.trim().split("\n");
    return lines.map((line) => line.replace(`${unit}: `, ""));
  }

  /** An apply that has to fail; returns its error. */
  async refused(unit: string, text: string, code = 1): Promise<string> {
    const result = await this.apply(unit, text);
    if (result.code !== code) throw new Error(`apply of ${unit}: exit ${result.code}, not ${code}\n${result.stdout}`);
    return result.stderr;
  }

  async storeSecrets(unit: string, digest: string, values: Record<string, string>): Promise<void> {
    const lines = Object.entries(values).map(([name, value]) => `${name} ${Buffer.from(value).toString("base64")}\n`);
    await this.sh(`${converge} secrets ${unit} ${digest} t`, { input: `${lines.join("")}end\n` });
  }

  async check(unit: string): Promise<UnitStatus> {
    const result = await this.run(`${converge} check ${unit}`);
    const status = (JSON.parse(result.stdout) as { units: Record<string, UnitStatus> }).units[unit];
    const expected = status?.drift.length ? 7 : 0;
    if (!status || result.code !== expected) throw new Error(`check: exit ${result.code}\n${result.stdout}`);
    return status;
  }

  async drift(unit: string): Promise<string[]> {
    return (await this.check(unit)).drift;
  }

  async remove(unit: string, ...options: string[]): Promise<string> {
    return this.sh([converge, "remove", unit, ...options].join(" "));
  }

  private async lab(...args: string[]): Promise<void> {
    const result = await collect(spawn(labCommand, args, { env: this.environment() }));
    if (result.code !== 0)
      throw new Error(`lab ${args.join(" ")}: exit ${result.code}\n${result.stdout}${result.stderr}`);
  }

  private ssh(args: readonly string[]): ChildProcessWithoutNullStreams {
    const options = {
      HostName: address,
      IdentityFile: path.join(this.state, "ssh/id_ed25519"),
      UserKnownHostsFile: path.join(this.state, "ssh/known_hosts"),
      BatchMode: "yes",
      ControlMaster: "auto",
      ControlPath: path.join(this.scratch, "%r"),
      ControlPersist: "60",
    };
    const flags = Object.entries(options).flatMap(([name, value]) => ["-o", `${name}=${value}`]);
    // The first value of an option counts: what a caller adds comes first.
    const client = spawn(labCommand, ["exec", "--", "ssh", "-F", "none", ...splice(args, flags)], {
      env: this.environment(),
    });
    client.stdin.on("error", () => undefined); // the reader may be killed before it has read all
    return client;
  }

  private environment(): NodeJS.ProcessEnv {
    return { ...process.env, HASTACK_LAB_STATE: this.state };
  }
}

/** `-o …` of a caller, then ours, then host and command. */
function splice(args: readonly string[], flags: readonly string[]): string[] {
  const own = args[0]?.startsWith("-") ? 2 : 0;
  return [...args.slice(0, own), ...flags, ...args.slice(own)];
}

function collect(client: ChildProcessWithoutNullStreams): Promise<Result> {
  const stdout: Buffer[] = [];
  const stderr: Buffer[] = [];
  client.stdout.on("data", (chunk: Buffer) => stdout.push(chunk));
  client.stderr.on("data", (chunk: Buffer) => stderr.push(chunk));
  return new Promise((resolve, reject) => {
    client.once("error", reject);
    client.once("close", (code) =>
      resolve({
        code: code ?? -1,
        stdout: Buffer.concat(stdout).toString(),
        stderr: Buffer.concat(stderr).toString(),
      }),
    );
  });
}

/** The text with the line that says that it is whole. */
function whole(text: string): string {
  return `${text.replace(/\n$/, "")}\nend\n`;
}
