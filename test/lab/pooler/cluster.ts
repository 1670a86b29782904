import type { Hosts } from "../support/hosts";
import { eventually } from "../support/process";
import type { Login } from "../support/psql";
import type { Settings } from "../support/stack";
import { TestCluster } from "../support/test-cluster";

/** Services of a pooler's host. */
export const services = ["keepalived", "pgbouncer", "haproxy"];
export const virtualIp = "192.168.1.200";
export const port = 6432;

/** An endpoint as it stands in the outputs. */
interface Endpoint {
  url: string;
  conninfo: string;
  caCertificate: string;
}

/** The whole stack `postgres`: the cluster, and two poolers that share an address. */
export class PoolerCluster extends TestCluster {
  private console: Record<string, string> = {};
  /** How applications reach the databases, by database: the stack's output. */
  endpoints: Record<string, Endpoint> = {};

  constructor(changes: Settings = {}) {
    super("postgres", changes);
  }

  /** The poolers' hosts. */
  get proxies(): Hosts {
    return this.named((_, pooler) => pooler);
  }

  override async readOutputs(): Promise<Record<string, unknown>> {
    const outputs = await super.readOutputs();
    this.console = (outputs.console ?? {}) as Record<string, string>;
    this.endpoints = (outputs.endpoints ?? {}) as Record<string, Endpoint>;
    return outputs;
  }

  /** How a client logs in through the address. */
  through(user = "workspad", database = user): Login {
    return { ...this.login(user, virtualIp), database, options: `port=${port}` };
  }

  /** PgBouncer's own console on one host. */
  consoleOf(host: string, user = "pgbouncer_admin"): Login {
    const { [user]: password = "" } = this.console;
    const login = { host, user, password, database: "pgbouncer", options: `port=${port}` };
    return { ...login, sslmode: "verify-full", sslrootcert: this.caFile };
  }

  /** The hosts that have the address now, of those that can be asked. */
  async holders(): Promise<string[]> {
    const { names } = this.proxies;
    const asked = await Promise.allSettled(
      names.map((name) => this.proxies.sh(name, `ip -o address show to ${virtualIp}/32`)),
    );
    return names.filter((_, i) => {
      const answer = asked[i];
      return answer?.status === "fulfilled" && answer.value !== "";
    });
  }

  /** Waits until exactly one host has the address; returns it. */
  holder(seconds = 20): Promise<string> {
    return eventually(`one host has ${virtualIp}`, seconds, async () => {
      const found = await this.holders();
      if (found.length !== 1) throw new Error(`it is on ${found.join(" and ") || "no host"}`);
      return found[0];
    });
  }

  /** The pooler's host that does not have the address, and is able to take it. */
  async spare(seconds = 20): Promise<string> {
    const holder = await this.holder(seconds);
    const [spare = ""] = this.proxies.names.filter((name) => name !== holder);
    await eventually(`${spare} could take ${virtualIp}`, seconds, async () => {
      await this.proxies.sh(
        spare,
        `systemctl is-active ${services.join(" ")} && runuser -u postgres /usr/local/lib/hastack/vip/pooler`,
      );
      return true;
    });
    return spare;
  }

  /** Changes the settings of the poolers and applies them. */
  async change(pooler: Record<string, unknown>): Promise<string> {
    this.stack.configure({ "hastack:pooler": pooler });
    return this.up();
  }

  async clean(): Promise<void> {
    await this.stack.unchanged();
  }
}
