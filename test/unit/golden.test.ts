import assert from "node:assert/strict";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { packages, unitText } from "../../components/converge/text";
import { renderAccount } from "../../components/etcd-quorum/account";
import * as etcd from "../../components/etcd-quorum/config";
import { type EtcdConfig, endpoint, firewallOf } from "../../components/etcd-quorum/etcd";
import { renderAccess, renderReady } from "../../components/etcd-quorum/membership";
import { firewall } from "../../components/firewall/config";
import { renderHost } from "../../components/host/config";
import { balancerSchema } from "../../components/nginx-balancer/args";
import * as balancer from "../../components/nginx-balancer/config";
import {
  type BalancerConfig,
  firewallOf as balancerFirewall,
  role as balancerRole,
} from "../../components/nginx-balancer/model";
import { renderNginx } from "../../components/nginx-balancer/nginx";
import { pairSchema } from "../../components/pgbouncer-vip-pair/args";
import * as pooler from "../../components/pgbouncer-vip-pair/config";
import {
  type PoolerConfig,
  firewallOf as poolerFirewall,
  role as poolerRole,
} from "../../components/pgbouncer-vip-pair/model";
import { poolsOf } from "../../components/pgbouncer-vip-pair/pools";
import { clusterSchema, servingPoolers } from "../../components/postgres-patroni-cluster/args";
import * as patroni from "../../components/postgres-patroni-cluster/config";
import { type ClusterConfig, firewallOf as patroniFirewall } from "../../components/postgres-patroni-cluster/patroni";
import { redisSchema } from "../../components/redis-secured/args";
import * as redis from "../../components/redis-secured/config";
import { type RedisConfig, firewallOf as redisFirewall } from "../../components/redis-secured/model";
import { identityOf, renderShared } from "../../components/rudesktop-cluster/config";
import { type NodeConfig, nodeSchema } from "../../components/rudesktop-node/args";
import * as rudesktop from "../../components/rudesktop-node/config";
import { virtualIpOn } from "../../components/virtual-ip";
import { type NodeConfig as WorksPadConfig, nodeSchema as worksPadSchema } from "../../components/workspad-node/args";
import * as workspad from "../../components/workspad-node/config";
import { debconfAnswers, debconfForgets } from "../../components/workspad-node/installer";

/** What is rendered, line by line, as a reviewer would see it. `UPDATE_GOLDEN=1` writes the files anew. */
function golden(name: string, text: string): void {
  const path = join(__dirname, "golden", name);
  if (process.env.UPDATE_GOLDEN || !existsSync(path)) {
    assert.ok(process.env.UPDATE_GOLDEN, `${path} is missing: write it with UPDATE_GOLDEN=1`);
    mkdirSync(join(__dirname, "golden"), { recursive: true });
    writeFileSync(path, text);
  }
  assert.equal(text, readFileSync(path, "utf8"));
}

const members = [
  { name: "psql1", address: "192.168.1.130" },
  { name: "psql2", address: "192.168.1.131" },
  { name: "psql3", address: "192.168.1.132" },
];

const quorum: EtcdConfig = {
  name: "etcd",
  replaces: "etcd",
  members,
  clients: [],
  firewall: true,
  quotaMiB: 2048,
  compactionHours: 1,
  heartbeatMs: 100,
  electionMs: 1000,
};

const cluster: ClusterConfig = {
  ...servingPoolers(
    clusterSchema.parse({
      scope: "workspad-cluster",
      namespace: "/db/",
      durability: "sync",
      databases: [
        { name: "workspad", extensions: ["pg_trgm"] },
        { name: 'отдел "А"', owner: "it's", connect: ["report"] },
      ],
      roles: [
        { name: "it's", password: "jhYg/=\\F" },
        { name: "report", memberOf: ["workspad"], connectionLimit: 5 },
      ],
      clients: [{ network: "192.168.1.0/24", databases: ["workspad", 'отдел "А"'] }, { network: "10.0.0.7/32" }],
      parameters: { work_mem: "16MB", "pg_stat_statements.track": "all" },
    }),
  ),
  version: 15,
  members,
  poolers: ["192.168.1.140", "192.168.1.141"],
  firewall: true,
  adopt: false,
  caGenerations: "1",
  etcdEndpoints: members.map(endpoint),
  etcdUser: "workspad",
};

const node: NodeConfig = {
  ...nodeSchema.parse({
    database: {
      host: "192.168.1.200",
      port: 6432,
      database: 'desk "A"',
      user: "desk",
      password: "not shown",
      caCertificate: "-----BEGIN CERTIFICATE-----\n…\n-----END CERTIFICATE-----\n",
    },
    redis: { host: "192.168.1.201", port: 6379, password: "not shown" },
    secretKey: "not shown, and long enough",
    variables: { LOGO: '$5 `and` "more" @{secret:x|raw}' },
    relaySettings: "port = 21117",
    tomlFiles: { "rz.toml": "expiry = 30" },
    balancers: ["192.168.1.126", "10.0.0.0/24"],
  }),
  name: "node1",
  address: "192.168.1.122",
  install: packages(["rudesktop=2.7"], { hold: true }),
  packageName: "rudesktop",
};

const proxies = [
  { name: "proxy1", address: "192.168.1.140" },
  { name: "proxy2", address: "192.168.1.141" },
];
const [proxy, otherProxy] = proxies as [(typeof proxies)[0], (typeof proxies)[0]];
const pairSettings = pairSchema.parse({
  virtualIp: "192.168.1.200/24",
  vrrp: { routerId: 70 },
  databases: [{ name: "reports", poolMode: "transaction", poolSize: 20 }],
  settings: { server_idle_timeout: 60 },
});

const poolerOfProxy1: PoolerConfig = {
  settings: pairSettings,
  virtualIp: {
    role: poolerRole,
    virtualIp: pairSettings.virtualIp,
    port: pairSettings.port,
    check: pooler.poolerAnswers(pairSettings.port),
    checkUser: "postgres",
    routerId: 70,
    advertInterval: 1,
    priority: 250,
    interface: "eth0",
    self: proxy,
    peers: [otherProxy],
  },
  members,
  pools: poolsOf("PgBouncerVipPair db", pairSettings, ["workspad", "reports", 'отдел "А"'], {
    maxConnections: 500,
    reserved: 3,
    administration: 10,
    poolers: 2,
  }),
  queryWaitTimeout: 120,
  clients: ["192.168.1.0/24"],
};

const worksPadNode: WorksPadConfig = {
  ...worksPadSchema.parse({
    database: {
      host: "192.168.1.200",
      port: 6432,
      database: "workspad",
      user: "it's; 'отдел'",
      password: "jhYg/=\\F",
      caCertificate: "-----BEGIN CERTIFICATE-----\n…\n-----END CERTIFICATE-----\n",
    },
    connectionSettings: { "Maximum Pool Size": "50" },
    healthPath: "/health",
    balancers: ["192.168.1.126", "192.168.1.127"],
  }),
  install: packages(["workspad"], { hold: true }),
  packageName: "workspad",
  ownServerCertificate: false,
};

/** With everything that is not there by default. */
const askedByDebconf: WorksPadConfig = {
  ...worksPadNode,
  debconf: { host: "workspad/host", name: "workspad/name", user: "workspad/user", password: "workspad/password" },
  runtimeSource: {
    uri: "https://mirror.example.com/dotnet",
    suite: "bookworm",
    components: ["main"],
    key: "-----BEGIN PGP PUBLIC KEY BLOCK-----\n…\n-----END PGP PUBLIC KEY BLOCK-----\n",
  },
};

const traits = { memoryMiB: 4096, cores: 4, os: "debian 12", interfaces: { eth0: ["192.168.1.130/24"] } };
const [member] = members as [(typeof members)[0]];

const upstreams = [
  { name: "node1", address: "192.168.1.122", port: 4430 },
  { name: "node2", address: "192.168.1.123", port: 4430 },
];

/** One of a pair with all that can be chosen. */
function oneOfTwo(): BalancerConfig {
  const settings = balancerSchema.parse({
    upstreams,
    upstreamTls: {},
    serverNames: ["workspad.company.com", "*.workspad.company.com"],
    virtualIp: "192.168.1.210/24",
    httpsPort: 8443,
    httpPort: 8080,
    method: "least_conn",
    keepalive: 16,
    health: { path: "/health" },
    trustedProxies: ["10.0.0.0/8"],
    clients: ["192.168.0.0/16"],
    ocspResolvers: ["192.168.1.128"],
    httpExtra: "map $uri $slow { default 0; ~^/report 1; }",
    serverExtra: 'location /metrics {\n  return 404; # "@{secret:none}"\n}\n',
  });
  const holders = [
    { name: "nginx1", address: "192.168.1.127" },
    { name: "nginx2", address: "192.168.1.126" },
  ];
  const [self] = holders as [(typeof holders)[0]];
  const { virtualIp } = settings;
  const shared = virtualIp && {
    role: balancerRole,
    virtualIp,
    port: 8443,
    check: balancer.nginxAnswers,
    checkUser: "nobody",
  };
  return {
    settings,
    self,
    virtualIp: shared && virtualIpOn("NginxBalancer front", shared, settings.vrrp, holders, self, traits),
  };
}

/** One host, and nothing chosen. */
const single: BalancerConfig = {
  settings: balancerSchema.parse({ upstreams, upstreamTls: { enabled: false } }),
  self: { name: "nginx1", address: "192.168.1.127" },
  virtualIp: undefined,
};
const redisHosts = [
  { name: "redis1", address: "192.168.1.150" },
  { name: "redis2", address: "192.168.1.151" },
  { name: "redis3", address: "192.168.1.152" },
];

function redisOn(members: typeof redisHosts, given: object): RedisConfig {
  const settings = redisSchema.parse(given);
  const [self] = members as [(typeof members)[0]];
  const config = { name: "cache", settings, self, members, memoryMiB: 4096, firewall: true };
  if (!settings.virtualIp) return config;
  const shared = { role: "redis", virtualIp: settings.virtualIp, port: settings.port, ...redis.addressCheck };
  return { ...config, virtualIp: virtualIpOn("RedisSecured cache", shared, settings.vrrp, members, self, traits) };
}

const redisAlone = redisOn(redisHosts.slice(0, 1), {
  tls: false,
  clients: ["192.168.1.0/24"],
  allowedCommands: ["info", "keys"],
  evictionPolicy: "volatile-lru",
  settings: { "notify-keyspace-events": "", databases: 4, "tracking-table-max-keys": 5000 },
});
const redisReplicated = redisOn(redisHosts, {
  virtualIp: "192.168.1.210/24",
  clients: ["192.168.1.122", "192.168.1.123"],
  maxMemoryMiB: 1024,
});

describe("what is rendered", () => {
  const aptSource = {
    uri: "https://mirror.example.com/debian",
    suite: "bookworm",
    components: ["main"],
    key: "-----BEGIN PGP PUBLIC KEY BLOCK-----\n…\n-----END PGP PUBLIC KEY BLOCK-----\n",
  };
  const texts: Record<string, () => string> = {
    "host-base": () =>
      renderHost({ apt: aptSource, probeUser: { name: "hastack-probe", publicKey: "ssh-ed25519 AAAA ci" } }),
    "etcd-install": () => etcd.renderInstall(quorum),
    etcd: () => etcd.renderMember(quorum, member),
    "etcd-ready": () => renderReady(quorum),
    "etcd-access": () => renderAccess(quorum),
    "etcd-firewall": () => unitText(...firewall(firewallOf(quorum))),
    "etcd-account": () => renderAccount({ user: "workspad", prefix: "/db/workspad-cluster/" }),
    "patroni-install": () => patroni.renderInstall(cluster),
    patroni: () => patroni.renderMember(cluster, member, traits),
    "patroni-firewall": () => unitText(...firewall(patroniFirewall(cluster))),
    "patroni-dynamic": () => patroni.renderShared(cluster, [traits, traits, traits]),
    "rudesktop-install": () => rudesktop.renderInstall(node),
    rudesktop: () => rudesktop.renderNode(node),
    "rudesktop-firewall": () => unitText(...firewall(rudesktop.firewallOf(node))),
    "rudesktop-shared": () => renderShared(identityOf(rudesktop.sharedOf(node), "key"), "node1", ["node1", "node2"]),
    "balancer-install": () => balancer.renderInstall(oneOfTwo()),
    balancer: () => balancer.renderBalancer(oneOfTwo()),
    "balancer-firewall": () => unitText(...firewall(balancerFirewall(oneOfTwo()))),
    "balancer-single-nginx": () => renderNginx(single),
    "redis-alone-install": () => redis.renderInstall(redisAlone),
    "redis-alone": () => redis.renderMember(redisAlone),
    "redis-alone-ready": () => redis.renderReady(redisAlone),
    "redis-install": () => redis.renderInstall(redisReplicated),
    redis: () => redis.renderMember(redisReplicated),
    "redis-ready": () => redis.renderReady(redisReplicated),
    "redis-firewall": () => unitText(...firewall(redisFirewall(redisReplicated))),
    "patroni-cluster": () => patroni.renderCluster(cluster, member),
    "pooler-install": () => pooler.renderInstall(poolerOfProxy1),
    pooler: () => pooler.renderPooler(poolerOfProxy1),
    "pooler-firewall": () => unitText(...firewall(poolerFirewall(poolerOfProxy1))),
    "workspad-install": () => workspad.renderInstall(askedByDebconf),
    workspad: () => workspad.renderNode(worksPadNode),
    "workspad-debconf": () => unitText(...debconfAnswers(askedByDebconf), ...debconfForgets(askedByDebconf)),
    "workspad-firewall": () => unitText(...firewall(workspad.firewallOf(worksPadNode))),
  };
  for (const [name, render] of Object.entries(texts)) test(name, () => golden(`${name}.txt`, render()));
});
