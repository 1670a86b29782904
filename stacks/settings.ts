import { z } from "zod";
import { type Host, type PackageArgs, PackageSource } from "../components";
import { fault } from "../components/fault";

/** `hastack:postgres` of a stack; the component checks the values themselves. */
export const clusterSettings = z.looseObject({
  /** Refuse to delete what holds data. */
  protect: z.boolean().default(true),
});

/** `hastack:pooler` of a stack; the component checks the other values itself. */
export const poolerSettings = z.looseObject({
  /** Names of the hosts with a pooler. */
  hosts: z.array(z.string()),
  virtualIp: z.string({ message: 'give the address that clients use and its prefix, e.g. "192.168.1.200/24"' }),
});

/** `hastack:etcd` of a stack; the component checks the values themselves. */
export const quorumSettings = z.looseObject({});

/** `hastack:balancer` of a stack; the component checks the other values itself. */
export const balancerSettings = z.looseObject({
  upstreams: z.array(z.object({ name: z.string(), address: z.string(), port: z.number() })),
});

/** `hastack:redis` of a stack; the component checks the values themselves. */
export const redisSettings = z.looseObject({
  /** Refuse to delete what holds data. */
  protect: z.boolean().default(true),
});

/** `hastack:ca` of a stack. */
export const authoritySettings = z.strictObject({
  validityDays: z.number().optional(),
  certificateDays: z.number().optional(),
  renewBeforeDays: z.number().optional(),
  issuer: z.number().optional(),
  trusted: z.array(z.number()).optional(),
});

/** Without the keys that hold nothing: what is left out takes its default. */
export function defined<T extends object>(settings: T): { [K in keyof T]: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(settings).filter(([, value]) => value !== undefined)) as never;
}

/** Names of hosts. */
export const hostList = z
  .array(z.string(), { message: "give the names of hosts" })
  .min(1, { message: "give the names of hosts" });

const namesWanted = { message: "give the names under which users reach it" };

/** Names under which users reach an application. */
export const serverNames = z.array(z.string(), namesWanted).min(1, namesWanted);

export const hostsWanted = { message: "give its hosts, e.g. { hosts: [host1, host2] }" };

/** The balancers in front of an application; the component checks the other values itself. */
export const entrySettings = z.looseObject({ hosts: hostList, health: z.looseObject({}).default({}) }, hostsWanted);

/** Where an application's package comes from: `apt`, or a file by `url` or `path` with its version and sha256. */
export const packageSettings = z.union(
  [
    z.strictObject({ apt: z.string(), version: z.string().optional() }),
    z.strictObject({ url: z.string(), name: z.string(), version: z.string(), sha256: z.string() }),
    z.strictObject({ path: z.string(), name: z.string(), version: z.string(), sha256: z.string() }),
  ],
  { message: "give { apt, version? }, { url, name, version, sha256 } or { path, name, version, sha256 }" },
);

export function sourceOf(settings: z.output<typeof packageSettings>): PackageArgs {
  if ("apt" in settings) return PackageSource.apt(settings.apt, settings.version);
  return "url" in settings ? PackageSource.url(settings) : PackageSource.path(settings);
}

/** The host that a setting names. */
export function named(stack: string, hosts: Readonly<Record<string, Host>>, key: string, name: string): Host {
  const host = hosts[name];
  if (host) return host;
  throw fault(
    `${stack}: ${key}: ${JSON.stringify(name)}: there is no such host; there are ${Object.keys(hosts).join(", ")}`,
  );
}
