import type { Firewall } from "../firewall/table";
import type { Holder, VirtualIpConfig } from "../virtual-ip";
import type { RedisSettings } from "./args";

/** What the rendered units of Redis share: the model, and where things are. */

/** Everything the rendered files of one host depend on, checked and resolved; no secrets. */
export interface RedisConfig {
  /** Name under which the Sentinels know the master. */
  name: string;
  settings: RedisSettings;
  self: Holder;
  /** All hosts, this one among them. More than one: replication with Sentinel. */
  members: readonly Holder[];
  /** Of this host. */
  memoryMiB: number;
  /** Present where there are several hosts. */
  virtualIp?: VirtualIpConfig;
  /** Whether only clients and members reach the ports. */
  firewall: boolean;
}

/** One host, with its share in the address. */
export type ReplicatedConfig = RedisConfig & { virtualIp: VirtualIpConfig };

export const role = "redis";
/** That a host has this unit says that the hosts have once been whole. */
export const readyRole = "redis-ready";

export const sentinelPort = 26379;

/** Written by us only; what Redis and Sentinel rewrite is elsewhere. */
export const home = "/etc/hastack/redis";
export const tls = `${home}/tls`;
export const programs = "/usr/local/lib/hastack/redis";
export const data = "/var/lib/redis";
export const socket = "/run/redis/redis.sock";
export const sentinelSocket = "/run/sentinel/sentinel.sock";

export function isReplicated(config: RedisConfig): config is ReplicatedConfig {
  return config.virtualIp !== undefined;
}

/** Sentinels that have to agree. */
export function majority({ members }: Pick<RedisConfig, "members">): number {
  return Math.floor(members.length / 2) + 1;
}

export function firewallOf(config: RedisConfig): Firewall {
  const { settings, members, virtualIp } = config;
  const sources = [
    { name: "clients", from: settings.clients },
    { name: "members", from: members.map((member) => member.address) },
  ];
  const open = { to: { ports: [settings.port] }, sources: ["clients", "members"] };
  if (!virtualIp) return { role, sources, rules: [open] };
  return {
    role,
    sources,
    rules: [
      open,
      { to: { ports: [sentinelPort] }, sources: ["members"] },
      { to: { routerId: virtualIp.routerId }, sources: ["members"] },
    ],
  };
}
