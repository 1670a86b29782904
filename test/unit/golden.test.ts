import assert from "node:assert/strict";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { unitText } from "../../components/converge/text";
import { renderAccount } from "../../components/etcd-quorum/account";
import * as etcd from "../../components/etcd-quorum/config";
import { type EtcdConfig, endpoint, firewallOf } from "../../components/etcd-quorum/etcd";
import { renderAccess, renderReady } from "../../components/etcd-quorum/membership";
import { firewall } from "../../components/firewall/config";
import { renderHost } from "../../components/host/config";
import { PackageSource } from "../../components/package-source";
import { clusterSchema, servingPoolers } from "../../components/postgres-patroni-cluster/args";
import * as patroni from "../../components/postgres-patroni-cluster/config";
import { type ClusterConfig, firewallOf as patroniFirewall } from "../../components/postgres-patroni-cluster/patroni";
import { type NodeConfig, nodeSchema } from "../../components/workspad-node/args";
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
  etcdEndpoints: members.map(endpoint),
  etcdUser: "workspad",
};

const node: NodeConfig = {
  ...nodeSchema.parse({
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
  install: PackageSource.apt("workspad").directive,
  packageName: "workspad",
  ownServerCertificate: false,
};

/** With everything that is not there by default. */
const askedByDebconf: NodeConfig = {
  ...node,
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

describe("what is rendered", () => {
  const aptSource = {
    uri: "https://mirror.example.com/debian",
    suite: "bookworm",
    components: ["main"],
    key: "-----BEGIN PGP PUBLIC KEY BLOCK-----\n…\n-----END PGP PUBLIC KEY BLOCK-----\n",
  };
  const texts: Record<string, () => string> = {
    "host-base": () => renderHost(aptSource),
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
    "patroni-cluster": () => patroni.renderCluster(cluster, member),
    "workspad-install": () => workspad.renderInstall(askedByDebconf),
    workspad: () => workspad.renderNode(node),
    "workspad-debconf": () => unitText(...debconfAnswers(askedByDebconf), ...debconfForgets(askedByDebconf)),
    "workspad-firewall": () => unitText(...firewall(workspad.firewallOf(node))),
  };
  for (const [name, render] of Object.entries(texts)) test(name, () => golden(`${name}.txt`, render()));
});
