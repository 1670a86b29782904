/** The OpenSSH forms of a key: the public line, its fingerprints, and the private file (PROTOCOL.key). */
import { createHash, createPublicKey, type KeyObject, randomBytes } from "node:crypto";

const CURVES: Readonly<Record<string, string>> = { "P-256": "nistp256", "P-384": "nistp384", "P-521": "nistp521" };

interface Parts {
  type: string;
  /** The fields of the public key after its type. */
  publicFields: Buffer[];
  /** The fields of the private section after its type. */
  privateFields: Buffer[];
}

export interface OpensshPublicKey {
  authorizedKey: string;
  md5: string;
  sha256: string;
}

/** OpenSSH has no form for P-224. */
export function hasOpensshForm(key: KeyObject): boolean {
  return key.asymmetricKeyType !== "ec" || curveOf(key) !== undefined;
}

export function opensshPublicKey(key: KeyObject): OpensshPublicKey {
  const blob = publicBlob(parts(key));
  const { type } = parts(key);
  return {
    authorizedKey: `${type} ${blob.toString("base64")}\n`,
    md5: createHash("md5")
      .update(blob)
      .digest("hex")
      .replace(/(..)(?=.)/g, "$1:"),
    sha256: `SHA256:${createHash("sha256").update(blob).digest("base64").replace(/=+$/, "")}`,
  };
}

/** Unencrypted, with an empty comment. */
export function opensshPrivateKey(key: KeyObject): string {
  const { type, publicFields, privateFields } = parts(key);
  // The same number twice: a reader tells from it that decryption worked.
  const check = randomBytes(4);
  const section = Buffer.concat([check, check, ...[Buffer.from(type), ...privateFields, Buffer.alloc(0)].map(sized)]);
  const padding = Buffer.from(Array.from({ length: (8 - (section.length % 8)) % 8 }, (_, i) => i + 1));
  const none = sized(Buffer.from("none"));
  const file = Buffer.concat([
    Buffer.from("openssh-key-v1\0"),
    none,
    none,
    sized(Buffer.alloc(0)),
    Buffer.of(0, 0, 0, 1),
    sized(publicBlob({ type, publicFields })),
    sized(Buffer.concat([section, padding])),
  ]);
  const lines = file.toString("base64").match(/.{1,70}/g) ?? [];
  return `-----BEGIN OPENSSH PRIVATE KEY-----\n${lines.join("\n")}\n-----END OPENSSH PRIVATE KEY-----\n`;
}

function parts(key: KeyObject): Parts {
  const jwk = key.export({ format: "jwk" });
  const field = (name: keyof typeof jwk) => Buffer.from((jwk[name] as string | undefined) ?? "", "base64url");
  switch (key.asymmetricKeyType) {
    case "rsa": {
      const number = (name: keyof typeof jwk) => positive(field(name));
      return {
        type: "ssh-rsa",
        publicFields: [number("e"), number("n")],
        privateFields: [number("n"), number("e"), number("d"), number("qi"), number("p"), number("q")],
      };
    }
    case "ed25519":
      return {
        type: "ssh-ed25519",
        publicFields: [field("x")],
        privateFields: [field("x"), Buffer.concat([field("d"), field("x")])],
      };
    case "ec": {
      const curve = curveOf(key);
      if (!curve) throw new Error(`OpenSSH has no form for a key on curve ${jwk.crv}`);
      const point = Buffer.concat([Buffer.of(4), field("x"), field("y")]);
      return {
        type: `ecdsa-sha2-${curve}`,
        publicFields: [Buffer.from(curve), point],
        privateFields: [Buffer.from(curve), point, positive(field("d"))],
      };
    }
    default:
      throw new Error(`OpenSSH has no form for a key of type ${key.asymmetricKeyType}`);
  }
}

/** The name OpenSSH gives the curve; none for P-224, of which Node cannot even make a JWK. */
function curveOf(key: KeyObject): string | undefined {
  const names: Readonly<Record<string, string>> = { prime256v1: "P-256", secp384r1: "P-384", secp521r1: "P-521" };
  return CURVES[names[key.asymmetricKeyDetails?.namedCurve ?? ""] ?? ""];
}

function publicBlob({ type, publicFields }: Pick<Parts, "type" | "publicFields">): Buffer {
  return Buffer.concat([Buffer.from(type), ...publicFields].map(sized));
}

function sized(bytes: Buffer): Buffer {
  const size = Buffer.alloc(4);
  size.writeUInt32BE(bytes.length);
  return Buffer.concat([size, bytes]);
}

/** A multiple-precision integer: no leading zeroes, but one where the first bit would read as a sign. */
function positive(bytes: Buffer): Buffer {
  let start = 0;
  while (start < bytes.length - 1 && bytes[start] === 0) start++;
  const trimmed = bytes.subarray(start);
  return (trimmed[0] ?? 0) & 0x80 ? Buffer.concat([Buffer.of(0), trimmed]) : trimmed;
}

export function publicKeyOf(key: KeyObject): KeyObject {
  return key.type === "private" ? createPublicKey(key) : key;
}
