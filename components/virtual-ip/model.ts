import { BlockList } from "node:net";
import * as pulumi from "@pulumi/pulumi";
import { z } from "zod";
import { derivedSecret } from "../converge/secrets";
import { fault } from "../fault";
import type { HostTraits } from "../host";
import { checked, isPlain } from "../validate";
import { type VirtualIp, type Vrrp, type VrrpArgs, vrrpSchema } from "./args";

/** A host that may hold the address. */
export interface Holder {
  name: string;
  address: string;
}

/** One virtual address on one of its hosts, checked and resolved. */
export interface VirtualIpConfig {
  /** The role that it belongs to, e.g. `pooler`. */
  role: string;
  virtualIp: VirtualIp;
  routerId: number;
  advertInterval: number;
  priority: number;
  interface: string;
  self: Holder;
  peers: readonly Holder[];
  /** Who holds the address serves this port. */
  port: number;
  /** Lines of a script that end with exit code 0 when this host can serve; it runs as `checkUser`, every second. */
  check: readonly string[];
  checkUser: string;
}

const defaultPriorities = [250, 240, 230, 220, 210];

/** VRRP's arguments in two parts: a password that is given as a secret hides itself in a preview, and nothing else. */
export function apartFromPassword(
  resource: string,
  given: pulumi.Input<VrrpArgs> = {},
): { vrrp: pulumi.Input<VrrpArgs>; authPass: pulumi.Output<string | undefined> } {
  const authPass = checked(resource, z.object({ vrrp: vrrpSchema }), { vrrp: given }).apply(
    ({ vrrp }) => vrrp.authPass,
  );
  const others = ({ authPass: _, ...vrrp }: VrrpArgs): VrrpArgs => vrrp;
  if (isPlain(given)) return { vrrp: others(given as VrrpArgs), authPass };
  return { vrrp: pulumi.unsecret(pulumi.output(given).apply(others)) as pulumi.Output<VrrpArgs>, authPass };
}

/** The password of VRRP: as given, or made from the component's seed. */
export function vrrpPassword(seed: string, given: string | undefined): string {
  return (
    given ??
    derivedSecret(seed, "vrrp")
      .replace(/[^A-Za-z0-9]/g, "0")
      .slice(0, 8)
  );
}

/** What is the same on all hosts of an address, and then what is each host's own. */
export function virtualIpOn(
  resource: string,
  shared: Pick<VirtualIpConfig, "role" | "virtualIp" | "port" | "check" | "checkUser">,
  vrrp: Vrrp,
  holders: readonly Holder[],
  self: Holder,
  traits: HostTraits,
): VirtualIpConfig {
  return {
    ...shared,
    routerId: vrrp.routerId ?? Number(shared.virtualIp.address.split(".")[3]),
    advertInterval: vrrp.advertInterval,
    priority: (vrrp.priorities ?? defaultPriorities)[holders.indexOf(self)] ?? 100,
    interface: vrrp.interface ?? interfaceFor(resource, shared.virtualIp, self, traits),
    self,
    peers: holders.filter((holder) => holder !== self),
  };
}

function interfaceFor(resource: string, { address }: VirtualIp, host: Holder, traits: HostTraits): string {
  for (const [name, networks] of Object.entries(traits.interfaces)) {
    if (networks.some((network) => contains(network, address))) return name;
  }
  const found = Object.entries(traits.interfaces).map(([name, networks]) => `${name} ${networks.join(" ")}`);
  throw fault(
    `${resource}: virtualIp: ${address}: ${host.name} has no interface in its network (it has ${found.join(", ") || "none"}): ` +
      "choose another address, or name the interface in vrrp.interface",
  );
}

/** The network of an address, in CIDR notation. */
export function networkOf({ address, prefix }: VirtualIp): string {
  const bytes = address.split(".").map(Number);
  const kept = bytes.map((byte, i) => byte & (0xff00 >> Math.min(8, Math.max(0, prefix - 8 * i))) & 0xff);
  return `${kept.join(".")}/${prefix}`;
}

function contains(network: string, address: string): boolean {
  const [base = "", prefix = ""] = network.split("/");
  const list = new BlockList();
  list.addSubnet(base, Number(prefix));
  return list.check(address);
}
