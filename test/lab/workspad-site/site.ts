import assert from "node:assert/strict";
import { ApplicationSite, active } from "../site/application-site";
import { type Account as Answers, type Clients, complaints } from "../site/clients";
import { workspad } from "../site/workspad";
import { Ledger, type Account as Rows } from "../support/ledger";
import { emptyLedger, ledgerRows } from "../support/ledger-table";
import { eventually, pause } from "../support/process";
import type { Login } from "../support/psql";
import type { Suite } from "../support/suite";
import { rowOf } from "./table";

export type SiteSuite = Suite<Site>;

export const balancers = ["nginx1", "nginx2"];
export const nodes = ["node1", "node2", "node3"];
export const proxies = ["proxy1", "proxy2"];
export const databases = ["psql1", "psql2", "psql3"];
export const node4 = { address: "192.168.1.125", memoryMiB: 512, cores: 1 };

const application = workspad({ users: 12, networks: true });

/** What users of the site and writers of its database saw of something. */
export interface Seen {
  answers: Answers;
  rows: Rows;
}

/** An endpoint as it stands in the outputs. */
interface Endpoint {
  host: string;
  port: number;
  conninfo: string;
}

/** The whole of WorksPad: the stack `workspad` on its ten hosts, and one more to spare. */
export class Site extends ApplicationSite {
  /** What was seen of each fault so far, one line each. */
  readonly rows: string[] = [];
  private endpoint: Endpoint = { host: "", port: 0, conninfo: "" };
  private consolePassword = "";

  constructor() {
    // This machine is the proxy that users of many networks come through: ip_hash spreads those.
    super("workspad", { balancers, databases }, application, {
      "hastack:workspad": { balancer: { trustedProxies: ["192.168.1.1/32"] } },
    });
  }

  protected override async readOutputs(): Promise<Record<string, unknown>> {
    const outputs = await super.readOutputs();
    const { workspad } = (outputs.endpoints ?? {}) as { workspad?: Endpoint };
    if (workspad) this.endpoint = workspad;
    this.consolePassword = (outputs.console as Record<string, string> | undefined)?.pgbouncer_admin ?? "";
    return outputs;
  }

  /** The address that leads to the primary. */
  get databaseAddress(): string {
    return this.endpoint.host;
  }

  /** The proxy that has it. */
  proxyHolder(): Promise<string> {
    return this.holderOf(this.databaseAddress, proxies);
  }

  /** PgBouncer's own console on a proxy. */
  consoleOf(proxy: string): Login {
    const login = { host: proxy, user: "pgbouncer_admin", password: this.consolePassword, database: "pgbouncer" };
    return { ...login, options: `port=${this.endpoint.port}`, sslmode: "verify-full", sslrootcert: this.caFile };
  }

  /** A new session, as curl's options. */
  async session(): Promise<string[]> {
    const said = await this.ask("/api/login", "--json", '{"user":"admin","password":"admin"}');
    return ["--cookie", `WorksPad.Session=${(JSON.parse(said) as { session: string }).session}`];
  }

  /** The node that answers at the entry; its answer has come from the database. */
  async answers(): Promise<string> {
    return (JSON.parse(await this.ask("/health")) as { node: string }).node;
  }

  /** What a host does just now that others would have to take over. */
  async duty(host: string): Promise<string> {
    if (host === (await this.holder())) return " with the entry's address";
    if (host === (await this.proxyHolder())) return " with the database's address";
    return host === (await this.hosts.leader()) ? " with the primary" : "";
  }

  /** What users and writers see while something goes on; users' sessions have to stay valid, and all rows be there. */
  async during(what: string, body: (ledger: Ledger) => Promise<void>): Promise<Seen> {
    await emptyLedger(this.hosts, await this.hosts.leader());
    const ledger = this.ledger();
    const clients = await this.startBoth(ledger);
    try {
      await pause(2);
      await body(ledger);
      await ledger.moreRows(20, 90);
      await pause(2);
    } finally {
      await clients.stop();
      await ledger.stop();
    }
    const seen = { answers: clients.account, rows: ledger.account(await ledgerRows(this.hosts)) };
    this.rows.push(rowOf(what, seen));
    assert.deepEqual(seen.rows.lost, [], "rows that were acknowledged are there");
    assert.deepEqual(seen.rows.duplicated, []);
    assert.equal(seen.answers.sessionsRefused, 0, complaints(seen.answers.reads).join("\n"));
    return seen;
  }

  private async startBoth(ledger: Ledger): Promise<Clients> {
    const clients = await this.clients();
    try {
      await ledger.start();
    } catch (error) {
      await clients.stop();
      throw error;
    }
    return clients;
  }

  /** Writers through the database's address. They give up only when TCP does: a failover is a pause. */
  private ledger(): Ledger {
    const { host, conninfo } = this.endpoint;
    const login = { host, user: "workspad", password: "", sslmode: "verify-full", sslrootcert: this.caFile };
    return new Ledger(this.lab, login, { connections: 2, options: `${conninfo} connect_timeout=150`, patience: 150 });
  }

  /** Requests that a node has answered since a moment, by both balancers' logs. */
  async answeredBy(address: string, since: Date): Promise<number> {
    const from = since.toISOString().slice(0, 19);
    const count = `awk -v from='[${from}' '$4 >= from && index($0, "\\"${address}:4430\\" \\"200\\"")' /var/log/nginx/hastack/access.log | wc -l`;
    const counts = await Promise.all(balancers.map((host) => this.sh(host, count)));
    return counts.reduce((sum, found) => sum + Number(found), 0);
  }

  /** systemd's id of this run of a service, by host: it changes with every start. */
  async invocations(service: string, hosts: readonly string[]): Promise<Record<string, string>> {
    const ids = await Promise.all(hosts.map((host) => this.sh(host, `systemctl show -P InvocationID ${service}`)));
    return Object.fromEntries(hosts.map((host, i) => [host, ids[i] ?? ""]));
  }

  /** Waits until every host does what it is there for. */
  async whole(seconds = 120): Promise<void> {
    await eventually("the site is whole", seconds, async () => {
      assert.deepEqual(await this.streaming(), databases);
      const synchronous = "SELECT count(*) FROM pg_stat_replication WHERE sync_state = 'sync'";
      assert.equal(await this.hosts.superuser(await this.hosts.leader(), synchronous), "1");
      await this.holder();
      await this.proxyHolder();
      for (const host of balancers) {
        assert.doesNotMatch(await this.sh(host, "cat /etc/nginx/hastack/tested/live/upstream.conf"), / down;/, host);
        assert.equal(await this.sh(host, "systemctl is-active nginx keepalived hastack-nginx-readiness"), active(3));
      }
      for (const host of proxies) {
        const could = "runuser -u postgres /usr/local/lib/hastack/vip/pooler";
        assert.equal(await this.sh(host, `systemctl is-active pgbouncer haproxy keepalived && ${could}`), active(3));
      }
      for (const host of nodes) assert.equal(await this.sh(host, "systemctl is-active workspad-gateway"), active(1));
      return this.answers();
    });
  }
}
