/** What a self-signed and a locally signed certificate have in common: uses, validity, renewal, and the signature. */
import { type KeyObject, randomBytes } from "node:crypto";
import type { Extension, Name, PublicKeyType, X509Certificate } from "@peculiar/x509";
import type { Arguments } from "../shared/arguments";
import type { Generator } from "../shared/generated";
import type { Properties } from "../shared/values";
import { loadX509, pemText, signingAlgorithm, webKeys, type X509 } from "./x509";

const HOUR_MS = 3600 * 1000;

/** RFC 5280 4.2.1.3, each with its bit. */
const KEY_USAGES: Readonly<Record<string, number>> = {
  digital_signature: 1,
  content_commitment: 2,
  key_encipherment: 4,
  data_encipherment: 8,
  key_agreement: 16,
  cert_signing: 32,
  crl_signing: 64,
  encipher_only: 128,
  decipher_only: 256,
};

/** RFC 5280 4.2.1.12 and the vendors' own. */
const EXTENDED_KEY_USAGES: Readonly<Record<string, string>> = {
  any_extended: "2.5.29.37.0",
  server_auth: "1.3.6.1.5.5.7.3.1",
  client_auth: "1.3.6.1.5.5.7.3.2",
  code_signing: "1.3.6.1.5.5.7.3.3",
  email_protection: "1.3.6.1.5.5.7.3.4",
  ipsec_end_system: "1.3.6.1.5.5.7.3.5",
  ipsec_tunnel: "1.3.6.1.5.5.7.3.6",
  ipsec_user: "1.3.6.1.5.5.7.3.7",
  timestamping: "1.3.6.1.5.5.7.3.8",
  ocsp_signing: "1.3.6.1.5.5.7.3.9",
  microsoft_server_gated_crypto: "1.3.6.1.4.1.311.10.3.3",
  netscape_server_gated_crypto: "2.16.840.1.113730.4.1",
  microsoft_commercial_code_signing: "1.3.6.1.4.1.311.2.1.22",
  microsoft_kernel_code_signing: "1.3.6.1.4.1.311.61.1.1",
};

export const certificateArguments: Arguments = {
  allowedUses: {
    kind: { listOf: "string" },
    required: true,
    oneOf: [...Object.keys(KEY_USAGES), ...Object.keys(EXTENDED_KEY_USAGES)].sort(),
  },
  validityPeriodHours: { kind: "integer", required: true, minimum: 0 },
  earlyRenewalHours: { kind: "integer", default: 0, minimum: 0, replaces: false },
  isCaCertificate: { kind: "boolean", default: false },
  maxPathLength: { kind: "integer", minimum: -1 },
  setSubjectKeyId: { kind: "boolean", default: false },
};

export const certificateOutputs: Generator["outputs"] = {
  certPem: {},
  readyForRenewal: {},
  validityStartTime: {},
  validityEndTime: {},
};

export const renewal: NonNullable<Generator["due"]> = {
  output: "readyForRenewal",
  isDue({ validityEndTime, earlyRenewalHours }) {
    if (typeof validityEndTime !== "string" || typeof earlyRenewalHours !== "number") return false;
    return Date.parse(validityEndTime) - earlyRenewalHours * HOUR_MS <= Date.now();
  },
};

export interface Subject {
  name: Name;
  publicKey: PublicKeyType;
  alternativeNames: Extension[];
}

/** The signer; for a self-signed certificate, the subject itself. */
export interface Issuer {
  name: Name;
  key: KeyObject;
  /** Absent where the certificate is its own issuer. */
  certificate?: X509Certificate;
}

export async function issue(
  args: Properties,
  subject: Subject,
  issuer: Issuer,
): Promise<{ id: string; outputs: Properties }> {
  const x509 = await loadX509();
  const isCa = args.isCaCertificate as boolean;
  if (isCa && subject.name.toJSON().length === 0) {
    throw new Error('"subject" must contain at least one distinguished name when "isCaCertificate" is true');
  }
  // Certificates count in seconds.
  const notBefore = new Date(Math.floor(Date.now() / 1000) * 1000);
  const notAfter = new Date(notBefore.getTime() + (args.validityPeriodHours as number) * HOUR_MS);
  const serial = randomBytes(16);
  serial.writeUInt8(serial.readUInt8(0) & 0x7f, 0);
  const certificate = await x509.X509CertificateGenerator.create({
    serialNumber: serial.toString("hex"),
    subject: subject.name,
    issuer: issuer.name,
    notBefore,
    notAfter,
    publicKey: subject.publicKey,
    signingKey: (await webKeys(issuer.key)).privateKey,
    signingAlgorithm: signingAlgorithm(issuer.key),
    extensions: await extensions(x509, args, subject, issuer),
  });
  return {
    id: BigInt(`0x${serial.toString("hex")}`).toString(),
    outputs: {
      certPem: pemText(certificate),
      readyForRenewal: false,
      validityStartTime: rfc3339(notBefore),
      validityEndTime: rfc3339(notAfter),
    },
  };
}

async function extensions(x509: X509, args: Properties, subject: Subject, issuer: Issuer): Promise<Extension[]> {
  const isCa = args.isCaCertificate as boolean;
  const pathLength = args.maxPathLength as number | undefined;
  const limit = isCa && pathLength !== undefined && pathLength >= 0 ? pathLength : undefined;
  const uses = args.allowedUses as string[];
  const bits = uses.reduce((sum, use) => sum | (KEY_USAGES[use] ?? 0), 0);
  const extended = uses.flatMap((use) => EXTENDED_KEY_USAGES[use] ?? []);
  const result: Extension[] = [];
  if (bits > 0) result.push(new x509.KeyUsagesExtension(bits, true));
  if (extended.length > 0) result.push(new x509.ExtendedKeyUsageExtension(extended));
  result.push(new x509.BasicConstraintsExtension(isCa, limit, true));
  if (isCa || args.setSubjectKeyId) {
    result.push(await x509.SubjectKeyIdentifierExtension.create(subject.publicKey));
  }
  const authority = authorityKeyId(x509, args, issuer, result);
  if (authority) result.push(new x509.AuthorityKeyIdentifierExtension(authority));
  return [...result, ...subject.alternativeNames];
}

/** The signer's own identifier, where it has one; a self-signed certificate repeats its own if asked to. */
function authorityKeyId(x509: X509, args: Properties, { certificate }: Issuer, own: Extension[]): string | undefined {
  if (certificate) return certificate.getExtension(x509.SubjectKeyIdentifierExtension)?.keyId;
  if (!args.setAuthorityKeyId) return undefined;
  const identifier = own.find((extension) => extension instanceof x509.SubjectKeyIdentifierExtension);
  if (!identifier) throw new Error('"setAuthorityKeyId" needs "setSubjectKeyId" or "isCaCertificate"');
  return (identifier as InstanceType<X509["SubjectKeyIdentifierExtension"]>).keyId;
}

function rfc3339(time: Date): string {
  return time.toISOString().replace(".000Z", "Z");
}
