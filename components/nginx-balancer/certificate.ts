import { createPrivateKey, X509Certificate } from "node:crypto";
import { fault } from "../fault";

/**
 * Refuses a certificate of one's own before a host is touched: one that is not PEM, has another key, or is not for the
 * names. What was given is not repeated in the message.
 */
export function refuseCertificate(
  resource: string,
  certificate: string,
  privateKey: string,
  serverNames: readonly string[],
): void {
  const refuse = (argument: string, message: string) => fault(`${resource}: certificate.${argument}: ${message}`);
  const leaf = attempt(() => new X509Certificate(certificate));
  if (!leaf)
    throw refuse("certificate", "is not PEM: give the server's certificate, then those of intermediate authorities");
  const key = attempt(() => createPrivateKey(privateKey));
  if (!key) throw refuse("privateKey", "is not PEM, or needs a passphrase: give the certificate's key without one");
  if (!leaf.checkPrivateKey(key)) throw refuse("privateKey", "belongs to another certificate: give this one's key");
  const missing = serverNames.filter((name) => !covers(leaf, name));
  if (missing.length === 0) return;
  throw refuse(
    "certificate",
    `is for ${leaf.subjectAltName ?? "no name"}, and not for ${missing.join(", ")}: ` +
      "give one for all serverNames, or take these out of them",
  );
}

/** A pattern is asked for with a name that it stands for. */
function covers(certificate: X509Certificate, name: string): boolean {
  return certificate.checkHost(name.replace(/^\*/, "any")) !== undefined;
}

function attempt<T>(make: () => T): T | undefined {
  try {
    return make();
  } catch {
    return undefined;
  }
}
