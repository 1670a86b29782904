import assert from "node:assert/strict";
import { Ledger } from "../support/ledger";
import { eventually } from "../support/process";
import { answer } from "../support/psql";
import type { Settings } from "../support/stack";
import type { Suite } from "../support/suite";
import type { HandMadeCluster } from "./hand-made";

/** What is wrong with a takeover, and what is said of it. */
const refused: [Settings, RegExp][] = [
  [
    { "hastack:postgres": { scope: "workspad" } },
    /psql1: its scope is "workspad-cluster", and not "workspad": give that as `scope`/,
  ],
  [
    { "hastack:postgres": { namespace: "/service/" } },
    /psql3: its namespace is "\/db\/", and not "\/service\/": give that as `namespace`/,
  ],
  [
    { "hastack:postgres": { roles: undefined } },
    /psql2: its role workspad has a password, and a new one would be made: give the one that clients use in `roles`/,
  ],
  [
    { "hastack:etcd": { replaces: "etcd-cluster" } },
    /psql1: its etcd has the token "patroni-cluster", and not "etcd-cluster": it is another quorum/,
  ],
];

/** Clients of the address, from before to after. */
const throughAddress = { connections: 1, options: "port=6432 connect_timeout=2 tcp_user_timeout=3000", patience: 4 };

const runs = "systemctl show --property=InvocationID etcd patroni pgbouncer keepalived";
/** What was set up on a host by hand, and what of ours is there. */
const state = [
  "ls -d /var/lib/hastack /usr/local/lib/hastack 2>/dev/null",
  "cat /etc/default/etcd /etc/patroni/* /var/lib/postgresql/15/main/pg_hba.conf /etc/pgbouncer/* /etc/keepalived/* 2>/dev/null | sha256sum",
  runs,
].join("; ");

export function takeover({ foundation, promise, cluster }: Suite<HandMadeCluster>): void {
  foundation("a cluster is set up by hand, and its application has rows", async () => {
    await cluster.setUp();
    const count = () => answer(cluster.lab, cluster.application, "SELECT count(*) FROM users");
    assert.equal(await eventually("the application reaches its database", 30, count), "10000");
  });

  promise("what cannot be taken over is refused with the reason, and no host is touched", async () => {
    const { machines, stack } = cluster;
    const before = await machines.all(state);
    for (const [settings, reason] of refused) {
      const restore = stack.configure(settings);
      assert.match(unwrapped(await stack.fails(stack.preview())), reason);
      restore();
    }
    assert.deepEqual(await machines.all(state), before);
  });

  promise("the preview says what will change on each host, and no host is touched", async () => {
    const { machines, stack } = cluster;
    const before = await machines.all(state);
    const printed = unwrapped(await stack.succeeds(stack.preview()));
    assert.match(
      printed,
      /psql2: its leader is taken over where it is, PostgreSQL 15 in \/var\/lib\/postgresql\/15\/main/,
    );
    for (const host of cluster.hosts.names) {
      assert.match(
        printed,
        new RegExp(`${host}: the etcd with the token "patroni-cluster" is replaced by one with TLS`),
      );
      assert.match(printed, new RegExp(`${host}: its \\w+ is taken over where it is`));
    }
    assert.match(printed, /no longer in force: .*host all all 192\.168\.1\.0\/24 md5/);
    assert.match(printed, /passwords kept as SCRAM instead of MD5: workspad/);
    assert.match(printed, /parameters that were set for the cluster: as they are/);
    assert.deepEqual(await machines.all(state), before);
  });

  promise("without `adopt` and `replaces` what runs is left alone, and said to be somebody else's", async () => {
    const { machines, stack } = cluster;
    const before = await machines.all(runs);
    const restore = stack.configure({
      "hastack:postgres": { adopt: undefined },
      "hastack:etcd": { replaces: undefined },
    });
    const printed = unwrapped(await stack.fails(stack.up()));
    assert.match(
      printed,
      /an etcd runs here that was set up by hand; nothing is done to it\..* its token is 'patroni-cluster'/,
    );
    assert.match(
      printed,
      /\/15\/main holds a database that is not of the cluster workspad-cluster; nothing is done to it/,
    );
    restore();
    assert.deepEqual(await machines.all(runs), before);
  });

  foundation("`up` takes the cluster over while it is written to, and no row is lost", async (t) => {
    const { lab, hosts } = cluster;
    await answer(lab, cluster.application, "DROP TABLE IF EXISTS ledger; CREATE TABLE ledger (n bigint)");
    const identity = await hosts.superuser("psql2", "SELECT system_identifier FROM pg_control_system()");
    const ledger = new Ledger(lab, cluster.application, throughAddress);
    await ledger.start();
    try {
      await cluster.up();
      await ledger.moreRows(20, 60);
    } finally {
      await ledger.stop();
    }

    const leader = await cluster.whole(90);
    assert.equal(await hosts.superuser(leader, "SELECT system_identifier FROM pg_control_system()"), identity);
    assert.equal(await hosts.superuser(leader, "SELECT count(*) FROM users", "workspad"), "10000");
    const rows = await hosts.superuser(leader, "SELECT n FROM ledger", "workspad");
    const account = ledger.account(rows.split("\n").map(Number));
    t.diagnostic(
      `${account.acknowledged} rows acknowledged, ${account.lost.length} lost; ` +
        `longest time without a write ${account.longestGapSeconds.toFixed(1)} s`,
    );
    assert.deepEqual(account.lost, []);
    assert.deepEqual(account.duplicated, []);
    assert.ok(account.longestGapSeconds < 180, `no write for ${account.longestGapSeconds} s`);
  });

  promise("it is a cluster like any other: TLS, SCRAM, no pause, and a clean preview", async () => {
    const { hosts, lab, stack } = cluster;
    await stack.succeeds(stack.preview("--expect-no-changes"));
    const leader = await cluster.whole();
    assert.doesNotMatch((await hosts.patroni(leader, "/patroni")).body, /"pause"/);
    const verified = { ...cluster.login("workspad", cluster.application.host), options: "port=6432" };
    assert.equal(await answer(lab, verified, "SELECT count(*) FROM users"), "10000");
    const kinds = "SELECT string_agg(DISTINCT left(rolpassword, 13), ',') FROM pg_authid WHERE rolcanlogin";
    assert.equal(await hosts.superuser(leader, kinds), "SCRAM-SHA-256");
  });

  promise("a copy of each replaced file is kept, for root alone", async () => {
    const originals = "/var/lib/hastack/originals";
    const show = [
      `cat ${originals}/etc/default/etcd`,
      `readlink ${originals}/etc/patroni/config.yml`,
      "cat /etc/patroni/patroni.yml",
      "ls -d /var/lib/etcd/default/member",
    ].join("; ");
    for (const [host, found] of Object.entries(await cluster.hosts.all(show))) {
      assert.match(found, /ETCD_INITIAL_CLUSTER_TOKEN="patroni-cluster"/, host);
      assert.match(found, /^patroni\.yml$/m, host);
      assert.match(found, /password: RepliPass123/, host);
      assert.match(found, /^\/var\/lib\/etcd\/default\/member$/m, host);
    }
    for (const proxy of ["proxy1", "proxy2"]) {
      const found = await cluster.machines.sh(
        proxy,
        `cat ${originals}/etc/keepalived/keepalived.conf ${originals}/etc/pgbouncer/*`,
      );
      assert.match(found, /vrrp_instance VIP_GPROXY/);
      assert.match(found, /^"workspad" "md5[0-9a-f]{32}"$/m);
    }
    for (const [host, mode] of Object.entries(await cluster.machines.all("stat -c %a /var/lib/hastack"))) {
      assert.equal(mode, "700\n", host);
    }
  });

  promise("without `adopt` and `replaces`, which have done their work, nothing is restarted", async () => {
    const { machines, stack } = cluster;
    const before = await machines.all(runs);
    stack.configure({ "hastack:postgres": { adopt: undefined }, "hastack:etcd": { replaces: undefined } });
    await cluster.up();
    assert.deepEqual(await machines.all(runs), before);
    await stack.succeeds(stack.preview("--expect-no-changes"));
  });
}

/** On one line: the engine breaks long messages. */
function unwrapped(printed: string): string {
  return printed.replace(/\s+/g, " ");
}
