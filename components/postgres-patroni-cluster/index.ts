import type { remote } from "@pulumi/command";
import * as pulumi from "@pulumi/pulumi";
import * as random from "@pulumi/random";
import { z } from "zod";
import type { CertificateAuthority } from "../certificate-authority";
import { derivedSecret } from "../converge/secrets";
import { commandsOf, unit } from "../converge/unit";
import type { EtcdAccess, EtcdQuorum } from "../etcd-quorum";
import { type ExtraArgs, extended } from "../extra";
import { fault } from "../fault";
import { firewallUnits } from "../firewall";
import type { Host } from "../host";
import { clockSkewRefused } from "../host/clock";
import { Internals } from "../internals";
import { removalOf } from "../removal";
import { inTurn } from "../rolling";
import { checked, parse } from "../validate";
import { adopting } from "./adoption";
import {
  type ClusterSettings,
  clusterSchema,
  ownRoles,
  replicator,
  rewinder,
  rolesOf,
  servingPoolers,
  superuser,
} from "./args";
import { renderAdopt, renderCluster, renderInstall, renderMember, renderShared } from "./config";
import { type ClusterConfig, type ClusterMember, firewallOf, postgresPort } from "./patroni";
import { versionFor } from "./release";
import { scramVerifier } from "./scram";
import { verifierSecret } from "./sql";

export interface DatabaseArgs {
  /** Any text up to 63 bytes. */
  name: pulumi.Input<string>;
  /**
   * Role that owns it; made if it is not among `roles`.
   * @default a role of the database's name
   */
  owner?: pulumi.Input<string>;
  /**
   * Roles that may connect to it besides its owner; nobody else may.
   * @default []
   */
  connect?: pulumi.Input<pulumi.Input<string>[]>;
  /**
   * Extensions made in it, e.g. `["pg_trgm"]`. Never dropped.
   * @default []
   */
  extensions?: pulumi.Input<pulumi.Input<string>[]>;
  /**
   * Locale of a new database; it must exist on the hosts.
   * @default "C.UTF-8"
   */
  locale?: pulumi.Input<string>;
}

export interface RoleArgs {
  /** Any text up to 63 bytes. */
  name: pulumi.Input<string>;
  /**
   * Any text without a line break.
   * @default made at random, once
   */
  password?: pulumi.Input<string>;
  /** It may log in. @default true */
  login?: pulumi.Input<boolean>;
  /** It may do everything. @default false */
  superuser?: pulumi.Input<boolean>;
  /** It may make databases. @default false */
  createDatabase?: pulumi.Input<boolean>;
  /** It may make roles. @default false */
  createRole?: pulumi.Input<boolean>;
  /** It may replicate. @default false */
  replication?: pulumi.Input<boolean>;
  /**
   * Most connections at once; -1 is no limit.
   * @default -1
   */
  connectionLimit?: pulumi.Input<number>;
  /**
   * Roles whose rights it has.
   * @default []
   */
  memberOf?: pulumi.Input<pulumi.Input<string>[]>;
}

/** Who may connect from where: one line of pg_hba.conf, always with TLS and SCRAM. */
export interface ClientArgs {
  /** Source network in CIDR notation, e.g. `192.168.1.0/24`. */
  network: pulumi.Input<string>;
  /** Databases that they may connect to. @default all */
  databases?: pulumi.Input<pulumi.Input<string>[]>;
  /** Roles that they may connect as. @default all but the cluster's own */
  roles?: pulumi.Input<pulumi.Input<string>[]>;
}

export interface PostgresPatroniClusterArgs {
  /** Hosts with a copy of the data each; 2 or more. Which of them leads is Patroni's business. */
  members: Host[];
  /** Where Patroni keeps who leads. */
  etcd: EtcdQuorum;
  /**
   * Issues the members' certificates.
   * @default the authority of `etcd`
   */
  ca?: CertificateAuthority;
  /**
   * PostgreSQL's major version: what the hosts' system packages, 15 (Debian 12) or 17 (Debian 13).
   * @default the one of the hosts' system
   */
  version?: pulumi.Input<number>;
  /**
   * Name of the cluster in Patroni and etcd. It cannot be changed later.
   * @default the resource's name with "-cluster"
   */
  scope?: pulumi.Input<string>;
  /**
   * Prefix of the cluster's keys in etcd.
   * @default "/db/"
   */
  namespace?: pulumi.Input<string>;
  /**
   * What happens to acknowledged commits when the primary is lost: `async` may lose the last ones (at most
   * `maximumLagOnFailover` and what was written within `ttl`), `sync` loses none while a replica is connected,
   * `sync-strict` loses none and refuses to write without one.
   * @default "async"
   */
  durability?: pulumi.Input<string>;
  /**
   * `standard` (ttl 30, loopWait 10, retryTimeout 10) or `fast` (20, 5, 5): the seconds without a primary after its
   * host is lost are 23 to 48, or 16 to 29.
   * @default "standard"
   */
  failover?: pulumi.Input<string>;
  /** Seconds that a leader's lease lives; at least 20. @default from `failover` */
  ttl?: pulumi.Input<number>;
  /** Seconds between two rounds of Patroni. @default from `failover` */
  loopWait?: pulumi.Input<number>;
  /** Seconds that Patroni retries etcd and PostgreSQL. @default from `failover` */
  retryTimeout?: pulumi.Input<number>;
  /**
   * Bytes of WAL that a replica may lack and still become the primary.
   * @default 1048576
   */
  maximumLagOnFailover?: pulumi.Input<number>;
  /**
   * The kernel's watchdog stops a primary that hangs: `required` where the hosts have a device, `automatic`, `off`.
   * @default "automatic"
   */
  watchdog?: pulumi.Input<string>;
  /**
   * Raise it to have every generated password made anew: those of roles without one of their own, of the superuser,
   * of replication and of Patroni's REST API. Connections that are open stay open.
   * @default 0
   */
  passwordRotation?: pulumi.Input<number>;
  /** Databases, which are made if they are not there, and never dropped. @default [] */
  databases?: pulumi.Input<pulumi.Input<DatabaseArgs>[]>;
  /** Roles besides the owners of databases. @default [] */
  roles?: pulumi.Input<pulumi.Input<RoleArgs>[]>;
  /**
   * Networks that may connect.
   * @default none but the members
   */
  clients?: pulumi.Input<pulumi.Input<ClientArgs>[]>;
  /**
   * Networks in CIDR notation from which Patroni's REST API may be read besides, e.g. for its `/metrics`.
   * @default []
   */
  monitors?: pulumi.Input<pulumi.Input<string>[]>;
  /**
   * Hosts of poolers in front of the cluster (`PgBouncerVipPair`): they connect as any role to any database, look
   * passwords up, and ask Patroni who leads.
   * @default []
   */
  poolers?: Host[];
  /**
   * Let only members, poolers and clients reach the ports (a table of nftables of its own; nothing else is touched).
   * @default true
   */
  firewall?: boolean;
  /**
   * Take over the cluster that was set up by hand and runs on the members, with its data, while it runs
   * (docs/adopt.md). Take it out again when that is done.
   * @default false
   */
  adopt?: boolean;
  /**
   * Remove the databases as well when the cluster is deleted, or the member's copy when a member leaves. It counts from
   * the `pulumi up` on that applies it, and is refused while the cluster is protected.
   * @default false
   */
  purge?: boolean;
  /**
   * PostgreSQL's parameters, before those that follow from the hosts' memory and cores: text, numbers, truth values.
   * @example { work_mem: "16MB", max_connections: 200 }
   */
  // biome-ignore lint/suspicious/noExplicitAny: a schema for other languages has no unions; values are checked
  parameters?: pulumi.Input<Record<string, any>>;
  /** What the component does not foresee: files, lines, scripts around restarts. @default none */
  extra?: ExtraArgs;
}

interface ClusterInternals {
  ready: remote.Command[];
  ca: CertificateAuthority;
  etcd: EtcdQuorum;
  poolers: readonly Host[];
  config: pulumi.Output<ClusterConfig>;
}

const internals = new Internals<PostgresPatroniCluster, ClusterInternals>("PostgresPatroniCluster");

/**
 * A PostgreSQL cluster under Patroni: one primary, replicas that follow it and take over, TLS and SCRAM throughout.
 *
 * ```ts
 * const pg = new PostgresPatroniCluster("workspad", {
 *   members: [psql1, psql2, psql3],
 *   etcd,
 *   databases: [{ name: "workspad" }],
 *   clients: [{ network: "192.168.1.0/24" }],
 * });
 * export const password = pg.passwordOf("workspad");
 * ```
 *
 * Operations: PostgreSQL listens on 5432 and Patroni's REST API on 8008, on each member's address. Most changes are
 * loaded without a restart. With `async`, one member of three may be lost at a time and service goes on; to see who
 * leads: `sudo -u postgres patronictl -c /etc/patroni/config.yml list`.
 */
export class PostgresPatroniCluster extends pulumi.ComponentResource {
  /** Name of the cluster in Patroni. */
  readonly scope: pulumi.Output<string>;
  /** Members' addresses. */
  readonly addresses: pulumi.Output<string[]>;
  /** libpq's `host` and `port` for all members; with `target_session_attrs=read-write` it leads to the primary. */
  readonly port: pulumi.Output<number>;
  /** PEM of what clients must trust. */
  readonly caCertificate: pulumi.Output<string>;
  /** Passwords by role, secret. */
  readonly passwords: pulumi.Output<Record<string, string>>;

  constructor(name: string, args: PostgresPatroniClusterArgs, opts?: pulumi.ComponentResourceOptions) {
    // Arguments are not repeated as inputs of the component: they hold secrets, and resources it would wait for.
    super("hastack:index:PostgresPatroniCluster", name, {}, opts);
    const {
      members,
      etcd,
      ca = etcd.ca,
      poolers = [],
      firewall = true,
      adopt = false,
      purge: wanted,
      extra,
      ...given
    } = args;
    const resource = `PostgresPatroniCluster ${name}`;
    const { protect, purge } = removalOf(resource, wanted, opts?.protect);
    refuseMembers(resource, members);
    const child = { parent: this };
    const settings = checked(resource, clusterSchema, { scope: `${name}-cluster`, namespace: "/db/", ...given }).apply(
      (s) => (poolers.length > 0 ? servingPoolers(s) : s),
    );

    this.scope = plain(settings, (s) => s.scope);
    const prefix = plain(settings, (s) => `${s.namespace}${s.scope}/`);
    const access = etcd.account(name, prefix, members, child);
    const keys = etcd.keys(name, prefix, purge, child);
    const planned = configure(resource, { members, poolers, firewall, adopt }, settings, access, ca);
    const config = adopt ? adopting(resource, this, members, givenPasswords(settings), planned) : planned;
    this.addresses = config.apply((c) => c.members.map((member) => member.address));
    this.port = pulumi.output(postgresPort);
    this.caCertificate = ca.certificate;
    const seed = new random.RandomPassword(`${name}-seed`, { length: 64 }, child).result;
    const rotated = pulumi
      .all([seed, settings])
      .apply(([s, { passwordRotation: n }]) => (n === 0 ? s : derivedSecret(s, `rotation ${n}`)));
    const passwords = pulumi.all([rotated, settings]).apply(([s, c]) => passwordsOf(s, c));
    this.passwords = pulumi.secret(passwords);
    const verifiers = pulumi.all([seed, passwords]).apply(([s, p]) => verifiersOf(s, p));
    const memberPasswords = pulumi.all([rotated, passwords]).apply(([s, p]) => ({
      "superuser-password": p[superuser] ?? "",
      "replication-password": p[replicator] ?? "",
      "rewind-password": p[rewinder] ?? "",
      "rest-password": derivedSecret(s, "patroni rest api"),
    }));

    const paused = (adopt ? members : []).map((host) =>
      unit(
        `${name}-${host.hostName}-adopt`,
        { host, role: "patroni-adopt", text: config.apply(() => renderAdopt()) },
        child,
      ),
    );
    etcd.replacedAfter(paused);
    const installed = members.map((host) =>
      unit(
        `${name}-${host.hostName}-install`,
        { host, role: "patroni-install", text: config.apply(renderInstall) },
        { ...child, dependsOn: paused },
      ),
    );
    const running = inTurn(members, [...installed, access.ready, keys], (host, dependsOn) =>
      unit(
        `${name}-${host.hostName}`,
        {
          host,
          role: "patroni",
          purge,
          text: extended(
            resource,
            extra,
            pulumi.all([config, host.traits]).apply(([c, traits]) => renderMember(c, memberOf(c, host), traits)),
          ),
          secrets: pulumi
            .all([memberPasswords, access.password, certificatesOf(name, host, ca, child)])
            .apply(([p, etcdPassword, certificates]) => ({ ...p, ...certificates, "etcd-password": etcdPassword })),
        },
        { ...child, dependsOn, protect },
      ),
    );
    const reconciled = members.map((host) =>
      unit(
        `${name}-${host.hostName}-cluster`,
        {
          host,
          role: "patroni-cluster",
          text: config.apply((c) => renderCluster(c, memberOf(c, host))),
          secrets: verifiers,
        },
        { ...child, dependsOn: running },
      ),
    );
    const traits = pulumi.all(members.map((host) => host.traits));
    const shared = members
      .slice(0, 1)
      .map((host) =>
        unit(
          `${name}-${host.hostName}-dynamic`,
          { host, role: "patroni-dynamic", text: pulumi.all([config, traits]).apply(([c, t]) => renderShared(c, t)) },
          { ...child, dependsOn: reconciled },
        ),
      );
    const done = [...reconciled, ...shared];
    etcd.usedUntil(done);
    // Last: a member that leaves is shut out when it is no member any more.
    const shut = firewall
      ? firewallUnits(name, members, config.apply(firewallOf), { ...child, role: "patroni", dependsOn: done })
      : [];
    internals.keep(this, { ready: [...done, ...shut], ca, etcd, poolers, config });
    this.registerOutputs({ scope: this.scope, addresses: this.addresses });
  }

  /** The commands that it is made of, by name. */
  get commands(): Record<string, remote.Command> {
    return commandsOf(this);
  }

  /** @internal Depend on it: roles and databases are there afterwards, and who may connect can. */
  get ready(): remote.Command[] {
    return internals.of(this).ready;
  }

  /** @internal */
  get ca(): CertificateAuthority {
    return internals.of(this).ca;
  }

  /** @internal */
  get etcd(): EtcdQuorum {
    return internals.of(this).etcd;
  }

  /** @internal */
  get poolers(): readonly Host[] {
    return internals.of(this).poolers;
  }

  /** @internal What it is, checked and resolved; no secrets. */
  get config(): pulumi.Output<ClusterConfig> {
    return internals.of(this).config;
  }

  /** The password of a role, secret: the given one, or the one that was made. */
  passwordOf(role: string): pulumi.Output<string> {
    return this.passwords.apply((passwords) => {
      const password = passwords[role];
      if (password === undefined) {
        throw fault(`there is no role ${role}; there are ${Object.keys(passwords).join(", ")}`);
      }
      return password;
    });
  }
}

/** Refuses lists of members that cannot work, before anything is made. */
function refuseMembers(resource: string, members: readonly Host[]): void {
  const list = z
    .array(z.string())
    .min(2, { message: "with one member there is nothing to fail over to: give 2 or more, 3 is usual" })
    .refine((names) => new Set(names).size === names.length, { message: "a host is named twice" });
  parse(resource, z.object({ members: list }), { members: members.map((host) => host.hostName) });
}

function configure(
  resource: string,
  { members, poolers, firewall, adopt }: { members: Host[]; poolers: Host[]; firewall: boolean; adopt: boolean },
  settings: pulumi.Output<ClusterSettings>,
  access: EtcdAccess,
  ca: CertificateAuthority,
): pulumi.Output<ClusterConfig> {
  const open = plain(settings, (s) => s);
  return pulumi
    .all([
      open,
      pulumi.all(members.map((host) => host.address)),
      pulumi.all(poolers.map((host) => host.address)),
      pulumi.all(members.map((host) => host.traits)),
      access.endpoints,
      clockSkewRefused(resource, members),
    ])
    .apply(([checkedSettings, addresses, poolerAddresses, traits, etcdEndpoints]) => ({
      ...checkedSettings,
      version: versionFor(
        resource,
        checkedSettings.version,
        Object.fromEntries(members.map((host, i) => [host.hostName, traits[i]?.os ?? ""])),
      ),
      members: members.map((host, i) => ({ name: host.hostName, address: addresses[i] ?? "" })),
      poolers: poolerAddresses,
      firewall,
      adopt,
      caGenerations: ca.generations,
      etcdEndpoints,
      etcdUser: access.user,
    }));
}

function memberOf(config: ClusterConfig, host: Host): ClusterMember {
  const found = config.members.find((member) => member.name === host.hostName);
  if (!found) throw new Error(`${host.hostName} is no member of ${config.scope}`);
  return found;
}

/** A member's keys: one that PostgreSQL and Patroni's REST API present, one that Patroni shows to etcd. */
function certificatesOf(name: string, host: Host, ca: CertificateAuthority, opts: pulumi.CustomResourceOptions) {
  const server = ca.issue(
    `${name}-${host.hostName}`,
    {
      commonName: host.hostName,
      // Poolers reach it through a balancer on their own host.
      ipAddresses: [host.address, "127.0.0.1"],
      dnsNames: [host.hostName],
      server: true,
      client: true,
    },
    opts,
  );
  // etcd's JSON gateway, which Patroni talks to, refuses a client whose certificate has a common name.
  const client = ca.issue(`${name}-${host.hostName}-etcd`, { client: true }, opts);
  return pulumi.all({
    ca: ca.certificate,
    "server.crt": server.certificate,
    "server.key": server.privateKey,
    "etcd.crt": client.certificate,
    "etcd.key": client.privateKey,
  });
}

/** Every role's password: as given, or derived from the cluster's seed. */
function passwordsOf(seed: string, settings: Pick<ClusterSettings, "roles" | "databases">): Record<string, string> {
  const passwords: Record<string, string> = {};
  for (const role of ownRoles) passwords[role] = derivedSecret(seed, `password of the cluster's ${role}`);
  for (const { name, password } of rolesOf(settings)) {
    passwords[name] = password ?? derivedSecret(seed, `password of ${name}`);
  }
  return passwords;
}

function verifiersOf(seed: string, passwords: Readonly<Record<string, string>>): Record<string, string> {
  const saltKey = derivedSecret(seed, "salts");
  return Object.fromEntries(
    Object.entries(passwords).map(([role, password]) => [verifierSecret(role), scramVerifier(role, password, saltKey)]),
  );
}

/** The passwords that the program gives, by role: to be compared, and put nowhere. */
function givenPasswords(settings: pulumi.Output<ClusterSettings>): pulumi.Output<Record<string, string>> {
  const given = ({ roles }: ClusterSettings) =>
    roles.flatMap(({ name, password }) => (password === undefined ? [] : [[name, password]]));
  return pulumi.unsecret(settings.apply((s): Record<string, string> => Object.fromEntries(given(s))));
}

/** What is not secret of the settings; given passwords made them so as a whole. */
function plain<T>(settings: pulumi.Output<ClusterSettings>, pick: (open: ClusterSettings) => T): pulumi.Output<T> {
  return pulumi.unsecret(settings.apply((s) => pick({ ...s, roles: s.roles.map(({ password: _, ...role }) => role) })));
}
