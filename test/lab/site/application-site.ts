import { join } from "node:path";
import { replaceFile } from "../support/files";
import { Hosts } from "../support/hosts";
import { failure } from "../support/process";
import { type Settings, Stack } from "../support/stack";
import { TestLab } from "../support/test-lab";
import { type Application, Clients } from "./clients";

/** The hosts of an application's stack, by what they are there for. */
interface Parts {
  balancers: readonly string[];
  databases: readonly string[];
}

/** An application whole: a stack on all its hosts, and clients who come through its entry. */
export abstract class ApplicationSite {
  readonly lab = new TestLab();
  readonly stack: Stack;
  /** The authority of all certificates, when the stack is up. */
  readonly caFile: string;
  entry = "";
  private known: Hosts | undefined;

  /**
   * @param name of the stack
   * @param settings what it has otherwise than the stack in the repository
   * @param topology of its hosts in the lab
   */
  constructor(
    name: string,
    private readonly parts: Parts,
    private readonly application: Application,
    settings: Settings = {},
    private readonly topology = name,
  ) {
    this.stack = new Stack(this.lab, settings, name);
    this.caFile = join(this.lab.state, `${name}-site-ca.crt`);
  }

  /** The hosts with the databases. */
  get hosts(): Hosts {
    if (!this.known) throw new Error("the lab was not started");
    return this.known;
  }

  async start(): Promise<void> {
    await this.lab.start(this.topology);
    const fresh = await this.stack.init();
    const hosts = this.stack.settings["hastack:hosts"] as Record<string, { address: string }>;
    const addresses = this.parts.databases.map((name) => [name, hosts[name]?.address ?? ""]);
    this.known = new Hosts(this.lab, Object.fromEntries(addresses), this.caFile);
    if (!fresh) await this.readOutputs();
  }

  stop(): void {
    this.lab.stop();
  }

  /** Applies the settings; returns what the engine printed. */
  async up(): Promise<string> {
    const printed = await this.stack.succeeds(this.stack.up());
    await this.readOutputs();
    return printed;
  }

  protected async readOutputs(): Promise<Record<string, unknown>> {
    const outputs = await this.stack.outputs();
    if (typeof outputs.ca !== "string") return outputs; // nothing has come up yet
    replaceFile(this.caFile, outputs.ca);
    this.entry = String(outputs.entry);
    return outputs;
  }

  /** Runs shell text on a host as root, which has to succeed. */
  sh(host: string, script: string): Promise<string> {
    return this.lab.lab(["ssh", host, script], { seconds: 120 }).then((text) => text.trim());
  }

  /** Asks the entry, which has to answer well; the answer as text. */
  async ask(path: string, ...options: string[]): Promise<string> {
    const { serverName } = this.application;
    const where = ["--cacert", this.caFile, "--connect-to", `${serverName}::${this.entry}:`];
    const command = ["curl", "--silent", "--show-error", "--fail", "--max-time", "10", ...where, ...options];
    const result = await this.lab.exec([...command, `https://${serverName}${path}`]);
    if (result.code !== 0) throw new Error(failure("curl", [path], result));
    return result.stdout;
  }

  /** Returns when all of them have sessions, and are connected. */
  protected clients(): Promise<Clients> {
    return Clients.start(this.lab, this.entry, this.caFile, this.application);
  }

  /** The host that has the entry's address. */
  holder(): Promise<string> {
    return this.holderOf(this.entry, this.parts.balancers);
  }

  /** The only one of these hosts that has an address. */
  protected async holderOf(address: string, hosts: readonly string[]): Promise<string> {
    const shown = await Promise.all(hosts.map((host) => this.sh(host, `ip -o address show to ${address}/32`)));
    const holders = hosts.filter((_, i) => shown[i] !== "");
    if (holders.length !== 1) throw new Error(`${address} is on ${holders.join(", ") || "no host"}`);
    return holders[0] ?? "";
  }

  /** The leader of the databases, and those that stream from it. */
  protected async streaming(): Promise<string[]> {
    const leader = await this.hosts.leader();
    const query = "SELECT application_name FROM pg_stat_replication WHERE state = 'streaming'";
    return [leader, ...(await this.hosts.superuser(leader, query)).split("\n")].sort();
  }
}

/** What `systemctl is-active` prints of so many services that run. */
export function active(services: number): string {
  return Array(services).fill("active").join("\n");
}
