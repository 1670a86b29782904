/** Patroni's configuration: the member's own file, and what all members share in etcd. */
import type { Firewall } from "../firewall/table";
import type { HostTraits } from "../host";
import { type ClusterSettings, replicator, rewinder, superuser } from "./args";
import { dynamicParameters, tunedParameters } from "./parameters";
import { secretScalar, stringifyYaml } from "./yaml";

export interface ClusterMember {
  name: string;
  address: string;
}

/** Everything the rendered files depend on, checked and resolved. */
export interface ClusterConfig extends Omit<ClusterSettings, "version"> {
  version: number;
  members: readonly ClusterMember[];
  /** Addresses of the hosts of poolers. */
  poolers: readonly string[];
  /** Whether only members, poolers and clients reach the ports. */
  firewall: boolean;
  /** Whether a cluster that was set up by hand is taken over. */
  adopt: boolean;
  /** The authority's trusted generations. */
  caGenerations: string;
  etcdEndpoints: readonly string[];
  etcdUser: string;
}

export const postgresPort = 5432;
export const restPort = 8008;

/** Where Patroni's configuration and keys are. */
export const home = "/etc/patroni";
/** Who may connect, and as whom: files of ours, which Patroni only names, so that a change by hand is seen like any other. */
export const hbaFile = `${home}/pg_hba.conf`;
export const identFile = `${home}/pg_ident.conf`;

export function dataPath(config: Pick<ClusterConfig, "version">): string {
  return `/var/lib/postgresql/${config.version}/main`;
}

export function firewallOf(config: Pick<ClusterConfig, "members" | "poolers" | "clients" | "monitors">): Firewall {
  return {
    role: "patroni",
    sources: [
      { name: "members", from: config.members.map((member) => member.address) },
      { name: "poolers", from: config.poolers },
      { name: "clients", from: config.clients.map((client) => client.network) },
      { name: "monitors", from: config.monitors },
    ],
    rules: [
      { to: { ports: [postgresPort] }, sources: ["members", "poolers", "clients"] },
      { to: { ports: [restPort] }, sources: ["members", "poolers", "monitors"] },
    ],
  };
}

/** Whom the REST API trusts, under a name of its own for each set: a changed file of the same name Patroni does not load. */
export function restCaFile({ caGenerations }: Pick<ClusterConfig, "caGenerations">): string {
  return `${home}/tls/ca-${caGenerations}.crt`;
}

/** /etc/patroni/config.yml (Patroni manual, YAML Configuration Settings). */
export function renderPatroni(config: ClusterConfig, member: ClusterMember, traits: HostTraits): string {
  const tls = `${home}/tls`;
  const verified = { sslmode: "verify-full", sslrootcert: `${tls}/ca.crt` };
  const own = { sslcert: `${tls}/server.crt`, sslkey: `${tls}/server.key` };
  return stringifyYaml({
    scope: config.scope,
    namespace: config.namespace,
    name: member.name,
    restapi: {
      listen: `${member.address}:${restPort}`,
      connect_address: `${member.address}:${restPort}`,
      certfile: `${tls}/server.crt`,
      keyfile: `${tls}/server.key`,
      cafile: restCaFile(config),
      // Health checks of load balancers need no certificate; everything that changes something does.
      verify_client: "optional",
      authentication: { username: "patroni", password: secretScalar("rest-password") },
    },
    ctl: { insecure: false, certfile: `${tls}/server.crt`, keyfile: `${tls}/server.key`, cacert: `${tls}/ca.crt` },
    etcd3: {
      hosts: config.etcdEndpoints.map((endpoint) => endpoint.replace("https://", "")),
      protocol: "https",
      cacert: `${tls}/ca.crt`,
      cert: `${tls}/etcd.crt`,
      key: `${tls}/etcd.key`,
      username: config.etcdUser,
      password: secretScalar("etcd-password"),
    },
    bootstrap: {
      // Only read when the cluster is made; afterwards dynamic.json is what counts.
      dcs: renderDynamic(config),
      initdb: [
        { encoding: "UTF8" },
        { locale: "C.UTF-8" },
        "data-checksums",
        { "auth-local": "peer" },
        { "auth-host": "scram-sha-256" },
      ],
    },
    postgresql: {
      listen: `${member.address}:${postgresPort}`,
      connect_address: `${member.address}:${postgresPort}`,
      data_dir: dataPath(config),
      bin_dir: `/usr/lib/postgresql/${config.version}/bin`,
      // It holds passwords: systemd removes it with the service's end.
      pgpass: "/run/patroni/pgpass",
      // Patroni reaches its own PostgreSQL without a password: so it does whichever password is in force there.
      use_unix_socket: true,
      use_unix_socket_repl: true,
      authentication: {
        superuser: { username: superuser, password: secretScalar("superuser-password"), ...verified },
        // By the member's certificate; Patroni makes the roles with these passwords.
        replication: { username: replicator, password: secretScalar("replication-password"), ...verified, ...own },
        rewind: { username: rewinder, password: secretScalar("rewind-password"), ...verified, ...own },
      },
      // A member whose data has gone its own way waits for an operator: nothing is wiped by itself.
      remove_data_directory_on_rewind_failure: false,
      remove_data_directory_on_diverged_timelines: false,
      create_replica_methods: ["basebackup"],
      basebackup: [{ checkpoint: "fast" }],
      parameters: memberParameters(config, traits),
    },
    watchdog: { mode: config.watchdog },
  });
}

/** PostgreSQL's parameters in a member's own file. */
export function memberParameters(config: Pick<ClusterConfig, "parameters">, traits: HostTraits) {
  const tls = `${home}/tls`;
  return {
    ...tunedParameters(traits, config.parameters),
    hba_file: hbaFile,
    ident_file: identFile,
    unix_socket_directories: "/var/run/postgresql",
    ssl: "on",
    ssl_ca_file: `${tls}/ca.crt`,
    ssl_cert_file: `${tls}/server.crt`,
    ssl_key_file: `${tls}/server.key`,
    ssl_min_protocol_version: "TLSv1.2",
  };
}

/** The dynamic configuration, which lives in etcd (Patroni manual, Dynamic Configuration Settings). */
export function renderDynamic(config: ClusterConfig) {
  return {
    ttl: config.ttl,
    loop_wait: config.loopWait,
    retry_timeout: config.retryTimeout,
    maximum_lag_on_failover: config.maximumLagOnFailover,
    // A primary that crashes and cannot start again hands over soon; Patroni's own default is 300 s.
    primary_start_timeout: 30,
    primary_stop_timeout: 30,
    // A primary that sees all members goes on when etcd is gone.
    failsafe_mode: true,
    check_timeline: true,
    synchronous_mode: config.durability !== "async",
    synchronous_mode_strict: config.durability === "sync-strict",
    postgresql: { use_pg_rewind: true, use_slots: true, parameters: dynamicParameters(config.parameters) },
  };
}
