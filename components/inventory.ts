import * as pulumi from "@pulumi/pulumi";
import type { EtcdQuorum } from "./etcd-quorum";
import type { Host } from "./host";
import type { NginxBalancer } from "./nginx-balancer";
import type { PgBouncerVipPair } from "./pgbouncer-vip-pair";
import type { PostgresPatroniCluster } from "./postgres-patroni-cluster";
import type { RedisSecured } from "./redis-secured";

export interface InventoryArgs {
  /** All hosts. */
  hosts: Host[];
  /** Clusters of PostgreSQL; their etcd is known with them. @default [] */
  clusters?: PostgresPatroniCluster[];
  /** What leads clients to them. @default [] */
  poolers?: PgBouncerVipPair[];
  /** Redis. @default [] */
  caches?: RedisSecured[];
  /** Entries of applications, and the nodes behind them. @default [] */
  balancers?: NginxBalancer[];
}

/** Name of the stack output that the command `hastack` reads. */
export const inventoryOutput = "hastack";

/**
 * What the command `hastack` has to know of a stack, as an output of it, so that there is no second inventory. Secret: it
 * holds how the hosts are reached.
 *
 * ```ts
 * export const hastack = inventory({ hosts: [psql1, psql2, psql3, proxy1, proxy2], clusters: [pg], poolers: [db] });
 * ```
 */
export function inventory(args: InventoryArgs): pulumi.Output<object> {
  const { hosts, clusters = [], poolers = [], caches = [], balancers = [] } = args;
  const entries = [...balancers, ...poolers, ...caches];
  const quorums = [...new Set<EtcdQuorum>(clusters.map((cluster) => cluster.etcd))];
  return pulumi.secret(
    pulumi.output({
      hosts: Object.fromEntries(hosts.map((host) => [host.hostName, host.connection])),
      addresses: Object.fromEntries(hosts.map((host) => [host.hostName, host.address])),
      clusters: clusters.map((cluster) => ({
        scope: cluster.scope,
        members: cluster.config.apply((config) => config.members.map((member) => member.name)),
      })),
      virtualIps: entries
        .filter((component) => component.hosts.length > 1)
        .map((component) => ({ address: component.address, hosts: names(component.hosts) })),
      balancers: balancers.map((balancer) => ({ ...entry(balancer), nodes: balancer.upstreams })),
      poolers: poolers.map(entry),
      caches: caches.map(entry),
      quorums: quorums.map(({ members }) => ({ members: names(members) })),
    }),
  );
}

/** What clients use: an address, and the hosts that serve it. */
function entry(component: NginxBalancer | PgBouncerVipPair | RedisSecured) {
  return { address: component.address, hosts: names(component.hosts) };
}

function names(hosts: readonly Host[]): string[] {
  return hosts.map((host) => host.hostName);
}
