import { z } from "zod";
import { fault } from "../fault";
import { virtualIpSchema, vrrpSchema } from "../virtual-ip";
import { refusedSettings } from "./settings";

const source = z.union([z.ipv4(), z.cidrv4()], {
  message: 'give an address or a network in CIDR notation, e.g. "192.168.1.122" or "192.168.1.0/24"',
});

const evictionPolicies = [
  "noeviction",
  "allkeys-lru",
  "allkeys-lfu",
  "allkeys-random",
  "volatile-lru",
  "volatile-lfu",
  "volatile-random",
  "volatile-ttl",
] as const;

const setting = z.union([
  z.number(),
  z.string().regex(/^[^"\\\0\n\r]*$/, { message: "no quotes or line breaks here" }),
]);

const hosts = z
  .array(z.string())
  .min(1, { message: "give 1 host, or 3 or 5" })
  .max(5, { message: "give 1, 3 or 5 hosts" })
  .refine((list) => list.length !== 2, {
    message:
      "with 2 hosts nobody can tell a dead master from a cut cable: Sentinel needs a majority, so give 3, or 1 without failover",
  })
  .refine((list) => list.length === 2 || list.length % 2 === 1, {
    message: "an even number survives no more failures than one host less: give 1, 3 or 5",
  })
  .refine((list) => new Set(list).size === list.length, { message: "a host is named twice" });

export const hostsSchema = z.object({ hosts });

export const redisSchema = z.object({
  virtualIp: virtualIpSchema.optional(),
  vrrp: vrrpSchema,
  port: z
    .number()
    .int()
    .min(1024, { message: "Redis runs without root's rights: give 1024 or more" })
    .max(65535)
    .refine((port) => port !== 26379, { message: "is Sentinel's port" })
    .default(6379),
  tls: z.boolean().default(true),
  clients: z.array(source).default([]),
  passwordRotation: z.number().int().min(0).default(0),
  acceptPrevious: z.boolean().default(true),
  allowedCommands: z
    .array(
      z.string().regex(/^[a-z_-]+(\|[a-z_-]+)?$/, {
        message: 'give the name of a command in small letters, e.g. "keys" or "client|list"',
      }),
    )
    .default(["info"]),
  maxMemoryMiB: z.number().int().min(32, { message: "give MiB, at least 32" }).optional(),
  evictionPolicy: z
    .enum(evictionPolicies, { message: `give one of ${evictionPolicies.join(", ")}` })
    .default("noeviction"),
  maxClients: z.number().int().min(200, { message: "give 200 or more" }).max(60000).default(10000),
  downAfterMs: z.number().int().min(1000, { message: "Sentinel asks every second: give 1000 or more" }).default(2000),
  settings: z
    .record(z.string().regex(/^[a-z0-9-]+$/, { message: "not a setting of redis.conf" }), setting)
    .default({})
    .superRefine((settings, context) => {
      for (const name of Object.keys(settings)) {
        const reason = refusedSettings[name];
        if (reason) context.addIssue({ code: "custom", path: [name], message: reason });
      }
    }),
});

export type RedisSettings = z.output<typeof redisSchema>;

/** How a virtual address goes with the number of hosts. */
export function refuseAddress(resource: string, hosts: number, virtualIp: unknown): void {
  if (hosts === 1 && virtualIp !== undefined) {
    throw fault(
      `${resource}: virtualIp: ${JSON.stringify(virtualIp)}: one host is reached at its own address: leave it out, or give 3 hosts`,
    );
  }
  if (hosts > 1 && virtualIp === undefined) {
    throw fault(
      `${resource}: virtualIp: missing: give the address that leads to the master, with its network's prefix, e.g. "192.168.1.210/24"`,
    );
  }
}

/** A password is never part of a message. */
export function refusePassword(resource: string, argument: string, password: string): void {
  if (password.length < 12) {
    throw fault(
      `${resource}: ${argument}: it has ${password.length} characters, and Redis answers a million guesses a second: give 12 or more, or leave it out`,
    );
  }
  if (/[\0\n\r]/.test(password)) throw fault(`${resource}: ${argument}: a password cannot hold a line break`);
}
