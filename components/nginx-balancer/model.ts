import type { Firewall } from "../firewall/table";
import type { Holder, VirtualIpConfig } from "../virtual-ip";
import { type BalancerSettings, nameOf } from "./args";

/** Everything the rendered files of one host depend on, checked and resolved. */
export interface BalancerConfig {
  settings: BalancerSettings;
  self: Holder;
  /** Where there are several hosts. */
  virtualIp: VirtualIpConfig | undefined;
}

/** The role of a host that balances. */
export const role = "balancer";

/** On loopback: nginx's counters, and which configuration it has loaded. */
export const statusPort = 7001;

/** Names and addresses by which clients know the host. Requests for others are refused. */
export function namesOf({ settings, self }: BalancerConfig): string[] {
  return [...settings.serverNames, ...(settings.virtualIp ? [settings.virtualIp.address] : []), self.address];
}

/** The name that the upstreams' certificates hold, and that a request for their health has. */
export function upstreamName({ settings, self }: BalancerConfig): string {
  return settings.upstreamTls.serverName ?? nameOf(settings.serverNames) ?? self.address;
}

/** TCP ports that clients connect to. */
export function portsOf({ httpsPort, httpPort }: BalancerSettings): number[] {
  return httpPort === 0 ? [httpsPort] : [httpsPort, httpPort];
}

/** Without named clients everybody is one; the virtual address is between the hosts alone. */
export function firewallOf({ settings, virtualIp, self }: BalancerConfig): Firewall {
  const peers = [self, ...(virtualIp?.peers ?? [])].map((holder) => holder.address);
  const { clients } = settings;
  return {
    role,
    sources: [...(clients ? [{ name: "clients", from: clients }] : []), { name: "peers", from: peers }],
    rules: [
      ...(clients ? [{ to: { ports: portsOf(settings) }, sources: ["clients", "peers"] }] : []),
      ...(virtualIp ? [{ to: { routerId: virtualIp.routerId }, sources: ["peers"] }] : []),
    ],
  };
}
