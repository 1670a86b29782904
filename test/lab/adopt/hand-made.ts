import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Hosts } from "../support/hosts";
import type { Login } from "../support/psql";
import { TestCluster } from "../support/test-cluster";

/** What the cluster's operator has written down. */
const applicationPassword = String.raw`jhYg/=\F`;
const addresses = { psql1: "192.168.1.130", psql2: "192.168.1.131", psql3: "192.168.1.132" };
const proxies = { proxy1: ["MASTER", "100"], proxy2: ["BACKUP", "90"] };
/** The address that the application knows, and PgBouncer's port. */
const entry = { host: "192.168.1.200", options: "port=6432" };

/** The cluster that somebody set up by hand, with the commands in ./by-hand, and the stack that takes it over. */
export class HandMadeCluster extends TestCluster {
  constructor() {
    super("postgres", {
      // the hosts have a source of packages already
      "hastack:apt": undefined,
      "hastack:etcd": { replaces: "patroni-cluster" },
      "hastack:postgres": { adopt: true, roles: [{ name: "workspad", password: applicationPassword }] },
    });
  }

  /** Every machine of its lab. */
  get machines(): Hosts {
    return this.named(() => true);
  }

  /** etcd and Patroni, psql2 as the first leader; a database with rows; PgBouncer and an address in front of it. */
  async setUp(): Promise<void> {
    const key = readFileSync(join(this.lab.state, "apt/archive-keyring.asc"), "utf8");
    await Promise.all(this.machines.names.map((host) => this.byHand(host, "prepare", [], key)));
    const all = Object.entries(addresses);
    const pooling = Object.entries(proxies).map(([name, words]) => this.byHand(name, "proxy", words));
    await Promise.all(all.map(([name, address]) => this.byHand(name, "database", [name, address])));
    for (const name of ["psql2", "psql1", "psql3"] as const) await this.byHand(name, "patroni", [addresses[name]]);
    await this.byHand("psql2", "rows");
    await Promise.all(pooling);
  }

  /** The application as it was installed once, and as it stays; with TLS where there is TLS. */
  get application(): Login {
    return { ...entry, user: "workspad", password: applicationPassword, sslmode: "prefer" };
  }

  private byHand(host: string, script: string, words: readonly string[] = [], input = ""): Promise<string> {
    const text = readFileSync(join(__dirname, "by-hand", `${script}.sh`), "utf8");
    return this.lab.lab(["ssh", host, `set -- ${words.join(" ")}\n${text}`], { input, seconds: 300 });
  }
}
