import { z } from "zod";
import type { Installation } from "../package-source";

/** What both a shell and systemd take as a value, see `envFile` in ../formats. */
const printable = /^[^\p{Cc}\p{Cs}\p{Noncharacter_Code_Point}]*$/u;

const text = z.string().regex(printable, { message: "it cannot hold a line break or another control character" });
const some = text.min(1, { message: "it cannot be empty" });
const port = z.number().int().min(1).max(65535);
const host = z.string().regex(/^[A-Za-z0-9.:-]+$/, { message: "give a name or an address" });
const unit = z.string().regex(/^[A-Za-z0-9:_.@-]+$/, { message: "not the name of a systemd unit" });
const urlPath = z.string().regex(/^\/[A-Za-z0-9._~/-]*$/, { message: 'give a path, e.g. "/health"' });
const certificate = z
  .string()
  .regex(/-----BEGIN CERTIFICATE-----[\s\S]+-----END CERTIFICATE-----/, { message: "give a certificate in PEM" });
const network = z.union([z.ipv4(), z.cidrv4(), z.ipv6(), z.cidrv6()], {
  message: 'give an address or a network in CIDR notation, e.g. "192.168.1.0/24"',
});

export const relayFile = "/etc/rudesktop-relay.toml";

/** Variables that are set from arguments of their own. */
const ownVariables = /^(POSTGRES_(HOST|PORT|DB|USER|PASSWORD|SSL_MODE|CA_FILE)|REDIS_URL|RELAY_ARGS|SECRET_KEY)$/;

export const nodeSchema = z
  .object({
    database: z.object({
      host,
      port,
      database: some,
      user: some,
      password: some,
      caCertificate: certificate,
    }),
    redis: z.object({
      host,
      port,
      user: some.optional(),
      password: some,
      tls: z
        .literal(false, {
          message:
            "RuDesktop's documentation knows redis:// only: give the port without TLS, and let its firewall admit the nodes only",
        })
        .optional(),
    }),
    secretKey: some.min(16, { message: "whoever guesses it signs in as anybody: give 16 characters or more" }),
    serverNames: z.array(z.string().regex(/^(\*\.)?[A-Za-z0-9.-]+$/, { message: "give a DNS name" })).default([]),
    sslMode: z.enum(["verify-ca", "require"], { message: "give verify-ca or require" }).default("verify-ca"),
    relayArgs: some
      .refine((args) => args.includes(relayFile), { message: `the relay reads its file only with "-C ${relayFile}"` })
      .default(`-C ${relayFile}`),
    variables: z.record(z.string(), text).default({}),
    relaySettings: z
      .string()
      .regex(/^(?![\s\S]*^\s*redis_server\s*=)/m, { message: "redis_server is made from the argument redis" })
      .default(""),
    tomlFiles: z.record(z.string(), z.string()).default({}),
    embeddedServices: z.array(unit).default(["rudesktop-postgresql", "rudesktop-redis"]),
    services: z.array(unit).min(1).default(["rudesktop", "rudesktop-relay"]),
    group: z
      .string()
      .regex(/^[a-z_][a-z0-9_-]*$/, { message: "not the name of a group" })
      .default("rudesktop"),
    webPort: port.default(8000),
    relayPort: port.default(21117),
    relayPath: urlPath.default("/relay/"),
    healthPath: urlPath.default("/health"),
    httpsPort: port.default(443),
    minReadySeconds: z.number().int().min(0).max(600).default(10),
    largestBodyMiB: z.number().int().min(0).default(1024),
    balancers: z.array(network).optional(),
  })
  .superRefine((args, context) => {
    const fault = (path: PropertyKey[], message: string) => context.addIssue({ code: "custom", path, message });
    for (const name of Object.keys(args.variables)) {
      if (ownVariables.test(name)) fault(["variables", name], "it has an argument of its own");
      else if (!/^[A-Z_][A-Z0-9_]*$/.test(name)) {
        fault(["variables", name], "a variable's name has capitals, digits and underscores");
      }
    }
    for (const name of Object.keys(args.tomlFiles)) {
      if (!/^[A-Za-z0-9_.-]+\.toml$/.test(name)) fault(["tomlFiles", name], 'give a file name that ends in ".toml"');
    }
    const ports = [args.webPort, args.relayPort, args.httpsPort];
    if (new Set(ports).size < ports.length) {
      fault(["httpsPort"], `webPort, relayPort and httpsPort are ${ports.join(", ")}: give three different ones`);
    }
  });

export type NodeSettings = z.output<typeof nodeSchema>;

/** Everything the rendered files depend on, checked and resolved. */
export interface NodeConfig extends NodeSettings, Installation {
  /** Name of the host. */
  name: string;
  address: string;
}
