import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { refusals as etcdRefusals, type FoundEtcd, parseFound } from "../../components/etcd-quorum/replacement";
import { announcement, type FoundMember, refusals } from "../../components/postgres-patroni-cluster/adoption";
import { clusterSchema } from "../../components/postgres-patroni-cluster/args";
import type { ClusterConfig } from "../../components/postgres-patroni-cluster/patroni";

const names = ["psql1", "psql2", "psql3"];
const members = names.map((name, i) => ({ name, address: `192.168.1.13${i}` }));

/** As PostgreSQL keeps them: the password `pencil`, and `jhYg/=\\F` of the role workspad. */
const scram =
  "SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==$WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=:wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU=";
const md5 = "md518c61f862d619f663f914d4deb6f405a";
const given = { workspad: String.raw`jhYg/=\F` };

const config: ClusterConfig = {
  ...clusterSchema.parse({ scope: "workspad-cluster", namespace: "/db/", databases: [{ name: "workspad" }] }),
  version: 15,
  members,
  poolers: [],
  firewall: true,
  adopt: true,
  caGenerations: "1",
  etcdEndpoints: [],
  etcdUser: "workspad",
};

/** A member that can be taken over, but for the changes. */
function member(name: string, changes: Partial<FoundMember> = {}): FoundMember {
  return {
    config: "/etc/patroni/patroni.yml",
    scope: "workspad-cluster",
    namespace: "/db/",
    name,
    store: "etcd3",
    superuser: "postgres",
    replication: "replicator",
    data: "/var/lib/postgresql/15/main",
    version: 15,
    identifier: "7710930299655786354",
    checksums: true,
    hba: ["host all all 192.168.1.0/24 md5"],
    members: names.map((n) => ({ name: n, role: n === "psql2" ? "leader" : "replica", state: "running" })),
    parameters: { max_connections: 500, work_mem: "64MB" },
    roles: [
      { name: "postgres", verifier: scram },
      { name: "replicator", verifier: "md5c7cc" },
      { name: "workspad", verifier: md5 },
    ],
    databases: [{ name: "workspad", owner: "postgres", bytes: 8_000_000 }],
    ...changes,
  };
}

function cluster(changes: Record<string, Partial<FoundMember>> = {}) {
  return Object.fromEntries(names.map((name) => [name, member(name, changes[name])]));
}

describe("a cluster that was set up by hand", () => {
  test("is taken over when all is as the program says", () => {
    assert.deepEqual(refusals(config, given, cluster()), []);
  });

  const differences: [what: string, changes: Partial<FoundMember>, reason: RegExp][] = [
    ["another cluster", { scope: "crm" }, /^psql3: its scope is "crm", and not "workspad-cluster": give that as/],
    ["other keys in etcd", { namespace: "/service/" }, /^psql3: its namespace is "\/service\/", and not "\/db\/"/],
    ["another name", { name: "pg-3" }, /^psql3: its name in Patroni is "pg-3", and not "psql3"/],
    ["another store", { store: "consul" }, /^psql3: its Patroni keeps who leads in consul/],
    ["another major version", { version: 13 }, /^psql3: its PostgreSQL is 13, and not 15: upgrade it first/],
    ["data elsewhere", { data: "/data/pg" }, /^psql3: its data directory is "\/data\/pg", and not .*: move the data/],
    ["no checksums", { checksums: false }, /^psql3: its data has no checksums: .*pg_checksums --enable/],
    ["other users", { superuser: "admin" }, /^psql3: Patroni's superuser is "admin", and not "postgres"/],
    ["no user for replication", { replication: null }, /^psql3: Patroni's role for replication is null/],
    ["another database", { identifier: "1" }, /^the members' databases have other system identifiers \(.*, 1\)/],
    [
      "a role that nobody could use any more",
      { roles: [{ name: "reports", verifier: md5 }] },
      /^psql3: its role reports has an MD5 password, .*: name it in `roles`/,
    ],
    [
      "a member more",
      { members: [...member("psql1").members, { name: "psql4", role: "replica", state: "running" }] },
      /^the cluster has a member psql4 that is not in `members`/,
    ],
    ["a member less", { members: [{ name: "psql3", role: "leader", state: "running" }] }, /^psql1 is no member/],
    [
      "a member that is not well",
      { members: names.map((name) => ({ name, role: "leader", state: name === "psql1" ? "stopped" : "running" })) },
      /^psql1 is stopped: mend it first/,
    ],
    [
      "no leader",
      { members: names.map((name) => ({ name, role: "replica", state: "running" })) },
      /^the cluster has no leader/,
    ],
  ];
  for (const [what, changes, reason] of differences) {
    test(`is refused for ${what}`, () => {
      const [first = "", ...others] = refusals(config, given, cluster({ psql3: changes }));
      assert.match(first, reason);
      assert.ok(
        others.every((other) => /is no member/.test(other)),
        others.join("\n"),
      );
    });
  }

  test("is refused where clients' passwords are not given, and where a host cannot say what it has", () => {
    assert.match(refusals(config, {}, cluster())[0] ?? "", /^psql1: its role workspad has a password, and a new one/);
    const found = { ...cluster(), psql2: { unknown: "no Patroni runs here" } };
    assert.deepEqual(refusals(config, given, found), ["psql2: no Patroni runs here"]);
  });

  test("is refused where a role has another password than the one that is given", () => {
    const other = { workspad: "pencil" };
    assert.match(refusals(config, other, cluster())[0] ?? "", /^psql1: its role workspad has another password than/);
    const withScram = { psql1: { roles: [{ name: "workspad", verifier: scram }] } };
    assert.match(
      refusals(config, given, cluster(withScram))[0] ?? "",
      /^psql1: its role workspad has another password/,
    );
    assert.doesNotMatch(refusals(config, other, cluster(withScram)).join("\n"), /psql1/);
  });

  test("is announced with what changes", () => {
    const text = announcement(config, "psql2", member("psql2"), {});
    assert.match(text, /^psql2: its leader is taken over where it is, PostgreSQL 15 in/);
    assert.match(text, /parameters that were set for the cluster: work_mem 64MB -> PostgreSQL's default$/m);
    assert.match(text, /no longer in force: host all all 192\.168\.1\.0\/24 md5$/m);
  });
});

describe("an etcd that was set up by hand", () => {
  const etcd: FoundEtcd = {
    token: "patroni-cluster",
    dataDirectory: "/var/lib/etcd/default",
    members: members.map(({ address }) => `http://${address}:2380`),
    keys: ["/db/workspad-cluster/leader"],
  };

  test("is read from what the host prints", () => {
    const printed = [
      "ETCD_DATA_DIR=/var/lib/etcd/default",
      "ETCD_INITIAL_CLUSTER_TOKEN=patroni-cluster",
      ...etcd.members.map((url) => `member ${url}`),
      "key /db/workspad-cluster/leader",
      "",
    ].join("\n");
    assert.deepEqual(parseFound(printed), etcd);
    assert.equal(parseFound(""), null);
  });

  test("is replaced only if it is the one that is meant, and has no other members", () => {
    assert.deepEqual(etcdRefusals({ members }, "patroni-cluster", etcd), []);
    assert.match(etcdRefusals({ members }, "other", etcd)[0] ?? "", /has the token "patroni-cluster", and not "other"/);
    assert.match(etcdRefusals({ members }, "patroni-cluster", null)[0] ?? "", /no etcd runs here/);
    const larger = { ...etcd, members: [...etcd.members, "http://192.168.1.13:2380"] };
    assert.match(
      etcdRefusals({ members }, "patroni-cluster", larger)[0] ?? "",
      /members that the program does not name: http:\/\/192\.168\.1\.13:2380/,
    );
  });
});
