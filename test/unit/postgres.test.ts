import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { parse as parseYaml } from "yaml";
import { secretsNamedIn } from "../../components/converge/secrets";
import { clusterSchema, rolesOf } from "../../components/postgres-patroni-cluster/args";
import { renderHba } from "../../components/postgres-patroni-cluster/hba";
import { dynamicParameters, tunedParameters } from "../../components/postgres-patroni-cluster/parameters";
import { versionFor } from "../../components/postgres-patroni-cluster/release";
import { scramVerifier } from "../../components/postgres-patroni-cluster/scram";
import { renderApply } from "../../components/postgres-patroni-cluster/sql";
import { secretScalar, stringifyYaml } from "../../components/postgres-patroni-cluster/yaml";

const required = { scope: "s", namespace: "/db/" };

describe("arguments of a cluster", () => {
  test("the defaults are the article's; fast is 20/5/5; single values go before", () => {
    const timing = (args: object) => {
      const { ttl, loopWait, retryTimeout } = clusterSchema.parse({ ...required, ...args });
      return [ttl, loopWait, retryTimeout];
    };
    assert.deepEqual(timing({}), [30, 10, 10]);
    assert.deepEqual(timing({ failover: "fast" }), [20, 5, 5]);
    assert.deepEqual(timing({ failover: "fast", ttl: 40 }), [40, 5, 5]);
  });

  test("a database's owner is a role, whether it was named or not", () => {
    const settings = clusterSchema.parse({
      ...required,
      databases: [{ name: "a" }, { name: "b", owner: "o" }, { name: "c", owner: "o" }],
      roles: [{ name: "o", login: false }],
    });
    assert.deepEqual(
      rolesOf(settings).map(({ name, login }) => [name, login]),
      [
        ["o", false],
        ["a", true],
      ],
    );
  });

  test("a role that may connect, or that others are members of, must be there", () => {
    const wrong = {
      ...required,
      databases: [{ name: "a", connect: ["nobody"] }],
      roles: [{ name: "r", memberOf: ["x"] }],
    };
    const messages = clusterSchema
      .safeParse(wrong)
      .error?.issues.map((issue) => `${issue.path.join(".")}: ${issue.message}`);
    assert.deepEqual(messages, [
      "databases.0.connect.0: there is no such role: add it to roles",
      "roles.0.memberOf.0: there is no such role: add it to roles",
    ]);
  });
});

describe("parameters", () => {
  const traits = { memoryMiB: 8192, cores: 4, os: "debian 12", interfaces: { eth0: ["192.168.1.130/24"] } };

  test("follow from the host, and never exceed it", () => {
    fc.assert(
      fc.property(fc.integer({ min: 480, max: 1 << 21 }), fc.integer({ min: 1, max: 256 }), (memoryMiB, cores) => {
        const tuned = tunedParameters({ ...traits, memoryMiB, cores }, {});
        const mib = (name: string) => Number.parseInt(tuned[name] ?? "", 10);
        assert.ok(mib("shared_buffers") <= memoryMiB / 4 + 64);
        assert.ok(mib("shared_buffers") + mib("maintenance_work_mem") < memoryMiB);
        assert.ok(mib("work_mem") >= 4 && mib("work_mem") <= 256);
        assert.ok(Number(tuned.max_parallel_workers_per_gather) <= Math.max(1, cores));
      }),
    );
    assert.equal(tunedParameters(traits, {}).shared_buffers, "2048MB");
  });

  test("what the user gives for the cluster is not overridden by the host", () => {
    assert.equal(tunedParameters(traits, { shared_buffers: "1GB" }).shared_buffers, undefined);
    assert.equal(dynamicParameters({ shared_buffers: "1GB" }).shared_buffers, "1GB");
  });

  test("have one textual form", () => {
    const { autovacuum, work_mem, max_connections } = dynamicParameters({ autovacuum: true, work_mem: "8MB" });
    assert.deepEqual([autovacuum, work_mem, max_connections], ["on", "8MB", "500"]);
  });
});

describe("pg_hba", () => {
  const lines = renderHba({
    members: [
      { name: "psql1", address: "192.168.1.130" },
      { name: "psql2", address: "192.168.1.131" },
    ],
    poolers: [],
    clients: [{ network: "10.0.0.0/8", databases: ['a "b"', "all"] }],
  })
    .trimEnd()
    .split("\n");

  test("nothing from the network without TLS, and a password's SCRAM or a member's certificate", () => {
    for (const line of lines.filter((l) => !l.startsWith("local"))) {
      assert.match(line, /^hostssl .* (scram-sha-256|cert map=hastack)$|^host .* reject$/);
    }
  });

  test("the cluster's own roles come from members only, before any client's line", () => {
    const rejected = lines.indexOf("host all postgres all reject");
    const client = lines.findIndex((line) => line.includes("10.0.0.0/8"));
    assert.ok(rejected > 0 && client > rejected);
  });

  test("a name that looks like a keyword is only a name", () => {
    assert.ok(lines.includes('hostssl "a ""b""","all" all 10.0.0.0/8 scram-sha-256'));
  });

  test("everything else is refused", () => {
    assert.deepEqual(lines.slice(-2), ["host all all all reject", "host replication all all reject"]);
  });
});

describe("SCRAM verifiers", () => {
  test("are in the form that PostgreSQL stores", () => {
    const verifier = scramVerifier("role", "pencil", "key");
    assert.match(verifier, /^SCRAM-SHA-256\$4096:[A-Za-z0-9+/]{22}==\$[A-Za-z0-9+/]{43}=:[A-Za-z0-9+/]{43}=$/);
    assert.equal(verifier, scramVerifier("role", "pencil", "key"));
  });

  test("differ by role, password and key; the salt does not depend on the password", () => {
    const salt = (v: string) => v.split("$")[1];
    const base = scramVerifier("role", "pencil", "key");
    assert.notEqual(salt(base), salt(scramVerifier("other", "pencil", "key")));
    assert.notEqual(salt(base), salt(scramVerifier("role", "pencil", "other")));
    assert.equal(salt(base), salt(scramVerifier("role", "other", "key")));
    assert.notEqual(base, scramVerifier("role", "other", "key"));
  });

  test("a password is normalised as PostgreSQL does (RFC 4013)", () => {
    assert.equal(scramVerifier("r", "I\u00adX", "k"), scramVerifier("r", "IX", "k"));
    assert.equal(scramVerifier("r", "\u2168", "k"), scramVerifier("r", "IX", "k"));
  });
});

describe("versions", () => {
  test("what all members' system packages", () => {
    assert.equal(versionFor("c", undefined, { a: "debian 12", b: "debian 12" }), 15);
    assert.equal(versionFor("c", undefined, { a: "debian 13" }), 17);
  });

  test("mixed systems and a wrong version are refused, naming the member", () => {
    assert.throws(
      () => versionFor("c", undefined, { a: "debian 12", b: "debian 13" }),
      /b runs debian 13, which packages PostgreSQL 17/,
    );
    assert.throws(() => versionFor("c", 17, { a: "debian 12" }), /version: 17: a runs debian 12/);
  });
});

describe("rendered text", () => {
  test("no name can name a secret", () => {
    const evil = "@{secret:superuser-password|raw}";
    const settings = clusterSchema.parse({ ...required, databases: [{ name: evil }], roles: [{ name: `${evil}2` }] });
    for (const reference of secretsNamedIn(renderApply(settings)))
      assert.match(reference, /^verifier-[0-9a-f]{12}\|sql$/);
    assert.deepEqual(secretsNamedIn(stringifyYaml({ a: evil })), []);
  });

  test("YAML says what was meant, secrets in their place", () => {
    const text = stringifyYaml({ on: "on", n: "1e3", s: "a: b # c", p: secretScalar("pw") });
    assert.match(text, /\np: @\{secret:pw\|yaml\}\n/);
    const read = parseYaml(text.replace("@{secret:pw|yaml}", '"x"'), { version: "1.1" });
    assert.deepEqual(read, { on: "on", n: "1e3", s: "a: b # c", p: "x" });
  });
});
