import assert from "node:assert/strict";
import { before, describe, test } from "node:test";
import type { Host as HostType } from "../../components";
import { redisUrl } from "../../components/endpoint";
import { haproxyFiles } from "../../components/haproxy/config";
import { redisSchema } from "../../components/redis-secured/args";
import { connectionsLetIn } from "../../components/redis-secured/haproxy";
import { applicationPassword, userSecrets } from "../../components/redis-secured/users";
import { key, type Registered, settled, withMocks } from "./mocks";

describe("the resources of Redis on three hosts", () => {
  let registered: Registered[];
  const password = "it's a secret/пароль";

  before(async () => {
    registered = await withMocks();
    const { CertificateAuthority, Host, RedisSecured } = await import("../../components");
    const hosts = ["redis1", "redis2", "redis3"].map(
      (name, i) =>
        new Host(name, { address: `192.168.1.15${i}`, connection: { host: "h", hostKey: key, privateKey: "PRIVATE" } }),
    );
    const ca = new CertificateAuthority("ca");
    new RedisSecured("cache", { hosts, ca, virtualIp: "192.168.1.210/24", password });
    await settled();
  });

  test("hosts are changed one at a time, then shut, then looked at", () => {
    const names = registered.filter((r) => r.type === "command:remote:Command").map((r) => r.name);
    for (const host of ["redis1", "redis2", "redis3"]) {
      for (const unit of ["-install", "", "-secrets", "-firewall", "-ready"]) {
        assert.ok(names.includes(`cache-${host}${unit}`), `cache-${host}${unit} among ${names.join(", ")}`);
      }
    }
  });

  test("no text holds a secret, and every text can be read in a review", () => {
    const texts = registered.filter((r) => /^cache-redis\d(-install|-firewall|-ready)?$/.test(r.name));
    assert.equal(texts.length, 12);
    for (const { name, inputs } of texts) {
      assert.equal(typeof inputs.stdin, "string", `${name}: a secret text would be hidden in reviews`);
      for (const secret of ["SECRET-", "KEY-", "PRIVATE", password]) assert.ok(!String(inputs.stdin).includes(secret));
    }
  });
});

describe("RedisSecured refuses, naming argument, value and cure", () => {
  let hosts: HostType[];
  let make: (count: number, args?: object) => () => unknown;

  before(async () => {
    await withMocks();
    const { CertificateAuthority, Host, RedisSecured } = await import("../../components");
    const ca = new CertificateAuthority("ca");
    hosts = ["a", "b", "c", "d"].map(
      (name, i) => new Host(name, { address: `192.168.1.${i + 1}`, connection: { host: "h", hostKey: key } }),
    );
    make = (count, args = {}) => {
      const virtualIp = count > 1 ? { virtualIp: "192.168.1.210/24" } : {};
      return () => new RedisSecured("cache", { hosts: hosts.slice(0, count), ca, ...virtualIp, ...args });
    };
  });

  test("no host, two hosts, an even number, a host that is named twice", () => {
    assert.throws(make(0), /RedisSecured cache: .*hosts: \[\]: give 1 host, or 3 or 5/s);
    assert.throws(make(2), /hosts: \["a","b"\]: with 2 hosts nobody can tell .* Sentinel needs a majority, so give 3/);
    assert.throws(make(4), /hosts: \["a","b","c","d"\]: an even number survives no more .* give 1, 3 or 5/);
    const [a, b] = hosts as [HostType, HostType];
    assert.throws(make(3, { hosts: [a, b, a] }), /a host is named twice/);
  });

  test("an address for one host, and none for three", () => {
    assert.throws(make(1, { virtualIp: "192.168.1.210/24" }), /virtualIp: "192.168.1.210\/24": one host is reached at/);
    assert.throws(make(3, { virtualIp: undefined }), /virtualIp: missing: give the address that leads to the master/);
  });

  test("a password that can be guessed or not be written; it is not part of the message", () => {
    assert.throws(make(1, { password: "short one" }), (error: Error) => {
      assert.match(error.message, /RedisSecured cache: password: it has 9 characters.*give 12 or more/);
      assert.ok(!error.message.includes("short one"));
      return true;
    });
    assert.throws(make(1, { password: "twelve\ncharacters" }), /password: a password cannot hold a line break/);
  });

  test("settings that the component or an argument sets", () => {
    const settings = (name: string) => make(1, { settings: { [name]: "x" } });
    assert.throws(settings("requirepass"), /settings.requirepass: "x": give it as the argument password/);
    assert.throws(settings("maxmemory"), /settings.maxmemory: "x": give it as the argument maxMemoryMiB/);
    assert.throws(settings("bind"), /settings.bind: "x": the component sets it/);
    assert.throws(make(1, { settings: { hz: 'a"b' } }), /settings.hz: .*: no quotes or line breaks here/);
  });

  test("a port, a client, a policy, a command that do not exist", () => {
    assert.throws(make(1, { port: 26379 }), /port: 26379: is Sentinel's port/);
    assert.throws(make(1, { clients: ["node1"] }), /clients.0: "node1": give an address or a network in CIDR/);
    assert.throws(make(1, { evictionPolicy: "lru" }), /evictionPolicy: "lru": give one of noeviction, allkeys-lru/);
    assert.throws(make(1, { allowedCommands: ["+KEYS"] }), /allowedCommands.0: "\+KEYS": .* in small letters/);
    assert.throws(make(3, { downAfterMs: 200 }), /downAfterMs: 200: Sentinel asks every second: give 1000 or more/);
    assert.throws(make(3, { maxClients: 100 }), /maxClients: 100: give 200 or more/);
  });
});

test("HAProxy may open two files for each of the most connections that Redis can be told to take", () => {
  assert.equal(redisSchema.safeParse({ maxClients: 60001 }).success, false);
  assert.ok(2 * connectionsLetIn(redisSchema.parse({ maxClients: 60000 })) < haproxyFiles);
});

describe("Redis' passwords", () => {
  const settings = (given: object) => redisSchema.parse(given);
  const hashes = (list: string | undefined) => (list ?? "").split(" ");
  const of = (given: object, passwords = {}) => userSecrets("seed", settings(given), passwords);

  test("while hosts are changed one by one, each accepts the password that another one uses by then", () => {
    for (const user of ["admin", "replication", "sentinel", "checker"]) {
      const [now = ""] = hashes(of({ passwordRotation: 4 })[`${user}-accepted`]);
      const [next = ""] = hashes(of({ passwordRotation: 5 })[`${user}-accepted`]);
      assert.notEqual(now, next);
      assert.ok(hashes(of({ passwordRotation: 4 })[`${user}-accepted`]).includes(next));
      assert.ok(hashes(of({ passwordRotation: 5 })[`${user}-accepted`]).includes(now));
    }
  });

  test("the application's one before is accepted until it is said otherwise", () => {
    const before = hashes(of({})["default-accepted"]);
    assert.equal(before.length, 1);
    assert.deepEqual(hashes(of({ passwordRotation: 1 })["default-accepted"]).slice(1), before);
    assert.equal(hashes(of({ passwordRotation: 1, acceptPrevious: false })["default-accepted"]).length, 1);
  });

  test("a given one is taken as it is, and the one given before is accepted besides", () => {
    assert.equal(applicationPassword("seed", settings({}), "given by somebody"), "given by somebody");
    const accepted = of({}, { password: "given by somebody", previousPassword: "the one before it" });
    assert.equal(hashes(accepted["default-accepted"]).length, 2);
  });
});

test("a URL holds any password", () => {
  const url = redisUrl({ host: "10.0.0.1", port: 6379, password: "a:b@c/d?#%é'*", tls: true, caCertificate: "" });
  assert.equal(url, "rediss://:a%3Ab%40c%2Fd%3F%23%25%C3%A9%27%2A@10.0.0.1:6379");
  assert.equal(decodeURIComponent(new URL(url).password), "a:b@c/d?#%é'*");
  assert.match(redisUrl({ host: "h", port: 1, password: "p", tls: false, caCertificate: "" }), /^redis:\/\/:p@h:1$/);
});
