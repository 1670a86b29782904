import * as pulumi from "@pulumi/pulumi";
import { effectsOf, givenBy, sentence } from "./effects";
import type { Target } from "./target";

/**
 * Says in a preview what the update of a unit restarts or reloads, compared with what was applied last by the host's own
 * word. For a host that was not asked nothing is said; `hastack review` compares with the state.
 */
export function announce(
  unit: pulumi.Resource,
  { hostName, answer }: Target,
  role: string,
  create: pulumi.Output<string>,
  text: pulumi.Output<string>,
): void {
  if (!pulumi.runtime.isDryRun()) return;
  pulumi.all([answer, create, text]).apply(async ([{ result }, line, wanted]) => {
    const before = result?.units[role];
    const given = givenBy(line);
    if (before?.text === undefined || !given) return;
    const applied = { text: before.text, secrets: before.secrets ?? undefined, token: before.token ?? undefined };
    const said = effectsOf(hostName, applied, { ...given, text: wanted }).map(sentence);
    if (said.length > 0) await pulumi.log.info(said.join("\n"), unit);
  });
}
