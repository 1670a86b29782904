import assert from "node:assert/strict";
import { changesIn, driftIn } from "./stack";
import type { TestCluster } from "./test-cluster";

/** Something that is changed by hand, and what a preview has to say about it. */
export interface Tampering {
  /** What is done, for messages. */
  what: string;
  host: string;
  /** Shell text that does it. */
  script: string;
  /** The resources that it makes drift, with the reason that each gives. */
  drift: Readonly<Record<string, string>>;
  /** The service on its host that has to be started anew. */
  restarts?: string;
}

/** A preview that finds drift ends with this code (`pulumi preview --expect-no-changes`). */
const expectedNoChanges = 7;

/**
 * Does it all, and holds the cluster to the whole of the promise: the preview fails and names exactly that, `up` changes
 * exactly that and restarts nothing that is right, and the next preview is clean.
 * @param between is asked when all is done and nothing healed
 */
export async function seenAndHealed(
  cluster: TestCluster,
  tamperings: readonly Tampering[],
  between: () => Promise<void> = async () => undefined,
): Promise<void> {
  const { stack, hosts } = cluster;
  for (const { what, host, script } of tamperings) {
    await hosts.sh(host, script).catch((error) => assert.fail(`${what}: ${error.message}`));
  }
  await between();

  const preview = await stack.preview("--diff", "--expect-no-changes");
  assert.equal(preview.code, expectedNoChanges, preview.stdout + preview.stderr);
  assert.deepEqual(reasonsIn(driftIn(preview.stdout)), wanted(tamperings));

  const before = await hosts.invocations("etcd", "patroni");
  const healed = changesIn(await stack.succeeds(stack.up()));
  const drifted = Object.keys(wanted(tamperings)).sort();
  assert.deepEqual(
    healed,
    drifted.map((name) => ({ op: "update", name })),
  );
  const after = await hosts.invocations("etcd", "patroni");
  const restarted = Object.keys(after).filter((service) => after[service] !== before[service]);
  const due = tamperings.flatMap(({ host, restarts }) => (restarts ? [`${host} ${restarts}`] : []));
  assert.deepEqual(restarted, due, "nothing else was restarted");

  await stack.unchanged();
}

/** By resource, all reasons that the tamperings give. */
function wanted(tamperings: readonly Tampering[]): Record<string, string[]> {
  const joined: Record<string, string> = {};
  for (const { drift } of tamperings) {
    for (const [name, reason] of Object.entries(drift))
      joined[name] = joined[name] ? `${joined[name]}; ${reason}` : reason;
  }
  return reasonsIn(joined);
}

function reasonsIn(drift: Readonly<Record<string, string>>): Record<string, string[]> {
  return Object.fromEntries(Object.entries(drift).map(([name, reasons]) => [name, reasons.split("; ").sort()]));
}
