/** `@peculiar/x509`, loaded at first use (it is most of this plugin's start-up time), and keys in its form. */
import type { KeyObject, webcrypto } from "node:crypto";
import { publicKeyOf } from "../shared/openssh-key";

export type X509 = typeof import("@peculiar/x509");

export async function loadX509(): Promise<X509> {
  await import("reflect-metadata");
  return import("@peculiar/x509");
}

type SigningAlgorithm = { name: string; hash?: string; namedCurve?: string };

/** The hash grows with the key, as in Go's crypto/x509. */
export function signingAlgorithm(key: KeyObject): SigningAlgorithm {
  switch (key.asymmetricKeyType) {
    case "rsa":
      return { name: "RSASSA-PKCS1-v1_5", hash: "SHA-256" };
    case "ed25519":
      return { name: "Ed25519" };
    case "ec": {
      const curves: Readonly<Record<string, SigningAlgorithm>> = {
        prime256v1: { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" },
        secp384r1: { name: "ECDSA", namedCurve: "P-384", hash: "SHA-384" },
        secp521r1: { name: "ECDSA", namedCurve: "P-521", hash: "SHA-512" },
      };
      const curve = key.asymmetricKeyDetails?.namedCurve ?? "";
      const algorithm = curves[curve];
      if (algorithm) return algorithm;
      throw new Error(`The stand-in signs with ECDSA keys on P256, P384 and P521, not on ${curve}: set "ecdsaCurve".`);
    }
    default:
      throw new Error(`Cannot sign with a key of type ${key.asymmetricKeyType}`);
  }
}

export async function webKeys(privateKey: KeyObject): Promise<webcrypto.CryptoKeyPair> {
  const { subtle } = globalThis.crypto;
  const algorithm = signingAlgorithm(privateKey);
  const pkcs8 = privateKey.export({ type: "pkcs8", format: "der" });
  const spki = publicKeyOf(privateKey).export({ type: "spki", format: "der" });
  return {
    privateKey: await subtle.importKey("pkcs8", pkcs8, algorithm, false, ["sign"]),
    publicKey: await subtle.importKey("spki", spki, algorithm, true, ["verify"]),
  } as webcrypto.CryptoKeyPair;
}

/** The PEM form ends in a newline, as the official plugin's does. */
export function pemText(encoded: { toString(format: "pem"): string }): string {
  return `${encoded.toString("pem").trimEnd()}\n`;
}
