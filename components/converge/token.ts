import { createHash, randomBytes } from "node:crypto";
import type { ProbeResult } from "./probe";

/** The token of a unit whose host could not be asked yet. */
export const initialToken = "initial";

/**
 * The token that stands in a unit's command line, from what the host answered:
 * - in order: the token stored on the host, verbatim, so that nothing changes;
 * - drifted: a new one that says what drifted; applying stores it, so that the next run finds it in order;
 * - unknown to the host (never applied whole, or the host was rebuilt): a new one that no state can hold already. It begins
 *   with `first`, which the unit's scripts find in $HASTACK_TOKEN.
 */
export function tokenFor(unit: string, answer: ProbeResult, first = "install"): string {
  const found = answer.units[unit];
  if (!found?.token) return `${first}:${randomBytes(4).toString("hex")}`;
  if (found.drift.length === 0) return found.token;
  // The stored token is part of the digest: the same drift twice must not give the same token.
  const digest = createHash("sha256")
    .update([found.token, ...found.drift].join("\n"))
    .digest("hex")
    .slice(0, 6);
  return `drift:${digest} ${found.drift.map(legible).join("; ")}`.slice(0, 400);
}

/** Only plain characters: the token is part of a command line and of a line in a preview. */
function legible(text: string): string {
  return text.replace(/[^A-Za-z0-9 ./:;_,=@%+-]/g, "?");
}
