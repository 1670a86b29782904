/** The public API of hastack. */
export { CertificateAuthority, type CertificateAuthorityArgs } from "./certificate-authority";
export type { DatabaseEndpoint, RedisEndpoint } from "./endpoint";
export { EtcdQuorum, type EtcdQuorumArgs } from "./etcd-quorum";
export { type AptSourceArgs, Host, type HostArgs } from "./host";
export { PgBouncerVipPair, type PgBouncerVipPairArgs, type PooledDatabaseArgs } from "./pgbouncer-vip-pair";
export {
  type ClientArgs,
  type DatabaseArgs,
  PostgresPatroniCluster,
  type PostgresPatroniClusterArgs,
  type RoleArgs,
} from "./postgres-patroni-cluster";
export { RedisSecured, type RedisSecuredArgs } from "./redis-secured";
export type { VrrpArgs } from "./virtual-ip";
