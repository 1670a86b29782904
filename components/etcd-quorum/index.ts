import type { remote } from "@pulumi/command";
import * as pulumi from "@pulumi/pulumi";
import * as random from "@pulumi/random";
import { z } from "zod";
import type { Certificate, CertificateAuthority } from "../certificate-authority";
import { programRan } from "../converge/program-ran";
import { command, commandsOf, unit } from "../converge/unit";
import { type ExtraArgs, extended } from "../extra";
import { fault } from "../fault";
import { firewallUnits } from "../firewall";
import { firstWord } from "../founding";
import type { Host } from "../host";
import { clockSkewRefused } from "../host/clock";
import { Internals } from "../internals";
import { type Removal, removalOf } from "../removal";
import { inTurn } from "../rolling";
import { checked, parse } from "../validate";
import { deleteKeys, renderAccount } from "./account";
import { peerCommonName, renderInstall, renderMember } from "./config";
import { type EtcdConfig, endpoint, firewallOf } from "./etcd";
import { renderAccess, renderReady } from "./membership";
import { replacing } from "./replacement";

export interface EtcdQuorumArgs {
  /** 1, 3, 5 or 7 hosts. */
  members: Host[];
  /** Issues the certificates of members and clients. */
  ca: CertificateAuthority;
  /**
   * Hosts besides the members whose services use the quorum, e.g. those of a Patroni cluster elsewhere.
   * @default []
   */
  clients?: Host[];
  /**
   * Let only members and clients reach the ports (a table of nftables of its own; nothing else is touched).
   * @default true
   */
  firewall?: boolean;
  /**
   * Token (`ETCD_INITIAL_CLUSTER_TOKEN`) of an etcd that was set up by hand on the same hosts, and whose place this quorum
   * takes. The quorum begins empty: what Patroni keeps in it comes back with the cluster (`adopt` of
   * `PostgresPatroniCluster`, docs/adopt.md); keys of others do not.
   * @default none: an etcd that runs already is left alone, and refused
   */
  replaces?: pulumi.Input<string>;
  /**
   * Remove the data as well when the quorum is deleted, or the member's when a member leaves. It counts from the
   * `pulumi up` on that applies it, and is refused while the quorum is protected.
   * @default false
   */
  purge?: boolean;
  /**
   * Limit of the database's size in MiB; beyond it etcd refuses writes.
   * @default 2048
   */
  quotaMiB?: pulumi.Input<number>;
  /**
   * Hours of key history that are kept.
   * @default 1
   */
  compactionHours?: pulumi.Input<number>;
  /**
   * Milliseconds between a leader's heartbeats: about the round trip between members.
   * @default 100
   */
  heartbeatMs?: pulumi.Input<number>;
  /**
   * Milliseconds without a heartbeat after which members elect a new leader: 10 times the heartbeat or more.
   * @default 1000
   */
  electionMs?: pulumi.Input<number>;
  /** What the component does not foresee: files, lines, scripts around restarts of etcd. @default none */
  extra?: ExtraArgs;
}

/** What a client of the quorum needs. */
export interface EtcdAccess {
  endpoints: pulumi.Output<string[]>;
  user: string;
  password: pulumi.Output<string>;
  /** Depend on it: the account is there afterwards. */
  ready: remote.Command;
}

const readyRole = "etcd-ready";

const schema = z
  .object({
    quotaMiB: z
      .number()
      .int()
      .min(64)
      .max(8192, { message: "etcd recommends at most 8192 MiB (etcd manual, System limits)" })
      .default(2048),
    compactionHours: z.number().int().min(1).default(1),
    heartbeatMs: z.number().int().min(10).max(5000).default(100),
    electionMs: z
      .number()
      .int()
      .min(100)
      .max(50000, { message: "etcd accepts at most 50000 ms (etcd manual, Tuning)" })
      .default(1000),
  })
  .refine((times) => times.electionMs >= 5 * times.heartbeatMs, {
    path: ["electionMs"],
    message: "etcd refuses less than 5 times the heartbeat, and recommends 10 times (etcd manual, Tuning)",
  });

const membersSchema = z
  .array(z.string())
  .refine((names) => new Set(names).size === names.length, { message: "a host is named twice" })
  .refine((names) => names.length % 2 === 1, {
    message: "an even number survives no more failures than one less, and a tie stops it: give 1, 3, 5 or 7 members",
  })
  .refine((names) => names.length <= 7, { message: "every write waits for a majority: give at most 7 members" });

interface QuorumInternals {
  name: string;
  ca: CertificateAuthority;
  /** The member on which what all members share is set up. */
  first: Host;
  members: readonly Host[];
  /** Hosts that reach the ports. */
  served: readonly Host[];
  /** What uses the quorum. */
  users: remote.Command[];
  /** What has to be done before an etcd is stopped of which this quorum takes the place. */
  preparations: remote.Command[];
  ready: remote.Command;
}

const internals = new Internals<EtcdQuorum, QuorumInternals>("EtcdQuorum");

/**
 * An etcd quorum (v3 API): mutual TLS between members and with clients, users with rights to their own keys only.
 *
 * ```ts
 * const etcd = new EtcdQuorum("etcd", { members: [psql1, psql2, psql3], ca });
 * ```
 *
 * Operations: listens on 2379 (clients) and 2380 (members). With 3 members one may be lost, with 5 two, with 7 three.
 * A changed setting restarts the members one at a time, each only while all others are healthy. Nobody but members
 * and `clients` reaches the ports. To administer it on a member: `set -a; . /etc/etcd/etcdctl.env; etcdctl member list`.
 */
export class EtcdQuorum extends pulumi.ComponentResource {
  /** Client endpoints, e.g. `https://192.168.1.130:2379`. */
  readonly endpoints: pulumi.Output<string[]>;

  constructor(name: string, args: EtcdQuorumArgs, opts?: pulumi.ComponentResourceOptions) {
    // The members are no inputs of the component: it would wait for them.
    super("hastack:index:EtcdQuorum", name, {}, opts);
    const { members, ca, clients = [], firewall = true, purge, replaces, extra, ...settings } = args;
    const resource = `EtcdQuorum ${name}`;
    const removal = removalOf(resource, purge, opts?.protect);
    const firstMember = firstOf(resource, members);
    const wanted = configure(
      resource,
      { name, members, clients, firewall, replaces },
      checked(resource, schema, settings),
    );
    const config = replaces === undefined ? wanted : replacing(resource, this, members, replaces, wanted);

    const child = { parent: this };
    const installed = members.map((host) =>
      unit(
        `${name}-${host.hostName}-install`,
        { host, role: "etcd-install", text: config.apply(renderInstall) },
        child,
      ),
    );
    const first = firstWord(members, readyRole);
    // What uses an etcd that is replaced has to be ready for it.
    const preparations: remote.Command[] = [];
    const prepared = pulumi.output(programRan().then(() => preparations));
    const running = inTurn(members, installed, (host, dependsOn) =>
      member(
        {
          name,
          ca,
          host,
          config,
          first,
          removal,
          extra,
          dependsOn: replaces === undefined ? dependsOn : prepared.apply((done) => [...done, ...dependsOn]),
        },
        child,
      ),
    );
    const whole = members.map((host) =>
      unit(
        `${name}-${host.hostName}-ready`,
        { host, role: readyRole, text: config.apply(renderReady) },
        { ...child, dependsOn: running },
      ),
    );
    const ready = unit(
      `${name}-${firstMember.hostName}-access`,
      { host: firstMember, role: "etcd-access", text: config.apply(renderAccess) },
      { ...child, dependsOn: whole },
    );
    const users: remote.Command[] = [];
    internals.keep(this, {
      name,
      ca,
      first: firstMember,
      members,
      served: [...members, ...clients],
      users,
      preparations,
      ready,
    });
    // Last: a host that leaves is shut out when it is no member any more, and its services do without it.
    if (firewall) {
      const last = programRan().then(() => [ready, ...users]);
      firewallUnits(name, members, config.apply(firewallOf), {
        ...child,
        role: "etcd",
        dependsOn: pulumi.output(last),
      });
    }
    this.endpoints = config.apply((c) => c.members.map(endpoint));
    this.registerOutputs({ endpoints: this.endpoints });
  }

  /** The commands that it is made of, by name. */
  get commands(): Record<string, remote.Command> {
    return commandsOf(this);
  }

  /** @internal Depend on it: the quorum is healthy afterwards. */
  get ready(): remote.Command {
    return internals.of(this).ready;
  }

  /** @internal */
  get ca(): CertificateAuthority {
    return internals.of(this).ca;
  }

  /** @internal */
  get members(): readonly Host[] {
    return internals.of(this).members;
  }

  /** @internal Units after which no host that leaves needs the quorum any more. */
  usedUntil(done: readonly remote.Command[]): void {
    internals.of(this).users.push(...done);
  }

  /** @internal Units that come before an etcd of which this quorum takes the place is stopped. */
  replacedAfter(done: readonly remote.Command[]): void {
    internals.of(this).preparations.push(...done);
  }

  /**
   * Makes a user that reads and writes the keys under a prefix, and nothing else.
   * @param name the user's name, e.g. the scope of a Patroni cluster
   * @param hosts from which it is used
   */
  account(
    name: string,
    prefix: pulumi.Input<string>,
    hosts: readonly Host[],
    opts: pulumi.CustomResourceOptions,
  ): EtcdAccess {
    const { name: quorum, served, first } = internals.of(this);
    const strangers = hosts.filter((host) => !served.includes(host)).map((host) => host.hostName);
    if (strangers.length > 0) {
      throw fault(
        `EtcdQuorum ${quorum}: clients: ${strangers.join(", ")}: hosts of ${name} that may not reach it: add them`,
      );
    }
    const password = new random.RandomPassword(`${quorum}-${name}-password`, { length: 32, special: false }, opts)
      .result;
    const ready = unit(
      `${quorum}-${first.hostName}-account-${name}`,
      {
        host: first,
        role: `etcd-account-${name}`,
        text: pulumi.output(prefix).apply((p) => renderAccount({ user: name, prefix: p })),
        secrets: { password },
      },
      { ...opts, dependsOn: [this.ready] },
    );
    return { endpoints: this.endpoints, user: name, password, ready };
  }

  /**
   * The keys under a prefix as a resource: with `purge` they are deleted when it is. It moves from host to host without
   * being deleted, so that members can leave.
   */
  keys(name: string, prefix: pulumi.Input<string>, purge: boolean, opts: pulumi.CustomResourceOptions): remote.Command {
    const { name: quorum, first } = internals.of(this);
    const { connection, sudo } = first;
    const nothing = "true";
    return command(
      `${quorum}-${name}-keys`,
      {
        connection,
        create: nothing,
        delete: purge ? pulumi.all([sudo, prefix]).apply(([s, p]) => s + deleteKeys(p)) : nothing,
      },
      { ...opts, dependsOn: [this.ready] },
      first,
    );
  }
}

interface MemberArgs {
  /** Of the quorum. */
  name: string;
  ca: CertificateAuthority;
  host: Host;
  config: pulumi.Output<EtcdConfig>;
  first: pulumi.Output<string>;
  removal: Removal;
  extra: ExtraArgs | undefined;
  dependsOn: pulumi.Input<remote.Command[]>;
}

function member(args: MemberArgs, child: pulumi.CustomResourceOptions): remote.Command {
  const { ca, host, config, first, removal, extra, dependsOn } = args;
  const name = `${args.name}-${host.hostName}`;
  const issue = (role: string, commonName: pulumi.Input<string>): Certificate =>
    ca.issue(
      `${name}-${role}`,
      {
        commonName,
        ipAddresses: [host.address, "127.0.0.1"],
        dnsNames: [host.hostName, "localhost"],
        // The server's certificate is also what etcd's own JSON gateway presents to it.
        server: role !== "root",
        client: true,
      },
      child,
    );
  const server = issue("server", host.hostName);
  const peer = issue("peer", config.apply(peerCommonName));
  const root = issue("root", "root");
  return unit(
    name,
    {
      host,
      role: "etcd",
      first,
      purge: removal.purge,
      text: extended(
        `EtcdQuorum ${args.name}`,
        extra,
        config.apply((c) => renderMember(c, memberOf(c, host))),
      ),
      secrets: {
        ca: ca.certificate,
        "server.crt": server.certificate,
        "server.key": server.privateKey,
        "peer.crt": peer.certificate,
        "peer.key": peer.privateKey,
        "root.crt": root.certificate,
        "root.key": root.privateKey,
      },
    },
    { ...child, dependsOn, protect: removal.protect },
  );
}

function firstOf(resource: string, members: readonly Host[]): Host {
  parse(resource, z.object({ members: membersSchema }), { members: members.map((host) => host.hostName) });
  const [first] = members;
  if (!first) throw fault(`${resource}: members: []: give 1, 3, 5 or 7 hosts`);
  return first;
}

function configure(
  resource: string,
  {
    name,
    members,
    clients,
    firewall,
    replaces = name,
  }: {
    name: string;
    members: Host[];
    clients: Host[];
    firewall: boolean;
    replaces: pulumi.Input<string> | undefined;
  },
  settings: pulumi.Output<z.output<typeof schema>>,
): pulumi.Output<EtcdConfig> {
  const addresses = (hosts: readonly Host[]) => pulumi.all(hosts.map((host) => host.address));
  return pulumi
    .all([settings, addresses(members), addresses(clients), replaces, clockSkewRefused(resource, members)])
    .apply(([checkedSettings, found, clientAddresses, replacedToken]) => ({
      name,
      replaces: replacedToken,
      members: members.map((host, i) => ({ name: host.hostName, address: found[i] ?? "" })),
      clients: clientAddresses,
      firewall,
      ...checkedSettings,
    }));
}

function memberOf(config: EtcdConfig, host: Host) {
  const found = config.members.find((member) => member.name === host.hostName);
  if (!found) throw new Error(`${host.hostName} is no member of ${config.name}`);
  return found;
}
