import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { stringify } from "yaml";
import { sql, sqlIdentifier } from "../../../components/formats";
import { replaceFile } from "./files";
import { eventually, failure, type Result } from "./process";
import type { Settings } from "./stack";
import { repository, TestLab } from "./test-lab";

const stack = "test";

/** The host with what the nodes need of others. */
export const dataAddress = "192.168.1.150";

/** A database and who may log in. */
interface Database {
  name: string;
  user: string;
  password: string;
}

/** Two nodes of an application, and a host with a PostgreSQL and more that was set up by hand. */
export abstract class NodeSite {
  readonly lab = new TestLab();
  readonly nodes = ["node1", "node2"] as const;
  private readonly settingsFile: string;
  private readonly authorityFile: string;
  private settings: Settings = {};

  /**
   * @param name of the application: the lab's topology is `NAME-node`
   * @param program directory of the program that makes the nodes
   * @param address where a node serves, after its name, e.g. ":4430"
   */
  constructor(
    private readonly name: string,
    private readonly program: string,
    private readonly address: string,
  ) {
    this.settingsFile = join(this.lab.state, `Pulumi.${name}-test.yaml`);
    this.authorityFile = join(this.lab.state, `${name}-ca.crt`);
  }

  /** Sets up what the nodes need of others, unless it is there; returns the settings that name it. */
  protected abstract setUp(): Promise<Settings>;

  async start(): Promise<void> {
    await this.lab.start(`${this.name}-node`);
    this.configure({
      "hastack:lab": "true",
      "hastack:probe": "required",
      "hastack:hosts": { node1: { address: "192.168.1.122" }, node2: { address: "192.168.1.123" } },
      "hastack:ssh": {
        user: "deploy",
        privateKeyFile: ".lab/ssh/id_ed25519",
        knownHostsFile: ".lab/ssh/known_hosts",
      },
      "hastack:apt": {
        uri: "http://192.168.1.1:8080/debian-12",
        suite: "./",
        keyFile: ".lab/apt/archive-keyring.asc",
      },
      ...(await this.setUp()),
    });
    const { code, stdout, stderr } = await this.engine(["stack", "select", "--create", stack]);
    if (code !== 0) throw new Error(stdout + stderr);
  }

  stop(): void {
    this.lab.stop();
  }

  /** Changes the stack's settings, undefined takes one away; returns what restores them. */
  configure(changes: Settings): () => void {
    const before = this.settings;
    this.settings = { ...before, ...changes };
    const write = () => writeFileSync(this.settingsFile, stringify({ config: this.settings }));
    write();
    return () => {
      this.settings = before;
      write();
    };
  }

  /** Applies the settings; returns what the engine printed. */
  async up(): Promise<string> {
    const printed = await this.succeeds("up", "--yes", "--skip-preview", "--suppress-progress");
    replaceFile(this.authorityFile, String((await this.outputs()).authority));
    return printed;
  }

  /** All outputs with their secrets in clear. */
  async outputs(): Promise<Record<string, unknown>> {
    const { stdout } = await this.engine(["stack", "output", "--json", "--show-secrets", "--stack", stack]);
    return JSON.parse(stdout) as Record<string, unknown>;
  }

  /** A run of the engine that has to succeed; returns what it printed. */
  async succeeds(command: string, ...flags: string[]): Promise<string> {
    const result = await this.run(command, ...flags);
    if (result.code !== 0) throw new Error(failure("pulumi", [command], result));
    return result.stdout + result.stderr;
  }

  /** One that has to fail. */
  async fails(command: string, ...flags: string[]): Promise<string> {
    const result = await this.run(command, ...flags);
    if (result.code === 0) throw new Error(`pulumi ${command} succeeded, and should not:\n${result.stdout}`);
    return result.stdout + result.stderr;
  }

  private run(command: string, ...flags: string[]): Promise<Result> {
    return this.engine([command, ...flags, "--stack", stack, "--config-file", this.settingsFile, "--color", "never"]);
  }

  private engine(args: readonly string[]): Promise<Result> {
    const program = join(repository, this.program);
    return this.lab.exec(["pulumi", "--cwd", program, ...args, "--non-interactive"], { seconds: 400 });
  }

  /** Runs shell text on a host as root, which has to succeed. */
  on(host: string, script: string, input?: string): Promise<string> {
    return this.lab.lab(["ssh", host, script], { seconds: 180, ...(input !== undefined && { input }) });
  }

  /** Asks a node over verified TLS; the status and the body. */
  async ask(node: string, path: string, ...options: string[]): Promise<{ status: number; body: string }> {
    const command = ["curl", "-sS", "--max-time", "10", "--cacert", this.authorityFile, "-w", "\n%{http_code}"];
    const result = await this.lab.exec([...command, ...options, `https://${node}${this.address}${path}`]);
    if (result.code !== 0) throw new Error(failure("curl", [node, path], result));
    const lines = result.stdout.split("\n");
    return { status: Number(lines.pop()), body: lines.join("\n") };
  }

  /** A session, made on a node. */
  async logIn(node: string): Promise<string> {
    const { status, body } = await this.ask(node, "/api/login", "--json", '{"user":"admin","password":"admin"}');
    if (status !== 200) throw new Error(`login on ${node}: ${status} ${body}`);
    return (JSON.parse(body) as { session: string }).session;
  }

  /** systemd's id of this run of each service, by `NODE SERVICE`. */
  async invocations(...services: string[]): Promise<Record<string, string>> {
    const found: Record<string, string> = {};
    for (const node of this.nodes) {
      const shown = await this.on(
        node,
        `systemctl show --property=InvocationID --value ${services.join(" ")} | grep .`,
      );
      for (const [i, id] of shown.trim().split("\n").entries()) found[`${node} ${services[i]}`] = id;
    }
    return found;
  }

  /** Waits until a node serves. */
  healthy(node: string): Promise<true> {
    return eventually(`${node} is healthy`, 60, async () =>
      (await this.ask(node, "/health")).status === 200 ? true : undefined,
    );
  }

  /** Packages on the host with the data, from the lab's mirror. */
  protected async install(...packages: string[]): Promise<void> {
    const key = readFileSync(join(this.lab.state, "apt/archive-keyring.asc"), "utf8");
    await this.on("data", "cat >/etc/apt/keyrings/lab.asc", key);
    await this.on(
      "data",
      [
        "set -eu",
        "echo 'deb [signed-by=/etc/apt/keyrings/lab.asc] http://192.168.1.1:8080/debian-12 ./' >/etc/apt/sources.list.d/lab.list",
        "apt-get -qq update",
        `DEBIAN_FRONTEND=noninteractive apt-get -qq -y --no-install-recommends install ${packages.join(" ")} >/dev/null`,
      ].join("\n"),
    );
  }

  /** A PostgreSQL with TLS there, installed before, with one database; returns PEM of its certificate. */
  protected async setUpPostgres({ name, user, password }: Database): Promise<string> {
    await this.on(
      "data",
      [
        "set -eu",
        "cd /etc/postgresql/15/main",
        "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=data " +
          `-addext subjectAltName=IP:${dataAddress} -keyout server.key -out server.crt`,
        "chown postgres: server.key server.crt",
        `printf '%s\\n' "listen_addresses = '*'" 'ssl = on' "ssl_cert_file = '/etc/postgresql/15/main/server.crt'" "ssl_key_file = '/etc/postgresql/15/main/server.key'" >conf.d/test.conf`,
        "echo 'hostssl all all 192.168.1.0/24 scram-sha-256' >>pg_hba.conf",
        "systemctl restart postgresql@15-main",
      ].join("\n"),
    );
    await this.on(
      "data",
      "cd /; runuser -u postgres -- psql -qXv ON_ERROR_STOP=1 -f -",
      `CREATE ROLE ${sqlIdentifier(user)} LOGIN PASSWORD ${sql(password)};\n` +
        `CREATE DATABASE ${sqlIdentifier(name)} OWNER ${sqlIdentifier(user)};\n`,
    );
    return this.postgresCertificate();
  }

  /** PEM, or nothing before it is set up. */
  protected postgresCertificate(): Promise<string> {
    return this.on("data", "cat /etc/postgresql/15/main/server.crt 2>/dev/null || true");
  }
}
