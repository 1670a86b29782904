import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { Hosts } from "./hosts";
import { eventually } from "./process";
import type { Login } from "./psql";
import { databasesOnly, type Settings, Stack } from "./stack";
import { TestLab } from "./test-lab";

/** What all tests of the cluster share: the lab, the stack in it, its hosts. */
export class TestCluster {
  readonly lab = new TestLab();
  readonly stack: Stack;
  /** The authority's certificate, when the stack is up. */
  readonly caFile = join(this.lab.state, "ca.crt");
  /** Whether the stack had no resources at the start. */
  fresh = false;
  /** Command lines of processes on the hosts that were seen while stacks were brought up. */
  readonly commandLines: string[] = [];
  private passwords: Record<string, string> = {};
  private known: Hosts | undefined;

  /**
   * @param name of the stack in the repository
   * @param changes what the suite's stack has otherwise than the one in the repository
   * @param topology of its hosts in the lab
   */
  constructor(
    name = "postgres",
    changes: Settings = databasesOnly,
    private readonly topology = name,
  ) {
    this.stack = new Stack(this.lab, changes, name);
  }

  /** The members of the cluster. */
  get hosts(): Hosts {
    if (!this.known) throw new Error("the lab was not started");
    return this.known;
  }

  async start(): Promise<void> {
    await this.lab.start(this.topology);
    this.fresh = await this.stack.init();
    this.known = this.named((name, pooler) => this.isMember(name, pooler));
    if (!this.fresh) await this.readOutputs();
  }

  /** Whether a host of the settings is one of the databases. */
  protected isMember(_name: string, pooler: boolean): boolean {
    return !pooler;
  }

  /** Those hosts of the settings that are chosen. */
  protected named(choose: (name: string, pooler: boolean) => boolean): Hosts {
    const hosts = this.stack.settings["hastack:hosts"] as Record<string, { address: string }>;
    const { hosts: poolers = [] } = (this.stack.settings["hastack:pooler"] ?? {}) as { hosts?: string[] };
    const chosen = Object.entries(hosts).filter(([name]) => choose(name, poolers.includes(name)));
    return new Hosts(this.lab, Object.fromEntries(chosen.map(([name, { address }]) => [name, address])), this.caFile);
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

  /** Takes over what the stack gives to its clients. */
  async readOutputs(): Promise<Record<string, unknown>> {
    const outputs = await this.stack.outputs();
    const { ca, passwords } = outputs;
    if (typeof ca !== "string") return outputs; // nothing has come up yet
    writeFileSync(this.caFile, ca);
    this.passwords = passwords as Record<string, string>;
    return outputs;
  }

  passwordOf(role: string): string {
    const password = this.passwords[role];
    if (password === undefined) throw new Error(`the stack has no password of ${role}`);
    return password;
  }

  /** How a client logs in: by default wherever the primary is. */
  login(user: string, host = this.hosts.names.join(",")): Login {
    return { host, user, password: this.passwordOf(user), sslmode: "verify-full", sslrootcert: this.caFile };
  }

  /** Waits for a leader, and for all other members to stream from it. */
  async whole(seconds = 60): Promise<string> {
    return eventually("the cluster has a leader, and all other members stream from it", seconds, async () => {
      const leader = await this.hosts.leader();
      const query = "SELECT application_name FROM pg_stat_replication WHERE state = 'streaming' ORDER BY 1";
      const streaming = (await this.hosts.superuser(leader, query)).split("\n");
      const missing = this.hosts.names.filter((name) => name !== leader && !streaming.includes(name));
      if (missing.length > 0) throw new Error(`${leader} leads; not streaming: ${missing.join(", ")}`);
      // A member that has just come back says it of itself a moment later.
      for (const name of this.hosts.names) await this.hosts.sh(name, "/usr/local/lib/hastack/patroni/rest.py health");
      return leader;
    });
  }
}
