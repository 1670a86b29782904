import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Hosts } from "../support/hosts";
import { eventually } from "../support/process";
import { TestCluster } from "../support/test-cluster";
import { repository } from "../support/test-lab";

const topology = "postgres5";

/** A cluster that grows and shrinks: three of the five hosts of its lab at first. */
export class ChangingCluster extends TestCluster {
  private readonly machines = addressesIn(topology);

  override async start(): Promise<void> {
    await this.lab.start(topology);
    this.fresh = await this.stack.init();
  }

  /** The members as the settings name them now. */
  override get hosts(): Hosts {
    const members = this.stack.settings["hastack:hosts"] as Record<string, { address: string }>;
    const addresses = Object.entries(members).map(([name, { address }]) => [name, address]);
    return new Hosts(this.lab, Object.fromEntries(addresses), this.caFile);
  }

  /** All hosts of the lab, members or not. */
  get machine(): Hosts {
    return new Hosts(this.lab, this.machines, this.caFile);
  }

  /** Says in the settings which hosts are members; `up` makes it so. */
  consistsOf(...members: readonly string[]): void {
    const hosts: Record<string, unknown> = {};
    for (const [name, address] of Object.entries(this.machines)) {
      hosts[name] = members.includes(name) ? { address, memoryMiB: 1024, cores: 2 } : undefined;
    }
    this.stack.configure({ "hastack:hosts": hosts });
  }

  /** Changes the settings of PostgreSQL and applies them. */
  async change(postgres: Record<string, unknown>): Promise<void> {
    this.stack.configure({ "hastack:postgres": postgres });
    await this.up();
  }

  async clean(): Promise<void> {
    await this.stack.unchanged();
  }

  /** When PostgreSQL was last started on each member, in seconds since the epoch. */
  async starts(): Promise<Record<string, number>> {
    const query = "SELECT extract(epoch FROM pg_postmaster_start_time())";
    return byHost(this.hosts.names, async (host) => Number(await this.hosts.superuser(host, query)));
  }

  /** A parameter as PostgreSQL on each member runs with it. */
  async inForce(parameter: string): Promise<Record<string, string>> {
    return byHost(this.hosts.names, (host) => this.hosts.superuser(host, `SHOW ${parameter}`));
  }

  /** The names of etcd's members by their ids, when all of them are healthy. */
  async quorum(seconds = 30): Promise<Record<string, string>> {
    const wanted = this.hosts.names.length;
    const [first = ""] = this.hosts.names;
    return eventually(`etcd has ${wanted} healthy members and no other`, seconds, async () => {
      const health = await this.hosts.sh(first, etcdctl("endpoint health --cluster 2>&1"));
      const list = await this.hosts.sh(first, etcdctl("member list"));
      const members = [...list.matchAll(/^(\w+), started, (\w+), /gm)].map(([, id = "", name = ""]) => [id, name]);
      const healthy = health.match(/ is healthy: /g)?.length ?? 0;
      if (healthy !== wanted || members.length !== wanted || list.trim().split("\n").length !== wanted)
        throw new Error(list + health);
      return Object.fromEntries(members);
    });
  }

  /** Hands the leadership to a member. */
  async handTo(member: string): Promise<void> {
    const leader = await this.whole();
    if (leader === member) return;
    const options = `--force --master ${leader} --candidate ${member}`;
    await this.hosts.sh(leader, `patronictl -c /etc/patroni/config.yml switchover ${options}`);
    await eventually(`${member} leads`, 60, async () => (await this.whole()) === member || undefined);
  }

  /** Waits until the replicas have replayed what the leader has written; returns the query's answer of each member. */
  async everywhere(query: string, database: string): Promise<Record<string, string>> {
    const leader = await this.whole(90);
    const written = await this.hosts.superuser(leader, "SELECT pg_current_wal_lsn()");
    return byHost(this.hosts.names, async (host) => {
      if (host !== leader) {
        const replayed = `SELECT pg_last_wal_replay_lsn() >= '${written}'`;
        const ask = async () => (await this.hosts.superuser(host, replayed)) === "t" || undefined;
        await eventually(`${host} has replayed ${written}`, 60, ask);
      }
      return this.hosts.superuser(host, query, database);
    });
  }
}

/** As etcd's root, the way the documentation says. */
export function etcdctl(command: string): string {
  return `set -a; . /etc/etcd/etcdctl.env; etcdctl ${command}`;
}

/** The same value for every host. */
export function each<T>(hosts: readonly string[], value: T): Record<string, T> {
  return Object.fromEntries(hosts.map((host) => [host, value]));
}

export async function byHost<T>(
  hosts: readonly string[],
  ask: (host: string) => Promise<T>,
): Promise<Record<string, T>> {
  const answers = await Promise.all(hosts.map(ask));
  return Object.fromEntries(hosts.map((host, i) => [host, answers[i] as T]));
}

function addressesIn(name: string): Record<string, string> {
  const file = join(repository, `lab/topologies/${name}.json`);
  const { hosts } = JSON.parse(readFileSync(file, "utf8")) as { hosts: { name: string; address: string }[] };
  return Object.fromEntries(hosts.map((host) => [host.name, host.address]));
}
