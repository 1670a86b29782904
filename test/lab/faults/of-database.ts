import type { PoolerCluster } from "../pooler/cluster";
import { eventually, pause } from "../support/process";
import { type Fault, nothing } from "./fault";

const leaseSeconds = 20;

/** What can go wrong with the primary, or with what it depends on. */
export const faultsOfTheDatabase: Fault[] = [
  {
    name: "primary-power-off",
    longest: 60,
    strike: async (cluster) => {
      const leader = await cluster.hosts.leader();
      await cluster.lab.lab(["power-off", leader]);
      await succeeded(cluster, leader);
      return () => cluster.lab.lab(["power-on", leader]);
    },
  },
  {
    name: "postgres-killed",
    longest: 40,
    strike: async (cluster) => {
      const leader = await cluster.hosts.leader();
      await cluster.hosts.sh(leader, "kill -KILL $(head -1 /var/lib/postgresql/*/main/postmaster.pid)");
      await pause(3);
      return nothing;
    },
  },
  {
    name: "patroni-frozen",
    longest: 60,
    strike: async (cluster) => {
      const leader = await cluster.hosts.leader();
      const patroni = ["--process", "/patroni/patroni.py /etc/patroni/config.yml"];
      await cluster.lab.lab(["freeze", leader, ...patroni]);
      await succeeded(cluster, leader);
      return () => cluster.lab.lab(["thaw", leader, ...patroni]);
    },
  },
  {
    name: "primary-without-etcd",
    longest: 60,
    strike: async (cluster) => {
      const leader = await cluster.hosts.leader();
      const rule = (chain: string) =>
        `add chain inet drill ${chain} { type filter hook ${chain} priority -10; }; ` +
        `add rule inet drill ${chain} tcp dport { 2379, 2380 } drop; add rule inet drill ${chain} tcp sport { 2379, 2380 } drop`;
      await cluster.hosts.sh(leader, `nft 'add table inet drill; ${rule("input")}; ${rule("output")}'`);
      await pause(leaseSeconds * 1.5);
      return () => cluster.hosts.sh(leader, "nft delete table inet drill");
    },
  },
  {
    name: "primary-isolated",
    longest: 60,
    strike: async (cluster) => {
      const leader = await cluster.hosts.leader();
      await cluster.lab.lab(["isolate", leader]);
      await succeeded(cluster, leader);
      return () => cluster.lab.lab(["heal"]);
    },
  },
  {
    name: "etcd-down",
    longest: 15,
    strike: async (cluster) => {
      await cluster.hosts.all("systemctl stop etcd");
      await pause(leaseSeconds * 1.5);
      return () => cluster.hosts.all("systemctl start --no-block etcd");
    },
  },
];

/** Waits until another member says that it leads. */
function succeeded({ hosts }: PoolerCluster, leader: string): Promise<string> {
  return eventually(`another member than ${leader} leads`, 60, async () => {
    const others = hosts.names.filter((name) => name !== leader);
    for (const name of others) {
      if ((await hosts.patroni(name, "/primary")).status === 200) return name;
    }
    return undefined;
  });
}
