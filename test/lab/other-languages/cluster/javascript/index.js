const pulumi = require("@pulumi/pulumi");
const hastack = require("hastack");

const config = new pulumi.Config();

const host = (name, { address, hostKey }) =>
  new hastack.Host(name, {
    address,
    connection: { host: address, user: "deploy", privateKey: config.requireSecret("privateKey"), hostKey },
    apt: config.requireObject("apt"),
    memoryMiB: 1024,
    cores: 2,
  });

const hosts = Object.fromEntries(
  Object.entries(config.requireObject("hosts")).map(([name, reached]) => [name, host(name, reached)]),
);
const members = [hosts.psql1, hosts.psql2, hosts.psql3];
const proxies = [hosts.proxy1, hosts.proxy2];

const ca = new hastack.CertificateAuthority("ca");
const etcd = new hastack.EtcdQuorum("etcd", { members, ca });
const cluster = new hastack.PostgresPatroniCluster("workspad", {
  members,
  etcd,
  databases: [{ name: "workspad", extensions: ["pg_trgm"] }],
  roles: [{ name: "reader", login: false, memberOf: ["pg_read_all_data"] }],
  parameters: { max_connections: 120, wal_compression: true, max_wal_size: "256MB", min_wal_size: "80MB" },
  poolers: proxies,
});
const db = new hastack.PgBouncerVipPair("db", {
  hosts: proxies,
  cluster,
  virtualIp: "192.168.1.200/24",
  databases: [{ name: "workspad", poolMode: "transaction", poolSize: 7 }],
});

exports.address = db.address;
exports.port = db.port;
exports.passwords = cluster.passwords;
exports.caCertificate = cluster.caCertificate;
