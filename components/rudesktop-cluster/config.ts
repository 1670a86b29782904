import { createHmac } from "node:crypto";
import { secret } from "../converge/secrets";
import { directory, ensure, file, unitText, waitFor } from "../converge/text";
import { check, type SharedValues } from "../rudesktop-node/config";

/** The same words that `check.py identity` says of the files on a host: without the key they tell nothing. */
export function identityOf(values: SharedValues, key: string): string {
  return Object.entries(values)
    .map(
      ([name, value]) => `${name}=${createHmac("sha256", key).update(`${name}=${value}`).digest("hex").slice(0, 12)}`,
    )
    .join(" ");
}

/** The unit `rudesktop-shared`, on every node when all are healthy: they agree, and see what the others leave in Redis. */
export function renderShared(identity: string, node: string, nodes: readonly string[]): string {
  return unitText(
    directory("/etc/hastack", { mode: "0755", owner: "root:root" }),
    file("/etc/hastack/rudesktop-digest.key", secret("digest-key"), { mode: "0600", owner: "root:root" }),
    waitFor(
      "the files that RuDesktop reads have the values of all nodes",
      5,
      [
        `want=${JSON.stringify(identity)}`,
        `have=$(${check} identity) || { echo "$have"; exit 1; }`,
        "for pair in $want; do",
        // biome-ignore lint/suspicious/noTemplateCurlyInString: a shell's
        '  case " $have " in *" $pair "*) ;; *) echo "another ${pair%%=*}"; exit 1 ;; esac',
        "done",
      ].join("\n"),
    ),
    ensure(`${node} is known in the Redis that all nodes use`, {
      check: `${check} marked ${node}`,
      fix: `${check} mark ${node}`,
    }),
    waitFor("every node is known there, with the same values", 60, `${check} agree ${nodes.join(" ")}`),
  );
}
