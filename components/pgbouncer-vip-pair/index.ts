import type { remote } from "@pulumi/command";
import * as pulumi from "@pulumi/pulumi";
import * as random from "@pulumi/random";
import { z } from "zod";
import { derivedSecret } from "../converge/secrets";
import { commandsOf, unit } from "../converge/unit";
import { type DatabaseEndpoint, databaseEndpoint } from "../endpoint";
import { type ExtraArgs, extended } from "../extra";
import { fault } from "../fault";
import { firewallUnits } from "../firewall";
import type { Host } from "../host";
import { Internals } from "../internals";
import type { PostgresPatroniCluster } from "../postgres-patroni-cluster";
import { lookupRole } from "../postgres-patroni-cluster/args";
import { dynamicParameters } from "../postgres-patroni-cluster/parameters";
import type { ClusterConfig } from "../postgres-patroni-cluster/patroni";
import { ownerOf } from "../postgres-patroni-cluster/sql";
import { inTurn } from "../rolling";
import { checked, parse } from "../validate";
import { apartFromPassword, authPassSecret, networkOf, type VrrpArgs, virtualIpOn, vrrpPassword } from "../virtual-ip";
import { adopting } from "./adoption";
import { type PairSettings, pairSchema } from "./args";
import { poolerAnswers, renderInstall, renderPooler } from "./config";
import { firewallOf, type PoolerConfig, role } from "./model";
import { adminUser, statsUser } from "./pgbouncer";
import { poolsOf, readOnlyAlias } from "./pools";

/** How one database is pooled. */
export interface PooledDatabaseArgs {
  /** A database of the cluster. */
  name: pulumi.Input<string>;
  /** `session`, `transaction` or `statement`. @default the pair's `poolMode` */
  poolMode?: pulumi.Input<string>;
  /** Most server connections of one pooler to it. @default the pair's `poolSize` */
  poolSize?: pulumi.Input<number>;
}

export interface PgBouncerVipPairArgs {
  /** 2 or 3 hosts with a pooler each; one of them holds the address. They stand in the cluster's `poolers`, too. */
  hosts: Host[];
  /** The cluster whose primary the address leads to. */
  cluster: PostgresPatroniCluster;
  /**
   * The address that clients use, with the prefix of its network.
   * @example "192.168.1.200/24"
   */
  virtualIp: pulumi.Input<string>;
  /** How the hosts agree on who holds the address. @default see `VrrpArgs` */
  vrrp?: pulumi.Input<VrrpArgs>;
  /**
   * TCP port of the pooler.
   * @default 6432
   */
  port?: pulumi.Input<number>;
  /** Databases that are pooled otherwise than the rest. @default [] */
  databases?: pulumi.Input<pulumi.Input<PooledDatabaseArgs>[]>;
  /**
   * When a server connection goes back to the pool: `session`, at the client's end, suits every client; `transaction`
   * and `statement` only those that keep nothing in a session.
   * @default "session"
   */
  poolMode?: pulumi.Input<string>;
  /**
   * Most server connections of one pooler to each database.
   * @default an even share of the cluster's `max_connections`
   */
  poolSize?: pulumi.Input<number>;
  /**
   * A second pool of each database, named `DATABASE_ro`, that leads to replicas; only of databases whose names are of
   * letters, digits, dot, dash, underscore.
   * @default true
   */
  readOnly?: pulumi.Input<boolean>;
  /**
   * MiB of WAL that a replica may lack and still answer read-only clients.
   * @default 16
   */
  readOnlyLagMiB?: pulumi.Input<number>;
  /**
   * Most clients of one pooler.
   * @default 5000
   */
  maxClientConnections?: pulumi.Input<number>;
  /**
   * Seconds that a client waits for a connection to the primary; longer than a failover takes.
   * @default 120, or four times the cluster's `ttl` where that is more
   */
  queryWaitTimeout?: pulumi.Input<number>;
  /**
   * Connections of PostgreSQL that no pool may take: for Patroni, backups, administrators.
   * @default 10
   */
  administrationConnections?: pulumi.Input<number>;
  /**
   * Networks in CIDR notation that may connect.
   * @default the network of the virtual address
   */
  clients?: pulumi.Input<pulumi.Input<string>[]>;
  /**
   * Let only clients reach the port (a table of nftables of its own; nothing else is touched).
   * @default true
   */
  firewall?: boolean;
  /**
   * Other settings of the section `[pgbouncer]`: text or numbers.
   * @example { server_idle_timeout: 60 }
   */
  // biome-ignore lint/suspicious/noExplicitAny: a schema for other languages has no unions; values are checked
  settings?: pulumi.Input<Record<string, any>>;
  /** What the component does not foresee: files, lines, scripts around restarts. @default none */
  extra?: ExtraArgs;
}

interface PairInternals {
  /** How messages name it. */
  resource: string;
  cluster: PostgresPatroniCluster;
  hosts: readonly Host[];
  pools: pulumi.Output<string[]>;
  ready: remote.Command[];
}

const internals = new Internals<PgBouncerVipPair, PairInternals>("PgBouncerVipPair");

/**
 * One address that always leads to the primary: a virtual address, held by one of two or three hosts (keepalived), on
 * each of them PgBouncer and an HAProxy that asks Patroni who leads.
 *
 * ```ts
 * const pg = new PostgresPatroniCluster("workspad", { members, etcd, databases: [{ name: "workspad" }], poolers: [proxy1, proxy2] });
 * const db = new PgBouncerVipPair("db", { hosts: [proxy1, proxy2], cluster: pg, virtualIp: "192.168.1.200/24" });
 * export const url = db.endpoint("workspad").url;
 * ```
 *
 * Operations: clients connect to port 6432 with TLS and SCRAM, as roles of the cluster. A failover or switchover of the
 * cluster is a pause for them; a move of the address ends their connections once. Almost every change is a reload; where
 * a restart is due the address moves away first. HAProxy's statistics are on each host at 127.0.0.1:7000.
 */
export class PgBouncerVipPair extends pulumi.ComponentResource {
  /** The virtual address. */
  readonly address: pulumi.Output<string>;
  /** TCP port of the pooler. */
  readonly port: pulumi.Output<number>;
  /** Passwords of PgBouncer's own users `pgbouncer_admin` and `pgbouncer_stats`, secret. */
  readonly consolePasswords: pulumi.Output<Record<string, string>>;

  constructor(name: string, args: PgBouncerVipPairArgs, opts?: pulumi.ComponentResourceOptions) {
    // Arguments are not repeated as inputs of the component: hosts and cluster are resources it would wait for.
    super("hastack:index:PgBouncerVipPair", name, {}, opts);
    const { hosts, cluster, firewall = true, extra, ...given } = args;
    const resource = `PgBouncerVipPair ${name}`;
    const child = { parent: this };
    refuseHosts(resource, hosts, cluster);
    const { vrrp, authPass: givenPass } = apartFromPassword(resource, given.vrrp);
    const settings = checked(resource, pairSchema, { ...given, vrrp });
    const planned = configure(resource, hosts, settings, cluster.config);
    const allowed = hosts.map((host, i) =>
      adopting(
        resource,
        this,
        host,
        planned.apply((all) => all[i] as PoolerConfig),
      ),
    );
    const config = pulumi.all([planned, pulumi.all(allowed)]).apply(([c]) => c);

    const seed = new random.RandomPassword(`${name}-seed`, { length: 64 }, child).result;
    this.consolePasswords = pulumi.secret(
      seed.apply(
        (s): Record<string, string> =>
          Object.fromEntries([adminUser, statsUser].map((user) => [user, derivedSecret(s, user)])),
      ),
    );
    const authPass = pulumi.all([seed, givenPass]).apply(([s, pass]) => vrrpPassword(s, pass));
    this.address = settings.apply((s) => s.virtualIp.address);
    this.port = settings.apply((s) => s.port);

    const on = (host: Host) => config.apply((all) => all[hosts.indexOf(host)] as PoolerConfig);
    const installed = hosts.map((host) =>
      unit(
        `${name}-${host.hostName}-install`,
        { host, role: `${role}-install`, text: on(host).apply(renderInstall) },
        child,
      ),
    );
    const running = inTurn(hosts, [...installed, ...cluster.ready], (host, dependsOn) => {
      const server = cluster.ca.issue(
        `${name}-${host.hostName}`,
        {
          commonName: host.hostName,
          ipAddresses: pulumi.all([this.address, host.address]),
          dnsNames: [host.hostName],
          server: true,
        },
        child,
      );
      return unit(
        `${name}-${host.hostName}`,
        {
          host,
          role,
          text: extended(resource, extra, on(host).apply(renderPooler)),
          secrets: pulumi
            .all([this.consolePasswords, cluster.passwordOf(lookupRole), authPass])
            .apply(([console, lookup, pass]) => ({
              ca: cluster.caCertificate,
              "server.crt": server.certificate,
              "server.key": server.privateKey,
              [`${adminUser}-password`]: console[adminUser] ?? "",
              [`${statsUser}-password`]: console[statsUser] ?? "",
              [`${lookupRole}-password`]: lookup,
              [authPassSecret]: pass,
            })),
        },
        { ...child, dependsOn },
      );
    });
    const shut = firewall
      ? hosts.flatMap((host) =>
          firewallUnits(name, [host], on(host).apply(firewallOf), { ...child, role, dependsOn: running }),
        )
      : [];
    const pools = config.apply((all) => all[0]?.pools.map((pool) => pool.alias) ?? []);
    internals.keep(this, { resource, cluster, hosts, pools, ready: [...running, ...shut] });
    this.registerOutputs({ address: this.address, port: this.port });
  }

  /** The commands that it is made of, by name. */
  get commands(): Record<string, remote.Command> {
    return commandsOf(this);
  }

  /** @internal Who may hold the address. */
  get hosts(): readonly Host[] {
    return internals.of(this).hosts;
  }

  /** @internal Depend on it: the address answers afterwards. */
  get ready(): remote.Command[] {
    return internals.of(this).ready;
  }

  /**
   * How an application reaches a database of the cluster.
   * @param database its name
   * @param user the role that logs in; the database's owner if not given
   */
  endpoint(database: string, user?: string): DatabaseEndpoint {
    return this.endpointOf(database, database, user);
  }

  /** How an application reaches replicas of a database: what it reads may be some moments old. */
  readOnlyEndpoint(database: string, user?: string): DatabaseEndpoint {
    return this.endpointOf(readOnlyAlias(database), database, user);
  }

  private endpointOf(pool: string, database: string, user: string | undefined): DatabaseEndpoint {
    const { resource, cluster, pools: made } = internals.of(this);
    const known = made.apply((pools) => {
      if (!pools.includes(pool)) throw fault(`${resource}: there is no pool ${pool}; there are ${pools.join(", ")}`);
      return pool;
    });
    const login = cluster.config.apply((config) => {
      const found = config.databases.find((d) => d.name === database);
      return user ?? (found ? ownerOf(found) : "");
    });
    return databaseEndpoint(
      pulumi
        .all([this.address, this.port, known, login, cluster.passwords, cluster.caCertificate])
        .apply(([host, port, name, role, passwords, caCertificate]) => {
          const password = passwords[role];
          if (password === undefined) {
            throw fault(`${resource}: the cluster has no role ${role}; it has ${Object.keys(passwords).join(", ")}`);
          }
          return { host, port, database: name, user: role, password, caCertificate };
        }),
      this.ready,
    );
  }
}

function refuseHosts(resource: string, hosts: readonly Host[], cluster: PostgresPatroniCluster): void {
  const names = z
    .array(z.string())
    .min(2, { message: "one host cannot take over from itself: give 2 or 3" })
    .max(3, { message: "give 2 or 3" })
    .refine((list) => new Set(list).size === list.length, { message: "a host is named twice" })
    .refine((list) => list.every((host) => cluster.poolers.some((pooler) => pooler.hostName === host)), {
      message: "the cluster does not let them in: give the same hosts as its `poolers`",
    });
  parse(resource, z.object({ hosts: names }), { hosts: hosts.map((host) => host.hostName) });
}

/** A parameter of the cluster: as given, as the cluster sets it, or PostgreSQL's own default. */
function parameterOf(cluster: ClusterConfig, name: string): number {
  const reservedByDefault = 3;
  return Number(dynamicParameters(cluster.parameters)[name] ?? reservedByDefault);
}

/** The configuration of each host. */
function configure(
  resource: string,
  hosts: readonly Host[],
  settings: pulumi.Output<PairSettings>,
  cluster: pulumi.Output<ClusterConfig>,
): pulumi.Output<PoolerConfig[]> {
  return pulumi
    .all([
      settings,
      cluster,
      pulumi.all(hosts.map((host) => host.address)),
      pulumi.all(hosts.map((host) => host.traits)),
    ])
    .apply(([s, c, addresses, traits]) => {
      const holders = hosts.map((host, i) => ({ name: host.hostName, address: addresses[i] ?? "" }));
      const queryWaitTimeout = s.queryWaitTimeout ?? Math.max(120, 4 * c.ttl);
      if (queryWaitTimeout <= c.ttl + c.loopWait + c.retryTimeout) {
        throw fault(
          `${resource}: queryWaitTimeout: ${queryWaitTimeout}: a failover takes up to ${c.ttl} (ttl) + ${c.loopWait} (loopWait) + ` +
            `${c.retryTimeout} (retryTimeout) s, and clients must wait longer: give more than ${c.ttl + c.loopWait + c.retryTimeout}`,
        );
      }
      const pools = poolsOf(
        resource,
        s,
        c.databases.map((database) => database.name),
        {
          maxConnections: parameterOf(c, "max_connections"),
          reserved: parameterOf(c, "superuser_reserved_connections"),
          administration: s.administrationConnections,
          poolers: hosts.length,
        },
      );
      const shared = {
        role,
        virtualIp: s.virtualIp,
        port: s.port,
        check: poolerAnswers(s.port),
        checkUser: "postgres",
      };
      return holders.map((self, i) => ({
        settings: s,
        virtualIp: virtualIpOn(resource, shared, s.vrrp, holders, self, traits[i] as (typeof traits)[0]),
        members: c.members,
        pools,
        queryWaitTimeout,
        clients: s.clients ?? [networkOf(s.virtualIp)],
      }));
    });
}
