import { createHash, X509Certificate } from "node:crypto";

/** A certificate in PEM by its fingerprint, for messages and to tell it from others; by a digest what is none. */
export function fingerprint(pem: string): string {
  const certificate = read(pem);
  if (certificate) return `SHA-256 ${certificate.fingerprint256.slice(0, 23)}…`;
  return `unreadable, ${createHash("sha256").update(pem).digest("hex").slice(0, 16)}…`;
}

/** The same with whose it is, and until when. */
export function described(pem: string): string {
  const certificate = read(pem);
  const whose = certificate ? `${certificate.subject.replace(/\n/g, ", ")}, until ${certificate.validTo}, ` : "";
  return `${whose}${fingerprint(pem)}`;
}

function read(pem: string): X509Certificate | undefined {
  try {
    return new X509Certificate(pem);
  } catch {
    return undefined;
  }
}
