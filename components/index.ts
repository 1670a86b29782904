/** The public API of hastack. */
export { CertificateAuthority, type CertificateAuthorityArgs } from "./certificate-authority";
export type { DatabaseEndpoint, DatabaseEndpointArgs, RedisEndpoint, RedisEndpointArgs } from "./endpoint";
export { EtcdQuorum, type EtcdQuorumArgs } from "./etcd-quorum";
export type { ExtraArgs, ExtraDirectoryArgs, ExtraFileArgs } from "./extra";
export { type AptSourceArgs, Host, type HostArgs, type ProbeUserArgs } from "./host";
export { type InventoryArgs, inventory } from "./inventory";
export {
  type HealthArgs,
  NginxBalancer,
  type NginxBalancerArgs,
  type ServerCertificateArgs,
  type UpstreamTlsArgs,
} from "./nginx-balancer";
export {
  type PackageArgs,
  type PackageFileArgs,
  type PackagePathArgs,
  PackageSource,
  type PackageUrlArgs,
} from "./package-source";
export { PgBouncerVipPair, type PgBouncerVipPairArgs, type PooledDatabaseArgs } from "./pgbouncer-vip-pair";
export {
  type ClientArgs,
  type DatabaseArgs,
  PostgresPatroniCluster,
  type PostgresPatroniClusterArgs,
  type RoleArgs,
} from "./postgres-patroni-cluster";
export { RedisSecured, type RedisSecuredArgs } from "./redis-secured";
export { RuDesktopCluster, type RuDesktopClusterArgs } from "./rudesktop-cluster";
export { RuDesktopNode, type RuDesktopNodeArgs, type RuDesktopSettings } from "./rudesktop-node";
export type { Upstream } from "./upstream";
export type { VrrpArgs } from "./virtual-ip";
export { WorksPadCluster, type WorksPadClusterArgs } from "./workspad-cluster";
export {
  type ActiveDirectoryArgs,
  type ExchangeArgs,
  WorksPadNode,
  type WorksPadNodeArgs,
  type WorksPadPromptsArgs,
  type WorksPadQuestionsArgs,
  type WorksPadSettings,
} from "./workspad-node";
export { DataProtectionCertificate, type DataProtectionCertificateArgs } from "./workspad-node/data-protection";
