import type * as pulumi from "@pulumi/pulumi";
import { CertificateAuthority, EtcdQuorum, type Host, PgBouncerVipPair, PostgresPatroniCluster } from "../components";
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

/**
 * What the stack of an application begins with: an authority, and a database cluster behind its poolers. The settings are
 * `ca`, `etcd`, `postgres` and `pooler` of the stack.
 */
export function databaseOf(stack: string, hosts: Record<string, Host>, config: pulumi.Config, wanted: Wanted) {
  const authority = parse(stack, authoritySettings, config.getObject("ca") ?? {});
  const quorum = parse(stack, quorumSettings, config.getObject("etcd") ?? {});
  const { protect, ...cluster } = parse(stack, clusterSettings, config.getObject("postgres") ?? {});
  const { hosts: poolerNames, ...pair } = parse(stack, poolerSettings, config.requireObject("pooler"));
  const poolers = poolerNames.map((name) => named(stack, hosts, "pooler.hosts", name));
  const { name, members, clients } = wanted;
  const opts = { protect };

  const ca = new CertificateAuthority("ca", defined(authority));
  const etcd = new EtcdQuorum("etcd", { members, ca, ...quorum }, opts);
  const pg = new PostgresPatroniCluster(
    `${name}-db`,
    { members, etcd, poolers, databases: [{ name }], ...cluster },
    opts,
  );
  const db = new PgBouncerVipPair("db", { hosts: poolers, cluster: pg, ...(clients && { clients }), ...pair });
  return { ca, pg, db, poolers, endpoint: db.endpoint(name), opts };
}
