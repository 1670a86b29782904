/** What openssl and OpenSSH, which share no code with a plugin, say about its keys and certificates. */
import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

export function openssl(args: string[], input = ""): string {
  return execFileSync("openssl", args, { input, encoding: "utf8", stdio: "pipe" });
}

/** The public key that belongs to a private one. */
export function publicKeyOf(privateKeyPem: string): string {
  return openssl(["pkey", "-pubout"], privateKeyPem);
}

export function describeKey(privateKeyPem: string): string {
  return openssl(["pkey", "-noout", "-text"], privateKeyPem);
}

export function describeCertificate(pem: string): string {
  return openssl(["x509", "-noout", "-text", "-nameopt", "utf8,sep_comma_plus"], pem);
}

/** One extension, e.g. `keyUsage`, as openssl prints it; empty where it is absent. */
export function extension(pem: string, name: string): string {
  const text = openssl(["x509", "-noout", "-ext", name], pem);
  return text.replace(/^No extensions.*\n?/, "").trim();
}

export function validity(pem: string): { from: Date; to: Date } {
  const text = openssl(["x509", "-noout", "-dates"], pem);
  const date = (name: string) => new Date(new RegExp(`^${name}=(.*)$`, "m").exec(text)?.[1] ?? "missing");
  return { from: date("notBefore"), to: date("notAfter") };
}

/** openssl's verdict on the chain: "OK", or its complaint. */
export function verify(pem: string, chain: { ca: string; intermediates?: string[] }, ...checks: string[]): string {
  return inFiles({ cert: pem, ca: chain.ca, between: (chain.intermediates ?? []).join("") }, (files) => {
    const untrusted = chain.intermediates ? ["-untrusted", files.between] : [];
    const args = ["verify", "-x509_strict", ...checks, "-CAfile", files.ca, ...untrusted, files.cert];
    const { status, stdout, stderr } = spawnSync("openssl", args, { encoding: "utf8" });
    return status === 0 ? "OK" : `${stdout}${stderr}`;
  });
}

export function sshKeygen(keys: { privateKey?: string; publicKey?: string }, ...args: string[]): string {
  return inFiles({ key: keys.privateKey ?? keys.publicKey ?? "" }, ({ key }) =>
    execFileSync("ssh-keygen", [...args, "-f", key], { encoding: "utf8", stdio: "pipe" }),
  );
}

function inFiles<Name extends string, T>(contents: Record<Name, string>, use: (paths: Record<Name, string>) => T): T {
  const dir = mkdtempSync(join(tmpdir(), "conformance-pem-"));
  try {
    const paths = {} as Record<Name, string>;
    for (const name of Object.keys(contents) as Name[]) {
      paths[name] = join(dir, name);
      writeFileSync(paths[name], contents[name], { mode: 0o600 });
    }
    return use(paths);
  } finally {
    rmSync(dir, { recursive: true });
  }
}
