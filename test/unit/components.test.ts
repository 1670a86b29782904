import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { before, describe, test } from "node:test";
import * as pulumi from "@pulumi/pulumi";
import type { Host as HostType, EtcdQuorum as Quorum } from "../../components";
import { refuseCertificate } from "../../components/nginx-balancer/certificate";
import { key, type Registered, settled, withMocks } from "./mocks";

describe("the resources of a database cluster on three hosts", () => {
  let registered: Registered[];
  const command = (name: string) => registered.find((r) => r.type === "command:remote:Command" && r.name === name);

  before(async () => {
    registered = await withMocks();
    const { CertificateAuthority, EtcdQuorum, Host, PostgresPatroniCluster } = await import("../../components");
    const hosts = ["psql1", "psql2", "psql3"].map(
      (name, i) =>
        new Host(name, {
          address: `192.168.1.13${i}`,
          connection: { host: `192.168.1.13${i}`, user: "deploy", privateKey: "PRIVATE", hostKey: key },
        }),
    );
    const ca = new CertificateAuthority("ca");
    const etcd = new EtcdQuorum("etcd", { members: hosts, ca });
    const pg = new PostgresPatroniCluster("workspad", {
      members: hosts,
      etcd,
      databases: [{ name: "workspad" }],
      roles: [{ name: "report", password: "jhYg/=\\F" }],
    });
    pg.passwordOf("workspad").apply(() => undefined);
    await settled();
  });

  test("every unit is a command named after its component and host", () => {
    const names = registered.filter((r) => r.type === "command:remote:Command").map((r) => r.name);
    for (const host of ["psql1", "psql2", "psql3"]) {
      for (const name of [
        `${host}-agent`,
        `${host}-base`,
        `etcd-${host}-install`,
        `etcd-${host}`,
        `etcd-${host}-secrets`,
        `workspad-${host}-install`,
        `workspad-${host}`,
        `workspad-${host}-secrets`,
        `workspad-${host}-cluster`,
      ]) {
        assert.ok(names.includes(name), `${name} is missing among ${names.join(", ")}`);
      }
    }
  });

  test("a command line is short, runs as root, and carries no text", () => {
    for (const name of ["etcd-psql1", "workspad-psql2", "workspad-psql3-cluster"]) {
      const line = String(command(name)?.inputs.create);
      assert.match(line, /^sudo -n \/usr\/local\/lib\/hastack\/converge apply [a-z-]+ [0-9a-f]{16} initial$/);
    }
  });

  test("a unit's text is plain and holds no secret", () => {
    const texts = registered.filter((r) => r.type === "command:remote:Command" && !/-(secrets|keys)$/.test(r.name));
    for (const { name, inputs } of texts) {
      const stdin = inputs.stdin;
      assert.equal(typeof stdin, "string", `${name}: a secret text would be hidden in reviews`);
      for (const secret of ["SECRET-", "KEY-", "jhYg", "PRIVATE", "SCRAM-SHA-256$"]) {
        assert.equal(String(stdin).includes(secret), false, `${name} holds ${secret}`);
      }
    }
  });

  test("what travels to the secret store is marked secret", () => {
    const stores = registered.filter((r) => r.name.endsWith("-secrets"));
    assert.ok(stores.length >= 7, `${stores.length}`);
    for (const { name, inputs } of stores) assert.equal(isSecret(inputs.stdin), true, name);
  });

  test("no trigger, no environment, no secret in a log", () => {
    for (const { inputs } of registered.filter((r) => r.type === "command:remote:Command")) {
      assert.equal(inputs.triggers, undefined);
      assert.equal(inputs.environment, undefined);
      assert.equal(inputs.addPreviousOutputInEnv, false);
    }
  });

  test("every host and role has a key of its own", () => {
    const keys = registered.filter((r) => r.type === "tls:index/privateKey:PrivateKey").map((r) => r.name);
    assert.equal(new Set(keys).size, keys.length);
    for (const host of ["psql1", "psql2", "psql3"]) {
      for (const role of ["etcd", "workspad"]) assert.ok(keys.some((k) => k.startsWith(`${role}-${host}`)));
    }
  });
});

describe("the resources of an entry on two hosts", () => {
  let registered: Registered[];
  const command = (name: string) => registered.find((r) => r.type === "command:remote:Command" && r.name === name);

  before(async () => {
    registered = await withMocks();
    const { CertificateAuthority, Host, NginxBalancer } = await import("../../components");
    const hosts = ["nginx1", "nginx2"].map(
      (name, i) => new Host(name, { address: `192.168.1.12${i}`, connection: { host: "h", hostKey: key } }),
    );
    new NginxBalancer("front", {
      hosts,
      ca: new CertificateAuthority("ca"),
      virtualIp: "192.168.1.220/24",
      serverNames: ["app.example.com"],
      upstreams: [{ name: "node1", address: "192.168.1.122", port: 4430 }],
    });
    await settled();
  });

  test("each host has a certificate of its own for all names and addresses of the entry", () => {
    for (const [i, host] of ["nginx1", "nginx2"].entries()) {
      const request = registered.find((r) => r.name === `front-${host}-request`)?.inputs;
      assert.deepEqual(request?.dnsNames, ["app.example.com", host]);
      assert.deepEqual(request?.ipAddresses, ["192.168.1.220", `192.168.1.12${i}`]);
    }
  });

  test("a unit's text is plain, and its secrets travel apart", () => {
    for (const host of ["nginx1", "nginx2"]) {
      const text = command(`front-${host}`)?.inputs.stdin;
      assert.equal(typeof text, "string");
      assert.doesNotMatch(String(text), /SECRET-|KEY-|certificate of/);
      assert.equal(isSecret(command(`front-${host}-secrets`)?.inputs.stdin), true);
      assert.ok(command(`front-${host}-install`) && command(`front-${host}-firewall`));
    }
  });
});

test("an update does not go without asking the hosts, nor with a key that can only ask", async () => {
  const refused = async (config: Record<string, string>, args: object, message: RegExp) => {
    await withMocks(config, false);
    const { Host } = await import("../../components");
    const make = () => new Host("a", { address: "192.168.1.120", connection: { host: "h", hostKey: key }, ...args });
    assert.throws(make, message);
    await settled();
  };
  await refused({}, {}, /Host a: probe: "off": only for previews.*say best-effort/);
  await refused({ "hastack:probe": "required" }, { probe: "off" }, /probe: "off": only for previews/);
  const withKey = { "hastack:probe": "required", "hastack:probeKey": "KEY" };
  await refused(withKey, {}, /Host a: hastack:probeKey: only for previews/);
});

test("a user that may only probe has one key without options, and is nobody who may do more", async () => {
  await withMocks();
  const { Host } = await import("../../components");
  const host = (probeUser: { publicKey: string; name?: string }) => () =>
    new Host("a", { address: "192.168.1.120", connection: { host: "h", user: "deploy", hostKey: key }, probeUser });
  for (const publicKey of [`command="sh" ${key}`, `${key}\n${key}`, "AAAA", ""]) {
    assert.throws(
      host({ publicKey }),
      /probeUser\.publicKey: .*give one public key as in a \.pub file, without options/,
    );
  }
  assert.throws(host({ publicKey: key, name: "root" }), /probeUser\.name: "root": root may do anything/);
  assert.throws(host({ publicKey: key, name: "deploy" }), /probeUser\.name: "deploy": is the user of the connection/);
  assert.throws(host({ publicKey: key, name: "a b" }), /probeUser\.name: "a b": give a user's name of small letters/);
  await settled();
});

test("a password of VRRP that is a secret hides itself, and no text", async () => {
  const registered = await withMocks();
  const api = await import("../../components");
  const hosts = ["a", "b", "c"].map(
    (name, i) => new api.Host(name, { address: `192.168.1.12${i}`, connection: { host: "h", hostKey: key } }),
  );
  const [a, b] = hosts as [HostType, HostType, HostType];
  const ca = new api.CertificateAuthority("ca");
  const etcd = new api.EtcdQuorum("etcd", { members: hosts, ca });
  const pg = new api.PostgresPatroniCluster("pg", {
    members: hosts,
    etcd,
    poolers: [a, b],
    databases: [{ name: "d" }],
  });
  const vrrp = { authPass: pulumi.secret("Vrrp1234") };
  new api.PgBouncerVipPair("db", { hosts: [a, b], cluster: pg, virtualIp: "192.168.1.200/24", vrrp });
  new api.RedisSecured("cache", { hosts, ca, virtualIp: "192.168.1.210/24", vrrp: pulumi.secret(vrrp) });
  const upstreams = [{ name: "node1", address: "192.168.1.122", port: 4430 }];
  const names = { serverNames: ["app.example.com"], upstreams };
  new api.NginxBalancer("front", { hosts: [a, b], ca, virtualIp: "192.168.1.220/24", vrrp, ...names });
  await settled();

  const units = registered.filter((r) => /^(db|cache|front)-/.test(r.name) && r.type === "command:remote:Command");
  for (const unit of ["db-a", "db-a-install", "db-a-firewall", "cache-b", "front-a", "front-a-firewall"]) {
    const text = units.find((r) => r.name === unit)?.inputs.stdin;
    assert.equal(typeof text, "string", `${unit}: a secret text would be hidden in reviews`);
    assert.doesNotMatch(String(text), /Vrrp1234/);
  }
  for (const unit of ["db-a", "cache-b", "front-a"]) {
    const stored = units.find((r) => r.name === `${unit}-secrets`)?.inputs.stdin;
    assert.equal(isSecret(stored), true, unit);
    assert.ok(JSON.stringify(stored).includes(Buffer.from("Vrrp1234").toString("base64")), unit);
  }
});

describe("bad input is refused before any host is touched, naming argument, value and cure", () => {
  let hosts: HostType[];
  let ca: import("../../components").CertificateAuthority;
  let etcd: Quorum;
  let api: typeof import("../../components");

  before(async () => {
    await withMocks();
    api = await import("../../components");
    hosts = ["a", "b", "c", "d"].map(
      (name, i) => new api.Host(name, { address: `192.168.1.${i + 1}`, connection: { host: "h", hostKey: key } }),
    );
    ca = new api.CertificateAuthority("ca");
    etcd = new api.EtcdQuorum("etcd", { members: hosts.slice(0, 3), ca });
  });

  test("an even number of etcd members", () => {
    assert.throws(
      () => new api.EtcdQuorum("even", { members: hosts, ca }),
      /EtcdQuorum even: .*members: \["a","b","c","d"\]: an even number survives no more failures.*give 1, 3, 5 or 7/s,
    );
  });

  test("a host that is named twice", () => {
    const [a, b] = hosts as [HostType, HostType];
    assert.throws(() => new api.EtcdQuorum("twice", { members: [a, b, a], ca }), /a host is named twice/);
  });

  test("a missing host key, unless it is waived", () => {
    const open = { address: "192.168.1.9", connection: { host: "h" } };
    assert.throws(() => new api.Host("x", open), /Host x: .*connection.hostKey: missing: pin the key.*ssh-keyscan/s);
    new api.Host("y", { ...open, insecureIgnoreHostKey: true });
  });

  test("an address that is none", () => {
    assert.throws(
      () => new api.Host("z", { address: "psql1", connection: { host: "h", hostKey: key } }),
      /address: "psql1": give an IPv4 address, e\.g\./,
    );
  });

  test("an unknown probe mode", () => {
    assert.throws(
      () => new api.Host("p", { address: "192.168.1.9", connection: { host: "h", hostKey: key }, probe: "maybe" }),
      /probe: "maybe": give one of required, best-effort, off/,
    );
  });

  const cluster = (args: object) => () =>
    new api.PostgresPatroniCluster("pg", { members: hosts.slice(0, 3), etcd, ...args });

  test("a lease too short for the retries", () => {
    assert.throws(cluster({ ttl: 20, loopWait: 10, retryTimeout: 10 }), /ttl: 20: must be at least .* = 30 s/);
  });

  test("a parameter that Patroni manages, or that the component sets", () => {
    assert.throws(cluster({ parameters: { port: 5433 } }), /parameters\.port: 5433: Patroni sets it/);
    assert.throws(cluster({ parameters: { ssl: "off" } }), /parameters\.ssl: "off": .*TLS is always on/);
    assert.throws(cluster({ parameters: { max_connections: 5 } }), /max_connections: 5: Patroni needs at least 25/);
  });

  test("a durability, a network, a role that do not exist", () => {
    assert.throws(cluster({ durability: "strict" }), /durability: "strict": give async, sync or sync-strict/);
    assert.throws(cluster({ clients: [{ network: "192.168.1.0" }] }), /clients\.0\.network: .* CIDR/);
    assert.throws(
      cluster({ roles: [{ name: "postgres" }] }),
      /roles\.0\.name: "postgres": this role is the cluster's own/,
    );
    assert.throws(cluster({ databases: [{ name: "a" }, { name: "a" }] }), /databases\.1\.name: "a": is given twice/);
  });

  test("to purge what is protected, which is the default", () => {
    const refused = /purge: true: what is protected is never deleted.*`protect: false`/;
    assert.throws(cluster({ purge: true }), refused);
    assert.throws(
      () => new api.EtcdQuorum("q", { members: hosts.slice(0, 3), ca, purge: true }, { protect: true }),
      refused,
    );
  });

  test("hosts of a pooler that are too few, twice, or not let in by the cluster", () => {
    const [a, b, , d] = hosts as [HostType, HostType, HostType, HostType];
    const pg = new api.PostgresPatroniCluster("pooled", { members: hosts.slice(0, 3), etcd, poolers: [a, b] });
    const pair = (members: HostType[]) => () =>
      new api.PgBouncerVipPair("db", { hosts: members, cluster: pg, virtualIp: "192.168.1.200/24" });
    assert.throws(
      pair([a]),
      /PgBouncerVipPair db: .*hosts: \["a"\]: one host cannot take over from itself: give 2 or 3/s,
    );
    assert.throws(pair([a, a]), /hosts: \["a","a"\]: a host is named twice/);
    assert.throws(
      pair([a, d]),
      /hosts: \["a","d"\]: the cluster does not let them in: give the same hosts as its `poolers`/,
    );
  });

  const front = (args: object) => () =>
    new api.NginxBalancer("front", {
      hosts: hosts.slice(0, 1),
      ca,
      serverNames: ["app.example.com"],
      upstreams: [{ name: "node1", address: "192.168.1.122", port: 4430 }],
      ...args,
    });

  test("hosts of an entry that do not fit its address", () => {
    assert.throws(front({ hosts: hosts.slice(0, 2) }), /hosts: \["a","b"\]: several hosts need an address.*virtualIp/);
    assert.throws(front({ virtualIp: "192.168.1.220/24" }), /hosts: \["a"\]: one host cannot take over from itself/);
  });

  test("upstreams that are none, twice the same, or cannot be verified", () => {
    const node = { name: "node1", address: "192.168.1.122", port: 4430 };
    assert.throws(front({ upstreams: [] }), /upstreams: \[\]: there is nobody to send requests to/);
    assert.throws(
      front({ upstreams: [node, { ...node, name: "node2" }] }),
      /upstreams\.1: .*192\.168\.1\.122:4430 is node1 already/,
    );
    assert.throws(front({ upstreams: [{ ...node, address: "x; y" }] }), /upstreams\.0\.address: "x; y": give an IPv4/);
    assert.throws(front({ serverNames: ["*.a.org"] }), /upstreamTls\.serverName: missing: .* cannot be verified/);
    const { certificate, privateKey } = selfSigned("app.example.com");
    const own = { ca: undefined, certificate: { certificate, privateKey } };
    assert.throws(front(own), /upstreamTls\.ca: missing: .* give the authority/);
  });

  test("names, networks, a method, ports that do not exist", () => {
    assert.throws(front({ serverNames: ["a b"] }), /serverNames\.0: "a b": give a name/);
    assert.throws(front({ trustedProxies: ["10.0.0.1"] }), /trustedProxies\.0: "10\.0\.0\.1": .*CIDR/);
    assert.throws(front({ method: "random" }), /method: "random": give ip_hash or least_conn/);
    assert.throws(front({ httpPort: 443 }), /httpPort: 443: is the port for HTTPS/);
    assert.throws(front({ health: { path: "/a b" } }), /health\.path: "\/a b": give a path/);
  });

  test("a certificate for other names, or with another key; the key is not shown", () => {
    const one = selfSigned("app.example.com");
    const other = selfSigned("other.example.com");
    const refused = (certificate: string, privateKey: string, message: RegExp) => {
      const refusal = () => refuseCertificate("NginxBalancer front", certificate, privateKey, ["app.example.com"]);
      assert.throws(refusal, (error: Error) => message.test(error.message) && !error.message.includes("BEGIN"));
    };
    refuseCertificate("NginxBalancer front", one.certificate, one.privateKey, ["app.example.com"]);
    refused(other.certificate, other.privateKey, /is for DNS:other\.example\.com, and not for app\.example\.com/);
    refused(one.certificate, other.privateKey, /certificate\.privateKey: belongs to another certificate/);
    refused("server.crt", one.privateKey, /certificate\.certificate: is not PEM/);
    refused(one.certificate, "server.key", /certificate\.privateKey: is not PEM/);
  });

  test("one member", () => {
    assert.throws(() => new api.PostgresPatroniCluster("one", { members: hosts.slice(0, 1), etcd }), /give 2 or more/);
  });
});

function selfSigned(name: string): { certificate: string; privateKey: string } {
  const printed = execFileSync("openssl", [
    ..."req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 1 -keyout - -out -".split(" "),
    "-subj",
    "/O=test",
    "-addext",
    `subjectAltName=DNS:${name}`,
  ]).toString();
  const part = (title: string) => new RegExp(`-----BEGIN ${title}-----[^]*-----END ${title}-----\n`).exec(printed)?.[0];
  return { certificate: part("CERTIFICATE") ?? "", privateKey: part("PRIVATE KEY") ?? "" };
}

function isSecret(value: unknown): boolean {
  return (
    typeof value === "object" &&
    value !== null &&
    (value as Record<string, unknown>)["4dabf18193072939515e22adb298388d"] === "1b47061264138c4ac30d75fd1eb44270"
  );
}
