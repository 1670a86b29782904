import assert from "node:assert/strict";
import { ApplicationSite, active } from "../site/application-site";
import type { Account, Application, Clients } from "../site/clients";
import { eventually, pause, type Result } from "../support/process";
import type { Settings } from "../support/stack";
import type { Suite } from "../support/suite";
import { rowOf } from "./table";

export type SiteSuite = Suite<Site>;

export const nodes = ["node1", "node2"];
export const balancers = ["nginx1", "nginx2"];
const databases = ["psql1", "psql2", "psql3"];
const caches = ["redis1", "redis2", "redis3"];
export const devices = 50;

const application: Application = {
  serverName: "rudesktop.example.com",
  users: 5,
  reads: ["/api/devices", "/api/session"],
  sessionHeader: { name: "Authorization", prefix: "Bearer " },
  networks: false,
  devices,
  relay: "/relay/",
};

/** The whole of RuDesktop: the stack of `npm run dev`. */
export class Site extends ApplicationSite {
  /** What clients saw of each fault so far, one line each. */
  readonly rows: string[] = [];

  constructor(settings: Settings = {}, topology = "dev") {
    super("dev", { balancers, databases }, application, settings, topology);
  }

  /** What the entry says of its health: the node that answers, and what that reaches. */
  async health(): Promise<{ node: string; postgres: string; redis: string }> {
    return JSON.parse(await this.ask("/health")) as { node: string; postgres: string; redis: string };
  }

  /** The node that serves this machine, and one that does not. */
  async pair(): Promise<{ serving: string; other: string }> {
    const { node: serving } = await this.health();
    return { serving, other: nodes.find((name) => name !== serving) ?? "" };
  }

  /** What clients see while something goes on, noted in the table; their sessions have to stay valid. */
  async during(what: string, body: (clients: Clients) => Promise<void>): Promise<Account> {
    const clients = await this.clients();
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
