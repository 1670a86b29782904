import { z } from "zod";
import { virtualIpSchema, vrrpSchema } from "../virtual-ip";

const hostName = /^(?=.{1,253}$)([a-z0-9_]([a-z0-9_-]*[a-z0-9_])?\.)*[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?$/i;

const network = z.cidrv4({ message: 'give a network in CIDR notation, e.g. "192.168.1.0/24"' });
const tcpPort = z.number().int().min(1).max(65535);
const seconds = z.number().int().min(1).max(86400);

const upstreams = z
  .array(
    z.object({
      name: z.string().regex(hostName, { message: "a name has letters, digits, dots and dashes" }),
      address: z.string().regex(hostName, { message: 'give an IPv4 address or a host name, e.g. "192.168.1.122"' }),
      port: tcpPort,
    }),
  )
  .min(1, { message: "there is nobody to send requests to: give one or more" })
  .superRefine((list, context) => {
    const taken = new Map<string, string>();
    list.forEach(({ name, address, port }, i) => {
      const server = `${address}:${port}`;
      const other = taken.get(server);
      if (other) context.addIssue({ code: "custom", path: [i], message: `${server} is ${other} already` });
      taken.set(server, name);
    });
  });

export const balancerSchema = z
  .object({
    upstreams,
    upstreamTls: z.object({
      enabled: z.boolean().default(true),
      serverName: z.string().regex(hostName, { message: 'give one name, e.g. "workspad.company.com"' }).optional(),
    }),
    serverNames: z
      .array(
        z.string().refine((name) => hostName.test(name.replace(/^\*\./, "")), {
          message: 'give a name, e.g. "app.company.com"',
        }),
      )
      .default([]),
    virtualIp: virtualIpSchema.optional(),
    vrrp: vrrpSchema,
    httpsPort: tcpPort.default(443),
    httpPort: z.number().int().min(0).max(65535).default(80),
    method: z.enum(["ip_hash", "least_conn"], { message: "give ip_hash or least_conn" }).default("ip_hash"),
    keepalive: z.number().int().min(0).default(0),
    health: z
      .object({
        path: z
          .string()
          .regex(/^\/[\x21-\x7e]*$/, { message: 'give a path without blanks, e.g. "/health"' })
          .default("/"),
        interval: seconds.default(2),
        timeout: seconds.default(2),
        fall: z.number().int().min(1).default(2),
        rise: z.number().int().min(1).default(2),
      })
      .prefault({}),
    timeout: seconds.default(300),
    drainTimeout: seconds.default(3600),
    maxBodyMiB: z.number().int().min(0).default(1024),
    maxConnections: z.number().int().min(64).max(1000000).default(8192),
    connectionsPerClient: z.number().int().min(0).default(1000),
    trustedProxies: z.array(network).default([]),
    clients: z.array(network).optional(),
    hstsSeconds: z.number().int().min(0).default(31536000),
    ocspResolvers: z.array(z.ipv4({ message: "give a name server's IPv4 address" })).default([]),
    logDays: z.number().int().min(1).default(14),
    httpExtra: z.string().default(""),
    serverExtra: z.string().default(""),
  })
  .refine(({ httpPort, httpsPort }) => httpPort !== httpsPort, {
    path: ["httpPort"],
    message: "is the port for HTTPS: give another, or 0 for none",
  })
  .refine(({ upstreamTls, serverNames }) => !upstreamTls.enabled || upstreamTls.serverName || nameOf(serverNames), {
    path: ["upstreamTls", "serverName"],
    message:
      "the upstreams' certificates cannot be verified without a name: give the name that is in all of them, or serverNames",
  });

/** The name under which the upstreams are asked: the first one that is a name, not a pattern. */
export function nameOf(serverNames: readonly string[]): string | undefined {
  return serverNames.find((name) => !name.startsWith("*"));
}

export type BalancerSettings = z.output<typeof balancerSchema>;
