import { z } from "zod";

/** The user that may only probe, unless it is named. */
export const probeUserName = "hastack-probe";

const ipv4 = z.ipv4({ message: 'give an IPv4 address, e.g. "192.168.1.130"' });

const hostKey = z
  .string({
    message: "pin the key that the host presents: `ssh-keyscan -t ed25519 ADDRESS` shows it, e.g. ssh-ed25519 AAAA…",
  })
  .regex(/^(ssh-(ed25519|rsa)|ecdsa-sha2-\S+) [A-Za-z0-9+/=]+( .*)?$/, {
    message: "give it as in known_hosts, without the host's name: ssh-ed25519 AAAA…",
  });

const account = z.string().regex(/^[a-z_][a-z0-9_-]*$/i, { message: "not a user's name" });
const tcpPort = z.number().int().min(1).max(65535);

const proxy = z.looseObject({ host: z.string().min(1), hostKey: hostKey.optional(), user: account.optional() });

/** See sources.list(5). */
export const aptSourceSchema = z
  .object({
    uri: z
      .string()
      .regex(/^(https?|file|ftp):\/\S+$/, { message: "give an address, e.g. https://mirror.example.com/debian" }),
    suite: z.string().regex(/^\S+$/, { message: "give one word, e.g. bookworm" }),
    components: z.array(z.string().regex(/^\S+$/)).default([]),
    key: z.string().regex(/-----BEGIN PGP PUBLIC KEY BLOCK-----[\s\S]+-----END PGP PUBLIC KEY BLOCK-----/, {
      message: "give the ASCII-armoured key that signs the source (`gpg --armor --export`)",
    }),
  })
  .refine((apt) => apt.suite.endsWith("/") === (apt.components.length === 0), {
    path: ["components"],
    message: 'give components, e.g. ["main"], or a suite that ends in "/" for a flat repository (sources.list(5))',
  });

const probeUserSchema = z.object({
  publicKey: z.string().regex(/^(ssh-(ed25519|rsa)|ecdsa-sha2-\S+) [A-Za-z0-9+/=]+( [^\n"]*)?\n?$/, {
    message: "give one public key as in a .pub file, without options: ssh-ed25519 AAAA…",
  }),
  name: z
    .string()
    .regex(/^[a-z_][a-z0-9_-]{0,30}$/, { message: "give a user's name of small letters, digits, `_` and `-`" })
    .refine((name) => name !== "root", { message: "root may do anything: give a user of its own" })
    .default(probeUserName),
});

export const hostSchema = z
  .object({
    address: ipv4,
    connection: z.looseObject({
      host: z.string().min(1, { message: "give the name or address that SSH dials" }),
      user: account.optional(),
      port: tcpPort.optional(),
      hostKey: hostKey.optional(),
      password: z.string().optional(),
      privateKey: z.string().optional(),
      privateKeyPassword: z.string().optional(),
      agentSocketPath: z.string().optional(),
      proxy: proxy.optional(),
    }),
    insecureIgnoreHostKey: z.boolean().default(false),
    memoryMiB: z.number().int().min(256, { message: "give the memory in MiB, at least 256" }).optional(),
    cores: z.number().int().min(1).optional(),
    apt: aptSourceSchema.optional(),
    probeUser: probeUserSchema.optional(),
  })
  .refine((host) => host.connection.hostKey !== undefined || host.insecureIgnoreHostKey, {
    path: ["connection", "hostKey"],
    message:
      "pin the key that the host presents (`ssh-keyscan -t ed25519 ADDRESS` shows it), or say insecureIgnoreHostKey: true",
  })
  .refine(({ probeUser, connection }) => probeUser?.name !== (connection.user ?? "root"), {
    path: ["probeUser", "name"],
    message: "is the user of the connection, who may do more: give a user of its own",
  });

export type ResolvedHost = z.output<typeof hostSchema>;
export type ResolvedProbeUser = z.output<typeof probeUserSchema>;
export type ResolvedAptSource = z.output<typeof aptSourceSchema>;
