/** PrivateKey, and the getPublicKey function: key pairs in every form the documentation promises. */
import { createHash, createPrivateKey, generateKeyPairSync, type KeyObject } from "node:crypto";
import { generated } from "../shared/generated";
import { hasOpensshForm, opensshPrivateKey, opensshPublicKey, publicKeyOf } from "../shared/openssh-key";
import type { Properties } from "../shared/values";

const CURVES: Readonly<Record<string, string>> = {
  P224: "secp224r1",
  P256: "prime256v1",
  P384: "secp384r1",
  P521: "secp521r1",
};

export const privateKey = generated({
  arguments: {
    algorithm: { kind: "string", required: true, oneOf: ["RSA", "ECDSA", "ED25519"] },
    rsaBits: { kind: "integer", default: 2048 },
    ecdsaCurve: { kind: "string", default: "P224", oneOf: Object.keys(CURVES) },
  },
  outputs: {
    privateKeyPem: { secret: true },
    privateKeyOpenssh: { secret: true },
    privateKeyPemPkcs8: { secret: true },
    publicKeyPem: {},
    publicKeyOpenssh: {},
    publicKeyFingerprintMd5: {},
    publicKeyFingerprintSha256: {},
  },
  async generate(args) {
    const key = newKey(args);
    return {
      id: keyId(key),
      outputs: {
        privateKeyPem: traditionalPem(key),
        privateKeyOpenssh: hasOpensshForm(key) ? opensshPrivateKey(key) : "",
        privateKeyPemPkcs8: key.export({ type: "pkcs8", format: "pem" }) as string,
        ...publicForms(key),
      },
    };
  },
});

function newKey({ algorithm, rsaBits, ecdsaCurve }: Properties): KeyObject {
  switch (algorithm) {
    case "RSA":
      return generateKeyPairSync("rsa", { modulusLength: rsaBits as number }).privateKey;
    case "ECDSA":
      return generateKeyPairSync("ec", { namedCurve: CURVES[ecdsaCurve as string] as string }).privateKey;
    default:
      return generateKeyPairSync("ed25519").privateKey;
  }
}

/** The form each algorithm had before PKCS#8; Ed25519 never had one. */
function traditionalPem(key: KeyObject): string {
  switch (key.asymmetricKeyType) {
    case "rsa":
      return key.export({ type: "pkcs1", format: "pem" }) as string;
    case "ec":
      return key.export({ type: "sec1", format: "pem" }) as string;
    default:
      return key.export({ type: "pkcs8", format: "pem" }) as string;
  }
}

function publicForms(key: KeyObject): Properties {
  const openssh = hasOpensshForm(key) ? opensshPublicKey(key) : { authorizedKey: "", md5: "", sha256: "" };
  return {
    publicKeyPem: publicKeyOf(key).export({ type: "spki", format: "pem" }) as string,
    publicKeyOpenssh: openssh.authorizedKey,
    publicKeyFingerprintMd5: openssh.md5,
    publicKeyFingerprintSha256: openssh.sha256,
  };
}

function keyId(key: KeyObject): string {
  return createHash("sha1")
    .update(publicKeyOf(key).export({ type: "spki", format: "der" }))
    .digest("hex");
}

export function algorithmOf(key: KeyObject): string {
  const names: Readonly<Record<string, string>> = { rsa: "RSA", ec: "ECDSA", ed25519: "ED25519" };
  return names[key.asymmetricKeyType ?? ""] ?? `unsupported (${key.asymmetricKeyType})`;
}

export function readPrivateKey(pem: string, argument: string): KeyObject {
  try {
    return createPrivateKey(pem);
  } catch (error) {
    throw new Error(`Failed to parse the private key in "${argument}": ${(error as Error).message}`);
  }
}

export async function getPublicKey(args: Properties): Promise<Properties> {
  const pem = (args.privateKeyPem ?? args.privateKeyOpenssh) as string | undefined;
  if (pem === undefined) throw new Error('getPublicKey needs "privateKeyPem" or "privateKeyOpenssh"');
  if (args.privateKeyPem === undefined) throw new Error('the stand-in\'s getPublicKey reads "privateKeyPem" only');
  const key = readPrivateKey(pem, "privateKeyPem");
  return { ...args, id: keyId(key), algorithm: algorithmOf(key), ...publicForms(key) };
}
