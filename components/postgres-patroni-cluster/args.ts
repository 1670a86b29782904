import { z } from "zod";
import { initialDynamic, refusedParameters } from "./parameters";

const name = z
  .string()
  .min(1)
  .refine((value) => !/[\0\n\r]/.test(value), { message: "a name cannot hold a line break" })
  .refine((value) => Buffer.byteLength(value) <= 63, {
    message: "PostgreSQL cuts names at 63 bytes: give a shorter one",
  });

const password = z
  .string()
  .min(1, { message: "an empty password never matches: leave it out to have one made" })
  .refine((value) => !/[\0\n\r]/.test(value), { message: "a password cannot hold a line break" });

const network = z.union([z.cidrv4(), z.cidrv6()], {
  message: 'give a network in CIDR notation, e.g. "192.168.1.0/24", or "192.168.1.7/32" for one host',
});

const word = /^[A-Za-z0-9_.-]+$/;

const role = z.object({
  name: name.refine((value) => !value.startsWith("pg_"), { message: "names that begin with pg_ are PostgreSQL's own" }),
  password: password.optional(),
  login: z.boolean().default(true),
  superuser: z.boolean().default(false),
  createDatabase: z.boolean().default(false),
  createRole: z.boolean().default(false),
  replication: z.boolean().default(false),
  connectionLimit: z.number().int().min(-1).default(-1),
  memberOf: z.array(name).default([]),
});

const database = z.object({
  name: name.refine((value) => !["postgres", "template0", "template1"].includes(value), {
    message: "this database is PostgreSQL's own",
  }),
  owner: name.optional(),
  connect: z.array(name).default([]),
  extensions: z.array(name).default([]),
  locale: z
    .string()
    .regex(/^[A-Za-z0-9_.@-]+$/)
    .default("C.UTF-8"),
});

const client = z.object({
  network,
  databases: z.array(name).optional(),
  roles: z.array(name).optional(),
});

const parameter = z.union([z.string(), z.number(), z.boolean()]);

export const clusterSchema = z
  .object({
    version: z
      .number()
      .int()
      .refine((v) => v === 15 || v === 17, { message: "give 15 (Debian 12) or 17 (Debian 13)" })
      .optional(),
    scope: z.string().regex(word, { message: "give letters, digits, dot, dash, underscore" }),
    namespace: z
      .string()
      .regex(/^\/([A-Za-z0-9_.-]+\/)+$/, { message: 'give a path that begins and ends with "/", e.g. "/db/"' }),
    durability: z
      .enum(["async", "sync", "sync-strict"], { message: "give async, sync or sync-strict" })
      .default("async"),
    failover: z
      .enum(["standard", "fast"], { message: "give standard (30/10/10) or fast (20/5/5)" })
      .default("standard"),
    ttl: z.number().int().min(20, { message: "Patroni accepts at least 20 s" }).optional(),
    loopWait: z.number().int().min(1).optional(),
    retryTimeout: z.number().int().min(3, { message: "Patroni accepts at least 3 s" }).optional(),
    maximumLagOnFailover: z.number().int().min(0).default(1048576),
    watchdog: z
      .enum(["off", "automatic", "required"], { message: "give off, automatic or required" })
      .default("automatic"),
    passwordRotation: z.number().int().min(0).default(0),
    databases: z.array(database).default([]),
    roles: z.array(role).default([]),
    clients: z.array(client).default([]),
    monitors: z.array(network).default([]),
    parameters: z.record(z.string(), parameter).default({}),
  })
  .transform((args) => ({ ...args, ...timing(args) }))
  .superRefine((args, context) => {
    const fault = (path: PropertyKey[], message: string) => context.addIssue({ code: "custom", path, message });
    if (args.loopWait + 2 * args.retryTimeout > args.ttl) {
      fault(
        ["ttl"],
        `must be at least loopWait + 2 * retryTimeout = ${args.loopWait + 2 * args.retryTimeout} s, ` +
          "else a healthy leader can lose its lease (Patroni manual, Dynamic Configuration Settings)",
      );
    }
    for (const [key, names] of [
      ["databases", args.databases.map((d) => d.name)],
      ["roles", args.roles.map((r) => r.name)],
    ] as const) {
      for (const [i, n] of names.entries()) if (names.indexOf(n) !== i) fault([key, i, "name"], "is given twice");
    }
    for (const [i, r] of args.roles.entries()) {
      if (reserved(r.name)) fault(["roles", i, "name"], "this role is the cluster's own");
    }
    for (const [i, d] of args.databases.entries()) {
      if (reserved(d.owner ?? d.name)) fault(["databases", i, "owner"], "this role is the cluster's own");
    }
    const known = rolesOf(args).map((r) => r.name);
    for (const [i, d] of args.databases.entries()) {
      for (const [k, r] of d.connect.entries()) {
        if (!known.includes(r)) fault(["databases", i, "connect", k], "there is no such role: add it to roles");
      }
    }
    for (const [i, r] of args.roles.entries()) {
      for (const [k, g] of r.memberOf.entries()) {
        if (!known.includes(g) && !g.startsWith("pg_"))
          fault(["roles", i, "memberOf", k], "there is no such role: add it to roles");
      }
    }
    for (const key of Object.keys(args.parameters)) {
      const reason = refusedParameters[key.toLowerCase()];
      if (reason) fault(["parameters", key], reason);
      else if (!/^[a-z_][a-z0-9_.]*$/.test(key)) fault(["parameters", key], "not a parameter's name (lower case)");
      const least = initialDynamic.least[key];
      if (least !== undefined && Number(args.parameters[key]) < least)
        fault(["parameters", key], `Patroni needs at least ${least}`);
    }
  });

export type ClusterSettings = z.output<typeof clusterSchema>;
export type Role = z.output<typeof role>;
export type Database = z.output<typeof database>;
export type ClientNetwork = z.output<typeof client>;

/** Roles that the cluster itself uses. */
export const superuser = "postgres";
export const replicator = "replicator";
export const rewinder = "rewind_user";
export const ownRoles: readonly string[] = [superuser, replicator, rewinder];
/** Role with which a pooler looks passwords up. */
export const lookupRole = "pgbouncer";

function reserved(role: string): boolean {
  return ownRoles.includes(role) || role === lookupRole;
}

/** With what poolers need: a role of their own that may connect to every database. */
export function servingPoolers(settings: ClusterSettings): ClusterSettings {
  return {
    ...settings,
    roles: [...settings.roles, role.parse({ name: lookupRole })],
    databases: settings.databases.map((d) => ({ ...d, connect: [...d.connect, lookupRole] })),
  };
}

/** Seconds: the defaults of the Patroni manual, or those for a quick failover (see docs/decisions/failover-time.md). */
const timings = {
  standard: { ttl: 30, loopWait: 10, retryTimeout: 10 },
  fast: { ttl: 20, loopWait: 5, retryTimeout: 5 },
};

function timing(args: {
  failover: keyof typeof timings;
  ttl?: number | undefined;
  loopWait?: number | undefined;
  retryTimeout?: number | undefined;
}) {
  const preset = timings[args.failover];
  return {
    ttl: args.ttl ?? preset.ttl,
    loopWait: args.loopWait ?? preset.loopWait,
    retryTimeout: args.retryTimeout ?? preset.retryTimeout,
  };
}

/** All roles with a login that the settings ask for: the given ones, and owners of databases that nobody named. */
export function rolesOf(settings: Pick<ClusterSettings, "roles" | "databases">): Role[] {
  const roles = [...settings.roles];
  for (const { name, owner } of settings.databases) {
    const wanted = owner ?? name;
    if (!roles.some((r) => r.name === wanted)) roles.push(role.parse({ name: wanted }));
  }
  return roles;
}
