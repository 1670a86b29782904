import * as pulumi from "@pulumi/pulumi";
import type { Host } from "./host";
import type { NginxBalancer } from "./nginx-balancer";
import type { PgBouncerVipPair } from "./pgbouncer-vip-pair";
import type { PostgresPatroniCluster } from "./postgres-patroni-cluster";
import type { RedisSecured } from "./redis-secured";

export interface InventoryArgs {
  /** All hosts. */
  hosts: Host[];
  /** @default [] */
  clusters?: PostgresPatroniCluster[];
  /** @default [] */
  poolers?: PgBouncerVipPair[];
  /** @default [] */
  caches?: RedisSecured[];
  /** @default [] */
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
  const movable = [...balancers, ...poolers, ...caches].filter((component) => component.hosts.length > 1);
  const names = (list: readonly Host[]) => list.map((host) => host.hostName);
  return pulumi.secret(
    pulumi.output({
      hosts: Object.fromEntries(hosts.map((host) => [host.hostName, host.connection])),
      clusters: clusters.map((cluster) => ({
        scope: cluster.scope,
        members: cluster.config.apply((config) => config.members.map((member) => member.name)),
      })),
      virtualIps: movable.map((component) => ({ address: component.address, hosts: names(component.hosts) })),
    }),
  );
}
