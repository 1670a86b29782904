import { z } from "zod";
import { aptSourceSchema } from "../host/args";
import type { Installation } from "../package-source";

/** Each of them is one line: in the installer's answers, in a connection string, in a list. */
const text = z
  .string()
  .regex(/^[^\p{Cc}\p{Cs}\p{Noncharacter_Code_Point}]*$/u, {
    message: "it cannot hold a line break or another control character",
  })
  .min(1, { message: "it cannot be empty" });
const host = z.string().regex(/^[A-Za-z0-9.:-]+$/, { message: "give a name or an address" });
const port = z.number().int().min(1).max(65535);
const unit = z.string().regex(/^[A-Za-z0-9:_.@-]+$/, { message: "not the name of a systemd unit" });
const packageName = z.string().regex(/^[a-z0-9][a-z0-9+.-]+$/, { message: "not the name of a Debian package" });
const file = z.string().regex(/^(\/[A-Za-z0-9_.-]+)+$/, { message: "give an absolute path" });
const urlPath = z.string().regex(/^\/[A-Za-z0-9._~/-]*$/, { message: 'give a path, e.g. "/health"' });
const certificate = z
  .string()
  .regex(/-----BEGIN CERTIFICATE-----[\s\S]+-----END CERTIFICATE-----/, { message: "give a certificate in PEM" });
const network = z.union([z.ipv4(), z.cidrv4(), z.ipv6(), z.cidrv6()], {
  message: 'give an address or a network in CIDR notation, e.g. "192.168.1.127"',
});
const pattern = text.refine(isPattern, { message: "not a regular expression" });
const question = z.string().regex(/^[A-Za-z0-9+._-]+(\/[A-Za-z0-9+._-]+)+$/, {
  message: 'give it as debconf names it, e.g. "workspad/db-host"',
});

/** Keywords of the connection string that are made from arguments of their own. */
const ownKeyword =
  /^(host|server|port|database|db|user ?name|user ?id|uid|password|pwd|psw|ssl ?mode|root ?certificate)$/i;

const questions = { host: "Database Server host", name: "Database name", user: "Database User", password: "Password" };

export const nodeSchema = z.object({
  database: z.object({ host, port, database: text, user: text, password: text, caCertificate: certificate }),
  sslMode: z
    .enum(["VerifyFull", "VerifyCA", "Require"], { message: "give VerifyFull, VerifyCA or Require" })
    .default("VerifyFull"),
  connectionSettings: z
    .record(
      z
        .string()
        .regex(/^[A-Za-z][A-Za-z ]*$/, { message: "not a keyword of a connection string" })
        .refine((name) => !ownKeyword.test(name), { message: "it has an argument of its own" }),
      text,
    )
    .default({}),
  runtimePackage: packageName.default("aspnetcore-runtime-6.0"),
  runtimeSource: aptSourceSchema.optional(),
  libraries: z.array(packageName).default(["libgdiplus", "libc6-dev", "libicu-dev", "gss-ntlmssp"]),
  prompts: z
    .object({
      host: pattern.default(questions.host),
      name: pattern.default(questions.name),
      user: pattern.default(questions.user),
      password: pattern.default(questions.password),
    })
    .prefault({}),
  debconf: z.object({ host: question, name: question, user: question, password: question }).optional(),
  serverNames: z.array(z.string().regex(/^(\*\.)?[A-Za-z0-9.-]+$/, { message: "give a DNS name" })).default([]),
  certificateFile: file.default("/opt/workspad/certificates/dataprotection.crt"),
  keyFile: file.default("/opt/workspad/certificates/dataprotection.key"),
  serverCertificateFile: file.default("/opt/workspad/certificates/server.crt"),
  serverKeyFile: file.default("/opt/workspad/certificates/server.key"),
  group: z
    .string()
    .regex(/^[a-z_][a-z0-9_-]*$/, { message: "not the name of a group" })
    .default("workspad"),
  services: z.array(unit).min(1).default(["workspad-gateway", "workspad-assistant", "workspad-adminapi"]),
  httpsPort: port.default(4430),
  healthPath: urlPath.default("/"),
  minReadySeconds: z.number().int().min(0).max(600).default(10),
  balancers: z.array(network).optional(),
  activeDirectory: z
    .object({
      hosts: z.array(host).min(1),
      ldap: z.boolean().default(true),
      ldaps: z.boolean().default(true),
      kerberos: z.boolean().default(true),
    })
    .optional(),
  exchange: z.object({ host, ewsPath: urlPath.default("/EWS/Exchange.asmx") }).optional(),
});

export type NodeSettings = z.output<typeof nodeSchema>;

/** Where a WorksPad that was installed before has what is looked at. */
export const placesSchema = nodeSchema.pick({
  certificateFile: true,
  keyFile: true,
  serverCertificateFile: true,
  services: true,
});

/** Everything the rendered files depend on, checked and resolved. */
export interface NodeConfig extends NodeSettings, Installation {
  /** Whether an authority of the stack issues the certificate of the HTTPS port. */
  ownServerCertificate: boolean;
}

function isPattern(value: string): boolean {
  try {
    new RegExp(value);
    return true;
  } catch {
    return false;
  }
}
