import { createPrivateKey } from "node:crypto";
import type { Stack } from "./stack";

/** A value that nobody may see who may not see the whole stack, and what it is, for messages. */
export interface Secret {
  what: string;
  value: string;
}

/** All generated and derived secrets of a stack: passwords, verifiers, private keys. */
export async function secretsOf(stack: Stack): Promise<Secret[]> {
  const found: Secret[] = [];
  const note = (what: string, value: unknown) => {
    if (typeof value === "string") found.push(...piecesOf(what, value));
  };
  for (const { urn, inputs = {}, outputs = {} } of await stack.resources()) {
    const name = urn.slice(urn.lastIndexOf("::") + 2);
    const type = urn.split("::")[2]?.split("$").at(-1) ?? "";
    switch (type) {
      case "random:index/randomPassword:RandomPassword":
        note(`${name} result`, plain(outputs.result));
        note(`${name} bcryptHash`, plain(outputs.bcryptHash));
        break;
      case "tls:index/privateKey:PrivateKey":
        note(`${name} privateKeyPem`, plain(outputs.privateKeyPem));
        note(`${name} privateKeyPemPkcs8`, plain(outputs.privateKeyPemPkcs8));
        break;
      case "command:remote:Command":
        note("SSH key", (plain(inputs.connection) as { privateKey?: string }).privateKey);
        if (name.endsWith("-secrets"))
          for (const [what, value] of stored(plain(inputs.stdin))) note(`${name} ${what}`, value);
    }
  }
  for (const [role, value] of Object.entries((await stack.outputs()).passwords ?? {})) {
    note(`password of ${role}`, value);
  }
  return distinct(found);
}

/** Which of the secrets are in a text, as they are or in one of the forms in which they travel. */
export function leaked(text: string, secrets: readonly Secret[]): string[] {
  return secrets.filter(({ value }) => formsOf(value).some((form) => text.includes(form))).map(({ what }) => what);
}

export function formsOf(value: string): string[] {
  const json = JSON.stringify(value).slice(1, -1);
  // The engine, which is in Go, escapes more than it must.
  const goJson = json.replace(/[<>&]/g, (c) => `\\u00${c.charCodeAt(0).toString(16)}`);
  const base64 = Buffer.from(value).toString("base64").replace(/=+$/, "");
  // The last character depends on what comes next.
  return [value, json, goJson, base64.slice(0, -1)];
}

/** Lines `NAME BASE64`: what the host gets. Certificates are public. */
function stored(stdin: unknown): [string, string][] {
  return String(stdin)
    .split("\n")
    .filter((line) => line.includes(" "))
    .map((line): [string, string] => {
      const [what = "", base64 = ""] = line.split(" ");
      return [what, Buffer.from(base64, "base64").toString()];
    })
    .filter(([, value]) => !value.includes("BEGIN CERTIFICATE"));
}

/** A key may be quoted line by line. What is too short says nothing when it is found. */
function piecesOf(what: string, value: string): Secret[] {
  const lines = value.split("\n").filter((line) => line.length >= 8 && !line.startsWith("-----"));
  return lines.filter((line) => holdsSecret(line, value)).map((line) => ({ what, value: line }));
}

/** Of an EC key in PEM only some lines: the others are the public key, which is in certificates, too. */
function holdsSecret(line: string, pem: string): boolean {
  // The same first line in every such file: its type.
  if (pem.includes("-----BEGIN OPENSSH PRIVATE KEY-----\n")) return !pem.split("\n")[1]?.startsWith(line);
  if (!/-----BEGIN (EC )?PRIVATE KEY-----/.test(pem)) return true;
  const { d = "" } = createPrivateKey(pem).export({ format: "jwk" });
  const scalar = Buffer.from(d, "base64url");
  const body = pem.replace(/-----.*-----|\n/g, "");
  const start = Math.floor((Buffer.from(body, "base64").indexOf(scalar) * 4) / 3);
  const at = body.indexOf(line);
  return Math.min(at + line.length, start + 40) - Math.max(at, start) >= 8;
}

/** A value in an export is plain, or an object with the plain text in JSON. */
function plain(value: unknown): unknown {
  const text = (value as { plaintext?: string } | null | undefined)?.plaintext;
  return text === undefined ? value : (JSON.parse(text) as unknown);
}

function distinct(secrets: readonly Secret[]): Secret[] {
  return [...new Map(secrets.map((secret) => [secret.value, secret])).values()];
}
