import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { shell } from "../../../components/formats";
import { Clients } from "../site/clients";
import { workspad } from "../site/workspad";
import type { Hosts } from "../support/hosts";
import type { Login } from "../support/psql";
import { TestCluster } from "../support/test-cluster";

/** What the cluster's operator has written down. */
const applicationPassword = String.raw`jhYg/=\F`;
const databases = { psql1: "192.168.1.130", psql2: "192.168.1.131", psql3: "192.168.1.132" };
const proxies = { proxy1: ["MASTER", "100"], proxy2: ["BACKUP", "90"] };
/** The address that the nodes know, and PgBouncer's port. */
const entry = { host: "192.168.1.200", options: "port=6432" };
const answers = ["192.168.1.200:6432", "workspad", "workspad", applicationPassword];
const certificates = "/opt/workspad/certificates";

export const nodes = ["node1", "node2"];
export const balancer = { name: "nginx1", address: "192.168.1.127" };
const second = { name: "nginx2", address: "192.168.1.126", sharedAddress: "192.168.1.220" };
const application = workspad({ users: 6, networks: false });

/** WorksPad as somebody set it up by hand, with the commands in ./by-hand, and the stack that takes it over. */
export class HandMadeCluster extends TestCluster {
  /** PEM of the company's certificate, which users trust. */
  private readonly companyFile = join(this.lab.state, "company.crt");

  constructor() {
    super(
      "workspad",
      {
        // the hosts have a source of packages already
        "hastack:apt": undefined,
        "hastack:hosts": { [second.name]: undefined, node3: undefined },
        "hastack:etcd": { replaces: "patroni-cluster" },
        "hastack:postgres": {
          adopt: true,
          scope: "workspad-cluster",
          roles: [{ name: "workspad", password: applicationPassword }],
        },
        "hastack:pooler": { vrrp: { routerId: 70 } },
        "hastack:workspad": {
          balancer: { hosts: [balancer.name], virtualIp: undefined },
          activeDirectory: undefined,
          exchange: undefined,
        },
      },
      "adopt",
    );
  }

  protected override isMember(name: string): boolean {
    return name in databases;
  }

  /** Every machine of its lab. */
  get machines(): Hosts {
    return this.named(() => true);
  }

  /**
   * etcd and Patroni, psql2 as the first leader; a database with rows; PgBouncer and an address in front of it; nodes that
   * share node1's data-protection certificate, and nginx.
   */
  async setUp(): Promise<void> {
    await Promise.all(this.machines.names.map((host) => this.prepare(host)));
    const all = Object.entries(databases);
    const pooling = Object.entries(proxies).map(([name, words]) => this.byHand(name, "proxy", words));
    await Promise.all(all.map(([name, address]) => this.byHand(name, "database", [name, address])));
    for (const name of ["psql2", "psql1", "psql3"] as const) await this.byHand(name, "patroni", [databases[name]]);
    await this.byHand("psql2", "rows");
    await Promise.all(pooling);

    const balancing = this.byHand(balancer.name, "nginx");
    await Promise.all(nodes.map((node) => this.byHand(node, "node", answers)));
    const { certificate, privateKey } = await this.dataProtection("node1");
    await this.byHand("node2", "copied-certificate", [], certificate + privateKey);
    await balancing;
  }

  /** What the operator copies from the old machines into the stack's settings. */
  async configureCertificates(): Promise<void> {
    const company = await this.company();
    writeFileSync(this.companyFile, company.certificate);
    const protection = await this.dataProtection("node1");
    await this.stack.configureSecrets({
      "hastack:workspad.dataProtection.certificate": protection.certificate,
      "hastack:workspad.dataProtection.privateKey": protection.privateKey,
      "hastack:workspad.balancer.certificate.certificate": company.certificate,
      "hastack:workspad.balancer.certificate.privateKey": company.privateKey,
    });
  }

  /**
   * A host for a second nginx, and an address for both; in the settings as well.
   * @returns the address
   */
  async secondBalancer(): Promise<string> {
    await this.prepare(second.name);
    this.stack.configure({
      "hastack:hosts": { [second.name]: { address: second.address, memoryMiB: 512, cores: 1 } },
      "hastack:workspad": {
        balancer: { hosts: [balancer.name, second.name], virtualIp: `${second.sharedAddress}/24` },
      },
    });
    return second.sharedAddress;
  }

  async dataProtection(node: string): Promise<{ certificate: string; privateKey: string }> {
    return this.pair(node, `${certificates}/dataprotection`);
  }

  private company() {
    return this.pair(balancer.name, "/etc/nginx/ssl/workspad");
  }

  private async pair(host: string, file: string): Promise<{ certificate: string; privateKey: string }> {
    const [certificate = "", privateKey = ""] = await Promise.all(
      ["crt", "key"].map((suffix) => this.machines.sh(host, `cat ${file}.${suffix}`)),
    );
    return { certificate, privateKey };
  }

  /** Users with sessions that are made at the start. */
  users(address = balancer.address): Promise<Clients> {
    return Clients.start(this.lab, address, this.companyFile, application);
  }

  /** A client of the database as it was installed once, and as it stays; with TLS where there is TLS. */
  get writer(): Login {
    return { ...entry, user: "workspad", password: applicationPassword, sslmode: "prefer" };
  }

  private prepare(host: string): Promise<string> {
    const key = readFileSync(join(this.lab.state, "apt/archive-keyring.asc"), "utf8");
    return this.byHand(host, "prepare", [], key);
  }

  private byHand(host: string, script: string, words: readonly string[] = [], input = ""): Promise<string> {
    const text = readFileSync(join(__dirname, "by-hand", `${script}.sh`), "utf8");
    return this.lab.lab(["ssh", host, `set -- ${words.map(shell).join(" ")}\n${text}`], { input, seconds: 300 });
  }
}
