import type { ChildProcessWithoutNullStreams } from "node:child_process";
import { join } from "node:path";
import { Hosts } from "../support/hosts";
import { eventually } from "../support/process";
import { Stack } from "../support/stack";
import type { Suite } from "../support/suite";
import { TestLab } from "../support/test-lab";
import type { Answer, Order } from "./client";

/** Tests that share the Redis hosts. */
export type RedisSuite = Suite<TestRedis>;

/** The stack's output `endpoint`. */
interface Endpoint {
  host: string;
  port: number;
  password: string;
  caCertificate: string;
  url: string;
}

const program = ["node", "--import", "tsx", join(__dirname, "client.ts")];

export function beginClient(lab: TestLab, order: Order): ChildProcessWithoutNullStreams {
  const client = lab.begin(program);
  client.stdin.end(`${JSON.stringify(order)}\n`);
  return client;
}

/** What all tests of Redis share: the lab, the stack in it, its hosts. */
export class TestRedis {
  readonly lab = new TestLab();
  readonly stack = new Stack(this.lab, {}, "redis");
  private known: { hosts: Hosts; endpoint: Endpoint | undefined } | undefined;

  get hosts(): Hosts {
    if (!this.known) throw new Error("the lab was not started");
    return this.known.hosts;
  }

  get endpoint(): Endpoint {
    if (!this.known?.endpoint) throw new Error("the stack was not brought up");
    return this.known.endpoint;
  }

  async start(): Promise<void> {
    await this.lab.start("redis");
    await this.stack.init();
    const hosts = this.stack.settings["hastack:hosts"] as Record<string, { address: string }>;
    const addresses = Object.entries(hosts).map(([name, { address }]) => [name, address]);
    this.known = { hosts: new Hosts(this.lab, Object.fromEntries(addresses), ""), endpoint: undefined };
    await this.readOutputs();
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

  private async readOutputs(): Promise<void> {
    const { endpoint } = await this.stack.outputs();
    if (this.known) this.known.endpoint = endpoint as Endpoint | undefined;
  }

  /** How the application connects, but for what is given. */
  order(other: Partial<Order> = {}): Order {
    const { host, port, caCertificate: ca, password } = this.endpoint;
    return { server: { host, port, ca }, password, ...other };
  }

  /** What is answered; where nobody can log in, why. */
  async ask(commands: (string | number)[][], other: Partial<Order> = {}): Promise<Answer[]> {
    const input = `${JSON.stringify({ ...this.order(other), commands })}\n`;
    const { stdout } = await this.lab.exec(program, { input });
    return stdout
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as Answer);
  }

  /** Shell text on a host with our functions for asking Redis and Sentinel. */
  sh(host: string, script: string): Promise<string> {
    return this.hosts.sh(host, `. /etc/hastack/redis/library.sh; ${script}`).then((text) => text.trim());
  }

  /** The host that most Sentinels name the master, and that says so itself. */
  async master(): Promise<string> {
    const named = await Promise.all(this.hosts.names.map((host) => this.sh(host, "master").catch(() => "")));
    for (const [name, address] of Object.entries(this.hosts.addresses)) {
      if (named.filter((found) => found === address).length < 2) continue;
      const role = await this.sh(name, "role");
      if (role !== "master") throw new Error(`${name} is named the master, and it is ${role}`);
      return name;
    }
    throw new Error(`the Sentinels name ${named.join(", ")}`);
  }

  /** Waits for a master that all others follow. */
  whole(seconds = 60): Promise<string> {
    return eventually("there is a master, and all others are in step with it", seconds, async () => {
      const master = await this.master();
      await this.sh(master, "others_in_step");
      return master;
    });
  }

  async replicas(): Promise<string[]> {
    const master = await this.whole();
    return this.hosts.names.filter((name) => name !== master);
  }

  /** A preview that would change nothing. */
  async clean(): Promise<void> {
    await this.stack.unchanged();
  }
}
