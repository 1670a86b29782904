import * as pulumi from "@pulumi/pulumi";
import { CertificateAuthority, EtcdQuorum, type Host, PostgresPatroniCluster } from "../components";
import { parse } from "../components/validate";
import { authoritySettings, clusterSettings, defined, quorumSettings } from "./settings";

/** A database cluster on its own: what `npm run dev` brings up in the lab. */
export function dev(hosts: Record<string, Host>, config: pulumi.Config) {
  const stack = `stack ${pulumi.getStack()}`;
  const { protect, ...cluster } = parse(stack, clusterSettings, config.getObject("postgres") ?? {});
  const quorum = parse(stack, quorumSettings, config.getObject("etcd") ?? {});
  const authority = parse(stack, authoritySettings, config.getObject("ca") ?? {});
  const members = Object.values(hosts);
  const opts = { protect };

  const ca = new CertificateAuthority("ca", defined(authority));
  const etcd = new EtcdQuorum("etcd", { members, ca, ...quorum }, opts);
  const pg = new PostgresPatroniCluster("workspad", { members, etcd, ...cluster }, opts);

  return { scope: pg.scope, addresses: pg.addresses, port: pg.port, ca: pg.caCertificate, passwords: pg.passwords };
}
