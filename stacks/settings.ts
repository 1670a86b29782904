import { z } from "zod";

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
