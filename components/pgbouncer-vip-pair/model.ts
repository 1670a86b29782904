import type { Firewall } from "../firewall/table";
import type { Holder, VirtualIpConfig } from "../virtual-ip";
import type { PairSettings } from "./args";
import type { Pool } from "./pools";

/** Everything the rendered files of one host depend on, checked and resolved. */
export interface PoolerConfig {
  settings: PairSettings;
  virtualIp: VirtualIpConfig;
  /** Members of the cluster behind it. */
  members: readonly Holder[];
  pools: readonly Pool[];
  /** Seconds that a client waits for a connection to the primary. */
  queryWaitTimeout: number;
  /** Networks of clients. */
  clients: readonly string[];
}

/** The role of a host that pools. */
export const role = "pooler";

/** HAProxy's ports on loopback, behind PgBouncer. */
export const primaryPort = 5000;
export const replicaPort = 5001;

export function firewallOf({ settings, virtualIp, clients }: PoolerConfig): Firewall {
  return {
    role,
    sources: [
      { name: "clients", from: clients },
      { name: "peers", from: [virtualIp.self, ...virtualIp.peers].map((holder) => holder.address) },
    ],
    rules: [
      { to: { ports: [settings.port] }, sources: ["clients", "peers"] },
      { to: { routerId: virtualIp.routerId }, sources: ["peers"] },
    ],
  };
}
