import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { secretsNamedIn } from "../../components/converge/secrets";
import { pairSchema } from "../../components/pgbouncer-vip-pair/args";
import { renderHaproxy } from "../../components/pgbouncer-vip-pair/haproxy";
import type { PoolerConfig } from "../../components/pgbouncer-vip-pair/model";
import { renderFixed, renderPgbouncer } from "../../components/pgbouncer-vip-pair/pgbouncer";
import { poolsOf } from "../../components/pgbouncer-vip-pair/pools";
import { parse } from "../../components/validate";
import { networkOf, virtualIpOn } from "../../components/virtual-ip";

const capacity = { maxConnections: 500, reserved: 3, administration: 10, poolers: 2 };
const settings = (args: object = {}) => pairSchema.parse({ virtualIp: "192.168.1.200/24", ...args });
const pools = (args: object, databases: readonly string[]) =>
  poolsOf("PgBouncerVipPair db", settings(args), databases, capacity);

describe("pools", () => {
  test("share what PostgreSQL has left, evenly, and never more than that", () => {
    assert.deepEqual(
      pools({}, ["a", "b"]).map(({ alias, database, size, readOnly }) => [alias, database, size, readOnly]),
      [
        ["a", "a", 60, false],
        ["a_ro", "a", 60, true],
        ["b", "b", 60, false],
        ["b_ro", "b", 60, true],
      ],
    );
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 50 }), fc.boolean(), (count, readOnly) => {
        const names = Array.from({ length: count }, (_, i) => `d${i}`);
        const sum = pools({ readOnly }, names).reduce((total, { size }) => total + size, 0);
        const left = 500 - 3 - 10;
        assert.ok(2 * sum <= left, "they fit");
        assert.ok(
          2 * sum > left - 2 * names.length * (readOnly ? 2 : 1),
          "and nothing is left that could be shared out",
        );
      }),
    );
  });

  test("are as the database says, else as the pair says", () => {
    const given = {
      poolMode: "transaction",
      poolSize: 30,
      databases: [{ name: "b", poolMode: "session", poolSize: 9 }],
    };
    assert.deepEqual(
      pools({ ...given, readOnly: false }, ["a", "b"]).map(({ mode, size }) => [mode, size]),
      [
        ["transaction", 30],
        ["session", 9],
      ],
    );
  });

  test("that are too large are refused with the sum", () => {
    assert.throws(
      () => pools({ poolSize: 200 }, ["a"]),
      /: PgBouncerVipPair db: poolSize: 2 poolers x \(a 200 \+ a_ro 200\) = 800 connections, but PostgreSQL has 500 \(max_connections\) - 3 \(superuser_reserved_connections\) - 10 \(administrationConnections\) = 487, and a pool needs 2 at least: give smaller pools, or raise max_connections$/,
    );
  });

  test("for which nothing is left are refused", () => {
    assert.throws(
      () => poolsOf("p", settings(), ["a", "b"], { ...capacity, maxConnections: 25 }),
      /2 poolers x \(a 1 \+ a_ro 1 \+ b 1 \+ b_ro 1\) = 8 connections.*a pool needs 2 at least/,
    );
  });

  test("of a database that the cluster does not have are refused", () => {
    assert.throws(
      () => pools({ databases: [{ name: "x" }] }, ["a", "b"]),
      /databases\.0\.name: "x": the cluster has no such database; it has a, b/,
    );
  });

  test("for reading only whose name is taken, or too long, are refused", () => {
    assert.throws(
      () => pools({}, ["a", "a_ro"]),
      /readOnly: true: a_ro would be the read-only pool of a, and is a database: rename it, or give readOnly: false/,
    );
    const long = "a".repeat(61);
    assert.throws(() => pools({}, [long]), /is longer than PgBouncer's 63 bytes: give the database a shorter name/);
    assert.equal(pools({ readOnly: false }, ["a", "a_ro", long]).length, 3);
  });
});

describe("arguments that are wrong are refused, naming argument, value and cure", () => {
  const refused = (args: object, message: RegExp) =>
    assert.throws(() => parse("PgBouncerVipPair db", pairSchema, { virtualIp: "192.168.1.200/24", ...args }), message);

  test("the address", () => {
    refused({ virtualIp: "192.168.1.200" }, /virtualIp: "192.168.1.200": give address and prefix.*"192.168.1.200\/24"/);
    refused({ virtualIp: "192.168.1.0/24" }, /virtualIp: "192.168.1.0\/24": is the address of a network/);
  });

  test("how hosts agree on who holds it", () => {
    refused({ vrrp: { routerId: 256 } }, /vrrp\.routerId: 256: VRRP has 8 bits for it: give 1 to 255/);
    refused(
      { vrrp: { advertInterval: 0.5 } },
      /vrrp\.advertInterval: 0\.5: VRRP with a password counts in whole seconds/,
    );
    refused({ vrrp: { priorities: [100, 255] } }, /vrrp\.priorities\.1: 255: .*give at most 254/);
    refused({ vrrp: { authPass: "too-long-for-it" } }, /vrrp\.authPass: \(not shown\): give 1 to 8 letters and digits/);
    refused({ vrrp: { interface: "eth 0" } }, /vrrp\.interface: "eth 0": not an interface's name/);
  });

  test("the pooler", () => {
    refused({ port: 432 }, /port: 432: PgBouncer runs without root's rights: give 1024 or more/);
    refused({ poolMode: "query" }, /poolMode: "query": give session, transaction or statement/);
    refused({ poolSize: 0 }, /poolSize: 0: give the most server connections of the pool, at least 1/);
    refused({ clients: ["192.168.1.0"] }, /clients\.0: "192.168.1.0": give a network in CIDR notation/);
    refused({ databases: [{ name: "a", poolMode: "x" }] }, /databases\.0\.poolMode: "x": give session/);
  });
});

describe("the virtual address", () => {
  const holders = [
    { name: "proxy1", address: "10.1.0.2" },
    { name: "proxy2", address: "10.1.0.3" },
  ];
  const [proxy1, proxy2] = holders as [(typeof holders)[0], (typeof holders)[0]];
  const traits = {
    memoryMiB: 512,
    cores: 1,
    os: "debian 12",
    interfaces: { eth0: ["192.168.7.2/24"], eth1: ["172.16.0.2/12", "10.1.0.2/20"] },
  };
  const on = (args: object, self = proxy1) => {
    const { virtualIp, vrrp } = settings({ virtualIp: "10.1.15.200/20", ...args });
    const shared = { role: "pooler", virtualIp, port: 6432, check: [], checkUser: "postgres" };
    return virtualIpOn("PgBouncerVipPair db", shared, vrrp, holders, self, traits);
  };

  test("is on the interface whose network holds it, unless one is named", () => {
    assert.equal(on({}).interface, "eth1");
    assert.equal(on({ vrrp: { interface: "bond0" } }).interface, "bond0");
    assert.throws(
      () => on({ virtualIp: "10.9.0.1/24" }),
      /virtualIp: 10\.9\.0\.1: proxy1 has no interface in its network \(it has eth0 192\.168\.7\.2\/24, eth1 172\.16\.0\.2\/12 10\.1\.0\.2\/20\)/,
    );
  });

  test("has a router id and priorities by default", () => {
    assert.deepEqual([on({}).routerId, on({}).priority, on({}, proxy2).priority], [200, 250, 240]);
    const given = { vrrp: { routerId: 70, priorities: [100, 90] } };
    assert.deepEqual([on(given).routerId, on(given).priority, on(given, proxy2).priority], [70, 100, 90]);
    assert.deepEqual(on({}).peers, [proxy2]);
  });

  test("belongs to a network", () => {
    for (const [address, network] of [
      ["192.168.1.200/24", "192.168.1.0/24"],
      ["10.1.15.200/20", "10.1.0.0/20"],
      ["10.1.15.200/32", "10.1.15.200/32"],
      ["172.31.255.254/12", "172.16.0.0/12"],
    ]) {
      assert.equal(networkOf(settings({ virtualIp: address }).virtualIp), network);
    }
  });
});

describe("what is rendered", () => {
  const config = (args: object, databases: readonly string[]): PoolerConfig => ({
    settings: settings(args),
    virtualIp: {} as PoolerConfig["virtualIp"],
    members: [{ name: "psql1", address: "10.1.0.10" }],
    pools: pools(args, databases),
    queryWaitTimeout: 120,
    clients: [],
  });

  test("databases that PgBouncer's configuration cannot name share one entry, and have no read-only pool", () => {
    const evil = 'a" = b @{secret:ca|raw}';
    const text = renderPgbouncer(config({}, ["plain", evil, "отдел"]));
    assert.deepEqual(secretsNamedIn(text), []);
    const entries = text
      .split("\n\n")[0]
      ?.split("\n")
      .map((line) => line.split(" = "));
    assert.deepEqual(
      entries?.map(([name]) => name),
      ["[databases]", "plain", "plain_ro", "*"],
    );
    assert.equal(
      entries?.at(-1)?.[1],
      "host=127.0.0.1 port=5000 auth_user=pgbouncer pool_mode=session pool_size=60 max_db_connections=60",
    );
    assert.throws(
      () => pools({ databases: [{ name: "отдел" }] }, ["отдел"]),
      /databases\.0\.name: "отдел": PgBouncer's configuration cannot name it.*leave it out here, or rename/,
    );
  });

  test("a setting that a restart puts in force is in a file of its own", () => {
    const [one, other] = [config({ port: 6432 }, ["a"]), config({ port: 7000 }, ["a"])];
    assert.equal(renderPgbouncer(one), renderPgbouncer(other));
    assert.notEqual(renderFixed(one), renderFixed(other));
  });

  test("without read-only pools HAProxy listens for the primary only", () => {
    const ports = (args: object) => renderHaproxy(config(args, ["a"])).match(/bind \S+/g);
    assert.deepEqual(ports({}), ["bind 127.0.0.1:5000", "bind 127.0.0.1:5001"]);
    assert.deepEqual(ports({ readOnly: false }), ["bind 127.0.0.1:5000"]);
  });
});
