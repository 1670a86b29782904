import { createHash } from "node:crypto";
import { derivedSecret, secret } from "../converge/secrets";
import type { RedisSettings } from "./args";
import { isReplicated, type RedisConfig } from "./model";

/** The application: Redis logs in as `default` whoever gives a password only. */
export const application = "default";
/** May do everything; our own scripts on the host, and administrators. */
export const admin = "admin";
export const replication = "replication";
export const sentinel = "sentinel";
/** HAProxy: may ask for the role of a Redis, and a Sentinel for the master. */
export const checker = "checker";

const internal = [admin, replication, sentinel, checker];

/** Users of Redis (its manual, ACL: the file's lines). A password is there as its digest. */
export function renderUsers(config: RedisConfig): string {
  const allowed = config.settings.allowedCommands.map((command) => ` +${command}`).join("");
  const lines = [user(application, `~* &* +@all -@dangerous${allowed}`), user(admin, "~* &* +@all")];
  if (isReplicated(config)) {
    lines.push(
      user(checker, "+role"),
      user(replication, "+psync +replconf +ping"),
      // Redis manual, High availability with Sentinel: Redis Access Control List authentication
      user(
        sentinel,
        "&* +multi +exec +slaveof +ping +subscribe +publish +config|rewrite +role +info +client|setname +client|kill +script|kill",
      ),
    );
  }
  return `${lines.join("\n")}\n`;
}

/** Users of Sentinel; nobody gets in without a name. */
export function renderSentinelUsers(): string {
  return [
    user(admin, "~* &* +@all"),
    user(checker, "+sentinel|get-master-addr-by-name"),
    user(sentinel, "&* +ping +info +publish +subscribe +client|setname +sentinel|is-master-down-by-addr"),
    "user default off",
    "",
  ].join("\n");
}

function user(name: string, rules: string): string {
  return `user ${name} on ${secret(`${name}-accepted`)} ${rules}`;
}

/** The password that clients use. */
export function applicationPassword(seed: string, settings: RedisSettings, given: string | undefined): string {
  return given ?? derivedSecret(seed, `${application} ${settings.passwordRotation}`);
}

export function adminPassword(seed: string, settings: RedisSettings): string {
  return derivedSecret(seed, `${admin} ${settings.passwordRotation}`);
}

/**
 * Secrets of a host: `USER-password`, and `USER-accepted`, the digests of all passwords that it may log in with. While
 * hosts are changed one after the other, some use the password before and some the next one: both are accepted.
 */
export function userSecrets(
  seed: string,
  settings: RedisSettings,
  given: { password?: string | undefined; previousPassword?: string | undefined },
): Record<string, string> {
  const now = settings.passwordRotation;
  const before = given.password
    ? given.previousPassword
    : now > 0 && settings.acceptPrevious
      ? derivedSecret(seed, `${application} ${now - 1}`)
      : undefined;
  const secrets: Record<string, string> = {
    [`${application}-accepted`]: accepted([applicationPassword(seed, settings, given.password), before]),
  };
  for (const name of internal) {
    secrets[`${name}-password`] = derivedSecret(seed, `${name} ${now}`);
    secrets[`${name}-accepted`] = accepted([now, now - 1, now + 1].map((n) => derivedSecret(seed, `${name} ${n}`)));
  }
  return secrets;
}

function accepted(passwords: readonly (string | undefined)[]): string {
  const digest = (password: string) => `#${createHash("sha256").update(password).digest("hex")}`;
  return passwords
    .filter((password) => password !== undefined)
    .map(digest)
    .join(" ");
}
