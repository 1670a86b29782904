import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import * as path from "node:path";

/** Where it is on every host. */
export const convergePath = "/usr/local/lib/hastack/converge";

/** The parts of the program that runs on hosts, in the order in which they are joined; `prelude` first, `main` last. */
const parts = [
  "prelude",
  "failure",
  "report",
  "json",
  "disk",
  "process",
  "state",
  "secrets",
  "statement",
  "directive",
  "unit",
  "systemd",
  "network",
  "dpkg",
  "policy",
  "apt",
  "accounts",
  "file",
  "paths",
  "packages",
  "sysctl",
  "preflight",
  "service",
  "steps",
  "inventory",
  "originals",
  "apply",
  "check",
  "facts",
  "conditions",
  "main",
];

/** Each part but the first is a block of its own, and an error in it names the part and its line. */
function readPart(name: string): string {
  const text = readFileSync(path.join(__dirname, "agent", `${name}.pl`), "utf8");
  return name === "prelude" ? text : `{\n# line 1 "converge/${name}.pl"\n${text}}\n`;
}

const joined = parts.map(readPart).join("\n");

/** First 12 hex digits of the SHA-256 of the program's source, before the version itself is filled in. */
export const agentVersion = createHash("sha256").update(joined).digest("hex").slice(0, 12);

const source = joined.replace("@AGENT_VERSION@", agentVersion);

/** The converge program: one Perl file that needs nothing but Debian's perl-base. It knows its version. */
export function agentSource(): string {
  return source;
}
