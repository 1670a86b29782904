import { readFileSync } from "node:fs";
import { join } from "node:path";
import * as pulumi from "@pulumi/pulumi";
import type { Host } from "../host";
import { inspect, unknownEverywhere } from "../host/inspect";
import { refuse } from "../host/preflight";
import { lookupRole, ownRoles, replicator, rolesOf, superuser } from "./args";
import { dynamicParameters } from "./parameters";
import { type ClusterConfig, dataPath, home, memberParameters } from "./patroni";
import { isPasswordOf } from "./scram";

/** What runs on a host that was set up by hand, as host/found.py says it. */
export interface FoundMember {
  /** Path of Patroni's configuration. */
  config: string;
  scope: string | null;
  namespace: string;
  name: string | null;
  /** Where Patroni keeps who leads: the section of its configuration. */
  store: string;
  /** Names of Patroni's users. */
  superuser: string | null;
  replication: string | null;
  /** Data directory. */
  data: string;
  version: number;
  /** What initdb has given the cluster. */
  identifier: string;
  checksums: boolean;
  /** Lines of pg_hba.conf. */
  hba: readonly string[];
  members: readonly { name: string; role: string; state: string }[];
  /** PostgreSQL's parameters in Patroni's dynamic configuration. */
  parameters: Readonly<Record<string, unknown>>;
  /** Roles that may log in; what PostgreSQL keeps of their passwords. */
  roles: readonly { name: string; verifier: string | null }[];
  databases: readonly { name: string; owner: string; bytes: number }[];
}

/** Why that could not be said. */
export interface UnknownMember {
  unknown: string;
}

/** What is to be looked at was looked at before an interrupted run began to take it over. */
interface MemberUnderway {
  underway: true;
}

type Answer = FoundMember | UnknownMember | MemberUnderway;

export type Found = Readonly<Record<string, FoundMember | UnknownMember>>;

/**
 * The configuration, as soon as it is sure that the cluster which runs on the members may be taken over. It is said what
 * will change. Once it has been taken over, nothing is asked any more.
 * @param given the passwords that the program gives, by role
 */
export function adopting(
  resource: string,
  cluster: pulumi.Resource,
  hosts: readonly Host[],
  given: pulumi.Output<Readonly<Record<string, string>>>,
  config: pulumi.Output<ClusterConfig>,
): pulumi.Output<ClusterConfig> {
  const program = readFileSync(join(__dirname, "host", "found.py"), "utf8");
  const due = unknownEverywhere(resource, hosts, "patroni-cluster");
  const traits = pulumi.all(hosts.map((host) => host.traits));
  return pulumi.all([config, given, traits, due]).apply(([c, passwords, t, isDue]) => {
    if (!isDue) return pulumi.output(c);
    const asked = hosts.map((host) =>
      // A run that was interrupted has taken some of them over already.
      host.answer.apply(({ result }) =>
        result?.units.patroni?.token
          ? undefined
          : inspect(resource, host, "python3 -", program).apply((text) => JSON.parse(text) as Answer),
      ),
    );
    return pulumi.all(asked).apply(async (answers) => {
      const found: Found = Object.fromEntries(
        hosts.flatMap((host, i) => {
          const answer = answers[i];
          return answer && !("underway" in answer) ? [[host.hostName, answer]] : [];
        }),
      );
      const reasons = refusals(c, passwords, found);
      if (reasons.length > 0) return refuse(`${resource} cannot take the cluster over:\n  ${reasons.join("\n  ")}`);
      for (const [i, host] of hosts.entries()) {
        const member = found[host.hostName];
        if (!member || "unknown" in member) continue;
        const own = memberParameters(c, t[i] as (typeof t)[number]);
        await pulumi.log.info(announcement(c, host.hostName, member, own), cluster);
      }
      return c;
    });
  });
}

/** Why a cluster cannot be taken over, in the words of its operator; empty when it can be. */
export function refusals(config: ClusterConfig, given: Readonly<Record<string, string>>, found: Found): string[] {
  const reasons = new Set<string>();
  const names = config.members.map((member) => member.name);
  const identifiers = new Set<string>();
  for (const [host, member] of Object.entries(found)) {
    if ("unknown" in member) {
      reasons.add(`${host}: ${member.unknown}`);
      continue;
    }
    identifiers.add(member.identifier);
    for (const reason of [...differences(config, host, member), ...roleRefusals(config, given, member)]) {
      reasons.add(`${host}: ${reason}`);
    }
    for (const reason of membership(names, member)) reasons.add(reason);
  }
  if (identifiers.size > 1) {
    reasons.add(
      `the members' databases have other system identifiers (${[...identifiers].join(", ")}): they are no copies`,
    );
  }
  return [...reasons];
}

function differences(config: ClusterConfig, host: string, member: FoundMember): string[] {
  const reasons: string[] = [];
  const differs = (what: string, is: unknown, wanted: unknown, cure: string) => {
    if (is !== wanted) reasons.push(`${what} is ${JSON.stringify(is)}, and not ${JSON.stringify(wanted)}: ${cure}`);
  };
  differs("its scope", member.scope, config.scope, "give that as `scope`, if it is the cluster that is meant");
  differs("its namespace", member.namespace, config.namespace, "give that as `namespace`");
  differs("its name in Patroni", member.name, host, "give the host that name");
  if (member.store !== "etcd3" && member.store !== "etcd") {
    reasons.push(`its Patroni keeps who leads in ${member.store}: only what is in etcd can be taken over`);
  }
  differs(
    "its PostgreSQL",
    member.version,
    config.version,
    "upgrade it first (pg_upgrade): versions are not changed here",
  );
  differs("its data directory", member.data, dataPath(config), "move the data there first; a symbolic link will do");
  differs("Patroni's superuser", member.superuser, superuser, "rename the role and set it in Patroni first");
  differs(
    "Patroni's role for replication",
    member.replication,
    replicator,
    "make that role and set it in Patroni first",
  );
  if (!member.checksums) {
    reasons.push(
      "its data has no checksums: stop the cluster, run `pg_checksums --enable` on every member, start it again",
    );
  }
  return reasons;
}

/** A role whose clients would be shut out, since their password is another one, or with MD5, from then on. */
function roleRefusals(config: ClusterConfig, given: Readonly<Record<string, string>>, member: FoundMember): string[] {
  const ours = rolesOf(config).map((role) => role.name);
  return member.roles.flatMap(({ name, verifier }) => {
    if ([...ownRoles, lookupRole].includes(name) || verifier === null) return [];
    const password = given[name];
    if (password !== undefined) {
      if (isPasswordOf(name, password, verifier)) return [];
      return [`its role ${name} has another password than the one in \`roles\`: give the one that clients use`];
    }
    if (ours.includes(name)) {
      return [
        `its role ${name} has a password, and a new one would be made: give the one that clients use in \`roles\``,
      ];
    }
    if (!isMd5(verifier)) return [];
    return [
      `its role ${name} has an MD5 password, with which nobody can log in any more (SCRAM only): name it in \`roles\` with ` +
        "its password, or take the role's right to log in",
    ];
  });
}

function isMd5(verifier: string | null): boolean {
  return verifier?.startsWith("md5") ?? false;
}

function membership(names: readonly string[], member: FoundMember): string[] {
  const found = member.members.map(({ name }) => name);
  const strangers = found.filter((name) => !names.includes(name));
  const missing = names.filter((name) => !found.includes(name));
  const unwell = member.members.filter(({ state }) => state !== "running" && state !== "streaming");
  return [
    ...strangers.map(
      (name) => `the cluster has a member ${name} that is not in \`members\`: name it, or remove it first`,
    ),
    ...missing.map((name) => `${name} is no member of the cluster: add it when the others have been taken over`),
    ...unwell.map(({ name, state }) => `${name} is ${state}: mend it first`),
    ...(member.members.some(({ role }) => role === "leader") ? [] : ["the cluster has no leader: mend it first"]),
  ];
}

/** What will become of a member, for whoever reviews the preview. */
export function announcement(
  config: ClusterConfig,
  host: string,
  member: FoundMember,
  own: Readonly<Record<string, string>>,
): string {
  const role = member.members.find(({ name }) => name === host)?.role ?? "member";
  const wanted = { ...own, ...dynamicParameters(config.parameters) };
  const changed = Object.entries(member.parameters)
    .filter(([name, value]) => String(value) !== wanted[name])
    .map(([name, value]) => `${name} ${value} -> ${wanted[name] ?? "PostgreSQL's default"}`);
  const md5 = member.roles.filter(({ verifier }) => isMd5(verifier)).map(({ name }) => name);
  const unnamed = member.databases.filter(({ name }) => !config.databases.some((d) => d.name === name));
  return [
    `${host}: its ${role} is taken over where it is, PostgreSQL ${member.version} in ${member.data}`,
    `  databases: ${member.databases.map(({ name, bytes }) => `${name} (${Math.ceil(bytes / 1048576)} MiB)`).join(", ")}`,
    ...(unnamed.length > 0 ? [`  left as they are: ${unnamed.map(({ name }) => name).join(", ")}`] : []),
    `  its configuration (${member.config}) and pg_hba.conf: replaced by files in ${home}, which let in nobody without TLS; copies stay`,
    `  no longer in force: ${member.hba.map((line) => line.replace(/\s+/g, " ")).join("; ")}`,
    `  parameters that were set for the cluster: ${changed.join(", ") || "as they are"}`,
    ...(md5.length > 0 ? [`  passwords kept as SCRAM instead of MD5: ${md5.join(", ")}`] : []),
    "  PostgreSQL is restarted once, replicas first, the leader after a switchover; until then it runs on",
  ].join("\n");
}
