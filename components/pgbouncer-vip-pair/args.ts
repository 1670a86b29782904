import { z } from "zod";
import { virtualIpSchema, vrrpSchema } from "../virtual-ip";

const poolMode = z.enum(["session", "transaction", "statement"], { message: "give session, transaction or statement" });
const poolSize = z.number().int().min(1, { message: "give the most server connections of the pool, at least 1" });

const network = z.cidrv4({ message: 'give a network in CIDR notation, e.g. "192.168.1.0/24"' });

/** Values of the arguments that a pair's files depend on, with their defaults. */
export const pairSchema = z.object({
  virtualIp: virtualIpSchema,
  vrrp: vrrpSchema,
  port: z
    .number()
    .int()
    .min(1024, { message: "PgBouncer runs without root's rights: give 1024 or more" })
    .max(65535)
    .default(6432),
  databases: z
    .array(z.object({ name: z.string().min(1), poolMode: poolMode.optional(), poolSize: poolSize.optional() }))
    .default([]),
  poolMode: poolMode.default("session"),
  poolSize: poolSize.optional(),
  readOnly: z.boolean().default(true),
  readOnlyLagMiB: z.number().int().min(1).default(16),
  maxClientConnections: z.number().int().min(10).max(100000).default(5000),
  queryWaitTimeout: z.number().int().min(1).optional(),
  administrationConnections: z.number().int().min(0).default(10),
  clients: z.array(network).optional(),
  settings: z.record(z.string().regex(/^[a-z_]+$/), z.union([z.string(), z.number()])).default({}),
});

export type PairSettings = z.output<typeof pairSchema>;
