import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { Hosts } from "../support/hosts";
import { eventually, pause, type Result } from "../support/process";
import { type Settings, Stack } from "../support/stack";
import type { Suite } from "../support/suite";
import { TestLab } from "../support/test-lab";
import { type Account, Clients } from "./clients";
import { rowOf } from "./table";

export type SiteSuite = Suite<Site>;

export const serverName = "rudesktop.example.com";
export const nodes = ["node1", "node2"];
export const balancers = ["nginx1", "nginx2"];
const databases = ["psql1", "psql2", "psql3"];
const caches = ["redis1", "redis2", "redis3"];

/** The whole of RuDesktop: the stack of `npm run dev` on its twelve hosts. */
export class Site {
  readonly lab = new TestLab();
  readonly stack = new Stack(this.lab, {}, "dev");
  /** The authority of all certificates, when the stack is up. */
  readonly caFile = join(this.lab.state, "rudesktop-site-ca.crt");
  /** What clients saw of each fault so far, one line each. */
  readonly rows: string[] = [];
  entry = "";
  private known: Hosts | undefined;

  /** The hosts with the databases. */
  get hosts(): Hosts {
    if (!this.known) throw new Error("the lab was not started");
    return this.known;
  }

  async start(): Promise<void> {
    await this.lab.start("dev");
    const fresh = await this.stack.init();
    const hosts = this.stack.settings["hastack:hosts"] as Record<string, { address: string }>;
    const addresses = databases.map((name) => [name, hosts[name]?.address ?? ""]);
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

  private async readOutputs(): Promise<void> {
    const { ca, entry } = await this.stack.outputs();
    if (typeof ca !== "string") return; // nothing has come up yet
    writeFileSync(this.caFile, ca);
    this.entry = String(entry);
  }

  /** Runs shell text on a host as root, which has to succeed. */
  sh(host: string, script: string): Promise<string> {
    return this.lab.lab(["ssh", host, script], { seconds: 120 }).then((text) => text.trim());
  }

  /** What the entry says of its health: the node that answers, and what that reaches. */
  async health(): Promise<{ node: string; postgres: string; redis: string }> {
    const where = ["--cacert", this.caFile, "--connect-to", `${serverName}::${this.entry}:`];
    const curl = ["curl", "--silent", "--show-error", "--fail", "--max-time", "10", ...where];
    const { code, stdout, stderr } = await this.lab.exec([...curl, `https://${serverName}/health`]);
    if (code !== 0) throw new Error(`curl: ${stderr}`);
    return JSON.parse(stdout) as { node: string; postgres: string; redis: string };
  }

  /** The node that serves this machine, and one that does not. */
  async pair(): Promise<{ serving: string; other: string }> {
    const { node: serving } = await this.health();
    return { serving, other: nodes.find((name) => name !== serving) ?? "" };
  }

  /** What clients see while something goes on, noted in the table; their sessions have to stay valid. */
  async during(what: string, body: (clients: Clients) => Promise<void>): Promise<Account> {
    const clients = await Clients.start(this.lab, this.entry, serverName, this.caFile);
    try {
      await pause(2);
      await body(clients);
      await pause(2);
    } finally {
      await clients.stop();
    }
    this.rows.push(rowOf(what, clients.account));
    assert.equal(clients.account.sessionsRefused, 0, "sessions that were made before stay valid");
    return clients.account;
  }

  /** The host that has the entry's address. */
  async holder(): Promise<string> {
    const shown = await Promise.all(balancers.map((host) => this.sh(host, `ip -o address show to ${this.entry}/32`)));
    const holders = balancers.filter((_, i) => shown[i] !== "");
    if (holders.length !== 1) throw new Error(`${this.entry} is on ${holders.join(", ") || "no host"}`);
    return holders[0] ?? "";
  }

  /** The host whose Redis is the master. */
  async master(): Promise<string> {
    const roles = await Promise.all(caches.map((host) => this.redis(host, "role")));
    const masters = caches.filter((_, i) => roles[i] === "master");
    if (masters.length !== 1) throw new Error(`Redis: ${roles.join(", ")}`);
    return masters[0] ?? "";
  }

  /** Shell text with our functions for asking Redis. */
  private redis(host: string, script: string): Promise<string> {
    return this.sh(host, `. /etc/hastack/redis/library.sh; ${script}`);
  }

  /** Waits until every host does what it is there for. */
  async whole(seconds = 120): Promise<void> {
    await eventually("the site is whole", seconds, async () => {
      assert.deepEqual(await this.streaming(), databases);
      await this.redis(await this.master(), "others_in_step");
      await this.holder();
      for (const host of balancers) {
        assert.doesNotMatch(await this.sh(host, "cat /etc/nginx/hastack/tested/live/upstream.conf"), / down;/, host);
        assert.equal(await this.sh(host, "systemctl is-active nginx keepalived hastack-nginx-readiness"), active(3));
      }
      for (const node of nodes) {
        assert.equal(await this.sh(node, "systemctl is-active nginx rudesktop rudesktop-relay"), active(3));
      }
      const { postgres, redis } = await this.health();
      assert.deepEqual([postgres, redis], ["ok", "ok"]);
      return true;
    });
  }

  /** The leader, and those that stream from it. */
  private async streaming(): Promise<string[]> {
    const leader = await this.hosts.leader();
    const query = "SELECT application_name FROM pg_stat_replication WHERE state = 'streaming'";
    return [leader, ...(await this.hosts.superuser(leader, query)).split("\n")].sort();
  }

  /** `npm run switch-site` for this stack, to its end. */
  switchSite(...words: string[]): Promise<Result> {
    const which = ["--stack", "dev", "--config-file", this.stack.file];
    return this.lab.exec(["npm", "run", "--silent", "switch-site", "--", ...which, ...words], { seconds: 400 });
  }

  /** The part of the settings that is RuDesktop's. */
  configure(changes: Settings): () => void {
    return this.stack.configure({ "hastack:rudesktop": changes });
  }
}

function active(services: number): string {
  return Array(services).fill("active").join("\n");
}
