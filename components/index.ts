/** The public API of hastack. */
export { CertificateAuthority, type CertificateAuthorityArgs } from "./certificate-authority";
export type { DatabaseEndpoint, RedisEndpoint } from "./endpoint";
export { EtcdQuorum, type EtcdQuorumArgs } from "./etcd-quorum";
export { type AptSourceArgs, Host, type HostArgs } from "./host";
export {
  type PackageFileArgs,
  type PackagePathArgs,
  PackageSource,
  type PackageUrlArgs,
} from "./package-source";
export {
  type ClientArgs,
  type DatabaseArgs,
  PostgresPatroniCluster,
  type PostgresPatroniClusterArgs,
  type RoleArgs,
} from "./postgres-patroni-cluster";
export { RuDesktopCluster, type RuDesktopClusterArgs } from "./rudesktop-cluster";
export { RuDesktopNode, type RuDesktopNodeArgs, type RuDesktopSettings } from "./rudesktop-node";
