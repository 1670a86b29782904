import { readFileSync } from "node:fs";
import { join } from "node:path";
import * as pulumi from "@pulumi/pulumi";
import type { Host } from "../host";
import { inspect, unknownEverywhere } from "../host/inspect";
import { refuse } from "../host/preflight";
import { type EtcdConfig, peerPort } from "./etcd";

/** An etcd that runs on a host and was set up by hand. */
export interface FoundEtcd {
  token: string;
  dataDirectory: string;
  /** Peer URLs of all members; none when it does not answer. */
  members: readonly string[];
  keys: readonly string[];
}

/**
 * The configuration, as soon as it is sure that the etcd which runs on the members may be replaced. It is said what will
 * be. Once the quorum has been whole, nothing is asked any more.
 */
export function replacing(
  resource: string,
  quorum: pulumi.Resource,
  hosts: readonly Host[],
  token: pulumi.Input<string>,
  config: pulumi.Output<EtcdConfig>,
): pulumi.Output<EtcdConfig> {
  const program = readFileSync(join(__dirname, "host", "found"), "utf8");
  return pulumi.all([config, token, unknownEverywhere(resource, hosts, "etcd-ready")]).apply(([c, wanted, due]) => {
    if (!due) return pulumi.output(c);
    const found = hosts.map((host) =>
      // A run that was interrupted has replaced some of them already.
      host.answer.apply(({ result }) =>
        result?.units.etcd?.token ? undefined : inspect(resource, host, "sh -s", program).apply(parseFound),
      ),
    );
    return pulumi.all(found).apply(async (all) => {
      const reasons = c.members.flatMap((member, i) => {
        const etcd = all[i];
        return etcd === undefined ? [] : refusals(c, wanted, etcd).map((reason) => `${member.name}: ${reason}`);
      });
      if (reasons.length > 0) return refuse(`${resource} cannot take the place of an etcd:\n  ${reasons.join("\n  ")}`);
      for (const [i, { name }] of c.members.entries()) {
        const etcd = all[i];
        if (etcd) await pulumi.log.info(announcement(name, etcd), quorum);
      }
      return c;
    });
  });
}

/** From the lines of host/found; null where no etcd runs. */
export function parseFound(printed: string): FoundEtcd | null {
  const lines = printed.split("\n").filter((line) => line !== "");
  if (lines.length === 0) return null;
  const after = (start: string) => lines.filter((l) => l.startsWith(start)).map((l) => l.slice(start.length));
  return {
    token: after("ETCD_INITIAL_CLUSTER_TOKEN=")[0] ?? "",
    dataDirectory: after("ETCD_DATA_DIR=")[0] ?? "",
    members: after("member "),
    keys: after("key "),
  };
}

/** Why an etcd must not be replaced, in the words of its operator; empty when it may be. */
export function refusals({ members }: Pick<EtcdConfig, "members">, token: string, etcd: FoundEtcd | null): string[] {
  if (!etcd) return ["no etcd runs here: start the one whose place is to be taken, or leave `replaces` out"];
  if (etcd.token !== token) {
    return [
      `its etcd has the token ${JSON.stringify(etcd.token)}, and not ${JSON.stringify(token)}: it is another quorum; ` +
        "give its token as `replaces` if it is the one that is meant",
    ];
  }
  const reasons: string[] = [];
  const own = members.map(({ address }) => address);
  const strangers = etcd.members.filter((url) => !own.some((address) => url.includes(`//${address}:`)));
  if (strangers.length > 0) {
    reasons.push(
      `its etcd has members that the program does not name: ${strangers.join(", ")}: name their hosts as \`members\`, ` +
        "or remove them first (`etcdctl member remove`)",
    );
  }
  return reasons;
}

function announcement(name: string, etcd: FoundEtcd): string {
  return (
    `${name}: the etcd with the token ${JSON.stringify(etcd.token)} is replaced by one with TLS and users, which begins empty; ` +
    `its data stays in ${etcd.dataDirectory}. Its keys: ${summary(etcd.keys)}. Whoever else uses it loses it ` +
    `(ports 2379 and ${peerPort}).`
  );
}

/** Keys by their first two levels, e.g. `/db/workspad-cluster/ (9)`. */
function summary(keys: readonly string[]): string {
  const counts = new Map<string, number>();
  for (const key of keys) {
    const prefix = /^\/?[^/]*\/[^/]*\//.exec(key)?.[0] ?? key;
    counts.set(prefix, (counts.get(prefix) ?? 0) + 1);
  }
  return [...counts].map(([prefix, count]) => `${prefix} (${count})`).join(", ") || "none that can be read";
}
