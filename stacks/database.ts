import type * as pulumi from "@pulumi/pulumi";
import {
  CertificateAuthority,
  EtcdQuorum,
  type Host,
  PgBouncerVipPair,
  PostgresPatroniCluster,
  type PostgresPatroniClusterArgs,
} from "../components";
import { parse } from "../components/validate";
import { authoritySettings, clusterSettings, defined, named, poolerSettings, quorumSettings } from "./settings";

/** An application's database. */
interface Wanted {
  /** Name of the database; the cluster is called after it. */
  name: string;
  /** Hosts of PostgreSQL and etcd. */
  members: Host[];
  /** Networks that reach the poolers. @default the network of their address */
  clients?: pulumi.Input<string>[];
}

/** An authority, a quorum and a database cluster, as `ca`, `etcd` and `postgres` of the stack's settings say. */
export function clusterOf(
  stack: string,
  config: pulumi.Config,
  name: string,
  wanted: Pick<PostgresPatroniClusterArgs, "members" | "poolers" | "databases">,
) {
  const authority = parse(stack, authoritySettings, config.getObject("ca") ?? {});
  const quorum = parse(stack, quorumSettings, config.getObject("etcd") ?? {});
  const { protect, ...cluster } = parse(stack, clusterSettings, config.getObject("postgres") ?? {});
  const opts = { protect };

  const ca = new CertificateAuthority("ca", defined(authority));
  const etcd = new EtcdQuorum("etcd", { members: wanted.members, ca, ...quorum }, opts);
  const pg = new PostgresPatroniCluster(name, { etcd, ...wanted, ...cluster }, opts);
  return { ca, pg, opts };
}

/**
 * What the stack of an application begins with: a database cluster behind its poolers. The settings are `ca`, `etcd`,
 * `postgres` and `pooler` of the stack.
 */
export function databaseOf(stack: string, hosts: Record<string, Host>, config: pulumi.Config, wanted: Wanted) {
  const { hosts: poolerNames, ...pair } = parse(stack, poolerSettings, config.requireObject("pooler"));
  const poolers = poolerNames.map((name) => named(stack, hosts, "pooler.hosts", name));
  const { name, members, clients } = wanted;
  const { ca, pg, opts } = clusterOf(stack, config, `${name}-db`, { members, poolers, databases: [{ name }] });
  const db = new PgBouncerVipPair("db", { hosts: poolers, cluster: pg, ...(clients && { clients }), ...pair });
  return { ca, pg, db, poolers, endpoint: db.endpoint(name), opts };
}
