import { createHmac } from "node:crypto";
import { type Format, formats } from "../formats";

/**
 * Names a secret inside a unit's text: `@{secret:replicator|yaml}`. The host puts the value there; it is written
 * the way the surrounding file wants it (`yaml`, `sql`, …), so that any character in it is right.
 */
export function secret(name: string, format: Format = "raw"): string {
  if (!/^[a-z0-9_.-]+$/.test(name)) throw new Error(`not a name for a secret: ${JSON.stringify(name)}`);
  return `@{secret:${name}|${format}}`;
}

/** The secrets that a text names, once each, in the order of their names: `replicator|yaml`. */
export function secretsNamedIn(text: string): string[] {
  const found = new Set<string>();
  for (const match of text.matchAll(/@\{secret:([^}]*)\}/g)) found.add(match[1] ?? "");
  return [...found].sort();
}

/** What `converge secrets` reads: a line `NAME BASE64` for every secret that the text names, and `end`. */
export function secretLines(text: string, values: Readonly<Record<string, string>>): string {
  const lines = secretsNamedIn(text).map((reference) => {
    const [name = "", format = "raw"] = reference.split("|");
    const value = values[name];
    if (value === undefined) throw new Error(`the text names the secret ${name}, which its component does not give`);
    return `${reference} ${Buffer.from(encode(format, value), "utf8").toString("base64")}\n`;
  });
  return `${lines.join("")}end\n`;
}

/**
 * A keyed digest of the secrets' lines: it stands in the command line, so that a rotation is seen as a change,
 * and tells nothing about a value without the key (which is itself a secret in the stack's state).
 */
export function secretsDigest(lines: string, key: string): string {
  return createHmac("sha256", key).update(lines).digest("hex").slice(0, 16);
}

/** A secret of its own for every purpose, 190 bits, letters and digits and "-_": the same for the same seed. */
export function derivedSecret(seed: string, purpose: string): string {
  return createHmac("sha256", seed).update(purpose).digest("base64url").slice(0, 32);
}

function encode(format: string, value: string): string {
  const encoder = Object.hasOwn(formats, format) ? formats[format as Format] : undefined;
  if (!encoder)
    throw new Error(`no such way to write a secret: ${format} (there are ${Object.keys(formats).join(", ")})`);
  return encoder(value);
}
