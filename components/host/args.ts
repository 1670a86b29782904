import { z } from "zod";

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
  })
  .refine((host) => host.connection.hostKey !== undefined || host.insecureIgnoreHostKey, {
    path: ["connection", "hostKey"],
    message:
      "pin the key that the host presents (`ssh-keyscan -t ed25519 ADDRESS` shows it), or say insecureIgnoreHostKey: true",
  });

export type ResolvedHost = z.output<typeof hostSchema>;
export type ResolvedAptSource = z.output<typeof aptSourceSchema>;
