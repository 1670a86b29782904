import "../../stacks/quick-errors";
import { appendFileSync, readFileSync } from "node:fs";
import * as pulumi from "@pulumi/pulumi";
import {
  CertificateAuthority,
  EtcdQuorum,
  Host,
  NginxBalancer,
  PackageSource,
  PgBouncerVipPair,
  PostgresPatroniCluster,
  RedisSecured,
  WorksPadCluster,
} from "../../components";
import { type Machine, siteOf } from "./sites";

const config = new pulumi.Config("hastack");
const keys = config.require("keys");
const privateKey = pulumi.secret(readFileSync(`${keys}/user`, "utf8"));
const hostKey = readFileSync(`${keys}/host.pub`, "utf8").trim();
const ca = new CertificateAuthority("ca");

for (let number = 1; number <= config.requireNumber("sites"); number++) site(number);

// What the program itself costs, the engine and its plugins left out.
process.on("exit", () => {
  const { user, system } = process.cpuUsage();
  appendFileSync(config.require("cpu"), `${(user + system) / 1e6}\n`);
});

/** An entry, three nodes of an application, its database behind poolers, and Redis. */
function site(number: number): void {
  const hosts = Object.entries(siteOf(number)).map(([name, machine]): [string, Host] => [name, hostOf(machine)]);
  const host = (name: string): Host => Object.fromEntries(hosts)[name] as Host;
  const members = ["psql1", "psql2", "psql3"].map(host);
  const poolers = ["proxy1", "proxy2"].map(host);
  const nodes = ["node1", "node2", "node3"].map(host);
  const at = (last: number) => `10.${number}.0.${last}/24`;
  const s = `s${number}`;
  const serverNames = ["workspad.company.com"];

  const etcd = new EtcdQuorum(`${s}-etcd`, { members, ca });
  const cluster = new PostgresPatroniCluster(`${s}-pg`, { members, etcd, poolers, databases: [{ name: "workspad" }] });
  const db = new PgBouncerVipPair(`${s}-db`, { hosts: poolers, cluster, virtualIp: at(200) });
  const workspad = new WorksPadCluster(`${s}-workspad`, {
    hosts: nodes,
    ca,
    serverNames,
    package: PackageSource.apt("workspad"),
    database: db.endpoint("workspad"),
  });
  const balancers = ["nginx1", "nginx2"].map(host);
  new NginxBalancer(`${s}-front`, { hosts: balancers, virtualIp: at(210), serverNames, ca, upstreams: workspad.nodes });
  new RedisSecured(`${s}-redis`, { hosts: [host("redis1")], ca, clients: [at(0)] });
}

function hostOf({ name, address, port }: Machine): Host {
  return new Host(name, { address, connection: { host: "127.0.0.1", port, user: "root", privateKey, hostKey } });
}
