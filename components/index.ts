/** The public API of hastack. */
export { CertificateAuthority, type CertificateAuthorityArgs } from "./certificate-authority";
export { EtcdQuorum, type EtcdQuorumArgs } from "./etcd-quorum";
export { type AptSourceArgs, Host, type HostArgs } from "./host";
export {
  type ClientArgs,
  type DatabaseArgs,
  PostgresPatroniCluster,
  type PostgresPatroniClusterArgs,
  type RoleArgs,
} from "./postgres-patroni-cluster";
