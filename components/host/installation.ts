/** How the program that makes a host what it should be comes onto it. */
import { gzipSync, strToU8 } from "fflate";
import { agentSource, agentVersion } from "../converge/agent";

/** Makes the source of `installation`, and fails if that was cut short. Base64 and gzip are on every Debian host. */
export const unpack = "read -r version && base64 -d | gzip -d";

/** Installs the agent from standard input, notes the run's token on the host, and prints the host's traits. */
export const install =
  `umask 077; f=$(mktemp) && ${unpack} >"$f" && perl "$f" install && echo end | perl "$f" apply agent - "$1" && ` +
  "grep -h -e ^MemTotal -e ^ID= -e ^VERSION_ID= /proc/meminfo /etc/os-release && nproc && " +
  'ip -oneline -4 address show scope global; s=$?; rm -f "$f"; exit $s';

let packed: string | undefined;

/**
 * What `install` reads: the agent's version, for whoever reviews the change, and its source. Packed, since a stack's state
 * has it twice for every host; and not by Node, whose zlib packs otherwise from release to release: a preview on another
 * machine would change every host.
 */
export function installation(): string {
  packed ??= Buffer.from(gzipSync(strToU8(agentSource()), { level: 9, mtime: 0 })).toString("base64");
  return `${agentVersion}\n${packed}\n`;
}

/** The version in what `installation` has returned; undefined for anything else. */
export function versionInstalled(stdin: string): string | undefined {
  return /^([0-9a-f]{12})\n[A-Za-z0-9+/=]+\n$/.exec(stdin)?.[1];
}
