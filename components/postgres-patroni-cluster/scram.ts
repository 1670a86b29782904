import { createHash, createHmac, pbkdf2Sync } from "node:crypto";
import { saslprep } from "@mongodb-js/saslprep";

/** PostgreSQL's own default (`scram_iterations`). */
const iterations = 4096;

/**
 * The verifier that PostgreSQL stores for a password (RFC 5802; PostgreSQL manual, 53.8 pg_authid): with it the
 * password itself is in no statement and in no log, and whether a role has its password can be checked by comparing.
 * @param saltKey a secret of the cluster. The salt must be the same in each run, and a server tells it to anybody who
 *   asks; so it comes from this key, and never from the password.
 */
export function scramVerifier(role: string, password: string, saltKey: string): string {
  const salt = createHmac("sha256", saltKey).update(`scram salt of ${role}`).digest().subarray(0, 16);
  return verifierOf(password, salt, iterations);
}

/** Whether a password is the one that PostgreSQL has for a role, be it as SCRAM or as MD5. */
export function isPasswordOf(role: string, password: string, verifier: string): boolean {
  if (verifier.startsWith("md5"))
    return (
      verifier ===
      `md5${createHash("md5")
        .update(password + role)
        .digest("hex")}`
    );
  const [, count, salt = ""] = /^SCRAM-SHA-256\$(\d+):([^$]+)\$/.exec(verifier) ?? [];
  return verifier === verifierOf(password, Buffer.from(salt, "base64"), Number(count ?? iterations));
}

function verifierOf(password: string, salt: Buffer, rounds: number): string {
  const salted = pbkdf2Sync(prepared(password), salt, rounds, 32, "sha256");
  const clientKey = createHmac("sha256", salted).update("Client Key").digest();
  const storedKey = createHash("sha256").update(clientKey).digest("base64");
  const serverKey = createHmac("sha256", salted).update("Server Key").digest("base64");
  return `SCRAM-SHA-256$${rounds}:${salt.toString("base64")}$${storedKey}:${serverKey}`;
}

/** As PostgreSQL does: normalised by SASLprep (RFC 4013), or as it is where that refuses. */
function prepared(password: string): string {
  try {
    return saslprep(password, { allowUnassigned: false });
  } catch {
    return password;
  }
}
