import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { type Clients, complaints } from "../site/clients";
import { chance, finish, KilledUp, type Victim } from "../support/killed-up";
import { Ledger } from "../support/ledger";
import { eventually, pause } from "../support/process";
import { answer } from "../support/psql";
import type { Settings } from "../support/stack";
import type { Suite } from "../support/suite";
import { balancer, type HandMadeCluster, nodes } from "./hand-made";

/** What is wrong with a takeover, and what is said of it. */
const refused: [what: string, changes: Settings, reasons: RegExp[]][] = [
  [
    "another cluster, and a role without its password",
    { "hastack:postgres": { scope: "workspad", namespace: "/service/", roles: undefined } },
    [
      /psql1: its scope is "workspad-cluster", and not "workspad": give that as `scope`/,
      /psql3: its namespace is "\/db\/", and not "\/service\/": give that as `namespace`/,
      /psql2: its role workspad has a password, and a new one would be made: give the one that clients use in `roles`/,
    ],
  ],
  [
    "another etcd",
    { "hastack:etcd": { replaces: "etcd-cluster" } },
    [/psql1: its etcd has the token "patroni-cluster", and not "etcd-cluster": it is another quorum/],
  ],
  [
    "another port and router id",
    { "hastack:pooler": { port: 6433, vrrp: { routerId: 71 } } },
    [
      /its keepalived has the virtual_router_id 70, and not 71: .* Give that as `vrrp.routerId`/,
      /its PgBouncer listens on port 6432, and not 6433: give that as `port`/,
    ],
  ],
  [
    "no data-protection certificate",
    { "hastack:workspad": { dataProtection: undefined } },
    [
      /node\d: it has a data-protection certificate \(SHA-256 .*\), and a new one would be made: everybody would be signed out/,
    ],
  ],
  [
    "another name, port and certificate",
    {
      "hastack:workspad": {
        serverNames: ["mail.company.com"],
        balancer: { certificate: undefined, httpsPort: 8443 },
      },
    },
    [
      /nginx1: it serves workspad\.company\.com, which would be refused: add that to `serverNames`/,
      /nginx1: it listens on port 443, where nobody would answer/,
      /nginx1: its clients trust CN=workspad\.company\.com, .* give that and its key as `certificate`/,
    ],
  ],
];

/** Runs that are killed: what, when, and at most how long after that. */
const kills: { part: string; victim: Victim; after: RegExp; seconds: number }[] = [
  { part: "the databases", victim: "all", after: /Command workspad-db-psql\d-adopt created/, seconds: 25 },
  { part: "the nodes", victim: "engine", after: /Command workspad-node1 creating/, seconds: 10 },
];
const seed = process.env.HASTACK_SEED ?? randomBytes(4).toString("hex");

/** Clients of the database's address, from before to after. */
const throughAddress = { connections: 1, options: "port=6432 connect_timeout=2 tcp_user_timeout=3000", patience: 4 };

const services = "etcd patroni pgbouncer keepalived nginx workspad-gateway workspad-assistant workspad-adminapi";
const runs = `systemctl show --property=InvocationID ${services}`;
const settings =
  "/etc/default/etcd /etc/patroni/* /var/lib/postgresql/15/main/pg_hba.conf /etc/pgbouncer/* /etc/keepalived/*";
/** What was set up on a host by hand, and what of ours is there. */
const state = [
  "ls -d /var/lib/hastack /usr/local/lib/hastack 2>/dev/null",
  `find ${settings} /etc/nginx /opt/workspad -type f -exec cat {} + 2>/dev/null | sha256sum`,
  runs,
].join("; ");

export function takeover({ foundation, promise, cluster }: Suite<HandMadeCluster>): void {
  foundation("WorksPad is set up by hand, and has users and rows", async () => {
    await cluster.setUp();
    await cluster.configureCertificates();
    const count = () => answer(cluster.lab, cluster.writer, "SELECT count(*) FROM documents");
    assert.equal(await eventually("the application reaches its database", 30, count), "10000");
  });

  for (const [what, changes, reasons] of refused) {
    promise(`${what}: it is refused with the reason, and no host is touched`, async () => {
      const { machines, stack } = cluster;
      const before = await machines.all(state);
      const restore = stack.configure(changes);
      const printed = unwrapped(await stack.fails(stack.preview()));
      restore();
      for (const reason of reasons) assert.match(printed, reason);
      assert.deepEqual(await machines.all(state), before);
    });
  }

  promise("the preview says what will change on each host, and no host is touched", async () => {
    const { machines, stack } = cluster;
    const before = await machines.all(state);
    const printed = unwrapped(await stack.succeeds(stack.preview()));
    const says = (text: RegExp) => assert.match(printed, text);
    says(/psql2: its leader is taken over where it is, PostgreSQL 15 in \/var\/lib\/postgresql\/15\/main/);
    for (const host of cluster.hosts.names) {
      says(new RegExp(`${host}: the etcd with the token "patroni-cluster" is replaced by one with TLS`));
      says(new RegExp(`${host}: its \\w+ is taken over where it is`));
    }
    says(/no longer in force: .*host all all 192\.168\.1\.0\/24 md5/);
    says(/passwords kept as SCRAM instead of MD5: workspad/);
    says(/parameters that were set for the cluster: as they are/);
    for (const proxy of ["proxy1", "proxy2"]) {
      says(new RegExp(`${proxy}: what leads to the database is replaced; .*PgBouncer \\(workspad; auth_type md5\\)`));
    }
    for (const node of nodes) {
      says(new RegExp(`${node}: its WorksPad 1\\.0 is taken over where it is; .* sessions stay valid`));
    }
    says(/its database, now Host=192\.168\.1\.200:6432;Database=workspad;User Id=workspad: what the program says/);
    says(/nginx1: its nginx is taken over; users' address and names \(workspad\.company\.com\) stay/);
    says(/clients see the certificate that they know \(CN=workspad\.company\.com, /);
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

  foundation("`up` takes all of it over under users and a writer, though it is killed twice", async (t) => {
    const { lab, hosts } = cluster;
    await answer(lab, cluster.writer, "DROP TABLE IF EXISTS ledger; CREATE TABLE ledger (n bigint)");
    const identity = await hosts.superuser("psql2", "SELECT system_identifier FROM pg_control_system()");
    const protection = await cluster.dataProtection("node1");
    const ledger = new Ledger(lab, cluster.writer, throughAddress);
    const users = await cluster.users();
    try {
      await ledger.start();
      for (const round of kills.keys()) t.diagnostic(await killed(cluster, round));
      for (const step of await finish(cluster.stack)) t.diagnostic(step);
      await cluster.readOutputs();
      await ledger.moreRows(20, 60);
    } finally {
      await ledger.stop();
      await users.stop();
    }

    const leader = await cluster.whole(90);
    assert.equal(await hosts.superuser(leader, "SELECT system_identifier FROM pg_control_system()"), identity);
    assert.equal(await hosts.superuser(leader, "SELECT count(*) FROM documents", "workspad"), "10000");
    for (const node of nodes) assert.deepEqual(await cluster.dataProtection(node), protection);
    const rows = await hosts.superuser(leader, "SELECT n FROM ledger", "workspad");
    const account = ledger.account(rows.split("\n").map(Number));
    t.diagnostic(
      `${account.acknowledged} rows acknowledged, ${account.lost.length} lost; ` +
        `longest time without a write ${account.longestGapSeconds.toFixed(1)} s`,
    );
    for (const line of seenBy(users)) t.diagnostic(line);
    assert.deepEqual(account.lost, []);
    assert.deepEqual(account.duplicated, []);
    assert.ok(account.longestGapSeconds < 300, `no write for ${account.longestGapSeconds} s`);
    const [first = 0, second = 0] = await Promise.all(nodes.map((node) => startOf(cluster, node, "workspad-gateway")));
    assert.ok(second - first >= 10, `node2 stopped before node1 was known again: ${second - first} s`);
    assert.ok((await startOf(cluster, balancer.name, "nginx")) > second, "nginx verifies what nodes have by then");
    const { reads, sessionsRefused } = users.account;
    assert.equal(sessionsRefused, 0, "sessions of before are valid");
    assert.ok(reads.longestGapSeconds < 30, `no user was answered for ${reads.longestGapSeconds} s`);
  });

  promise("it is a stack like any other: TLS, SCRAM, no pause, and a clean preview", async () => {
    const { hosts, lab, stack } = cluster;
    await stack.unchanged();
    const leader = await cluster.whole();
    assert.doesNotMatch((await hosts.patroni(leader, "/patroni")).body, /"pause"/);
    const verified = { ...cluster.writer, sslmode: "verify-full", sslrootcert: cluster.caFile };
    assert.equal(await answer(lab, verified, "SELECT count(*) FROM documents"), "10000");
    const kinds = "SELECT string_agg(DISTINCT left(rolpassword, 13), ',') FROM pg_authid WHERE rolcanlogin";
    assert.equal(await hosts.superuser(leader, kinds), "SCRAM-SHA-256");
    const synchronous = "SELECT count(*) FROM pg_stat_replication WHERE sync_state = 'sync'";
    assert.equal(await hosts.superuser(leader, synchronous), "1", "as `durability` says");
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
    const { machines } = cluster;
    for (const proxy of ["proxy1", "proxy2"]) {
      const found = await machines.sh(
        proxy,
        `cat ${originals}/etc/keepalived/keepalived.conf ${originals}/etc/pgbouncer/*`,
      );
      assert.match(found, /vrrp_instance VIP_GPROXY/);
      assert.match(found, /^"workspad" "md5[0-9a-f]{32}"$/m);
    }
    for (const node of nodes) {
      const certificate = await machines.sh(
        node,
        `openssl x509 -noout -subject -in ${originals}/opt/workspad/certificates/server.crt`,
      );
      assert.match(certificate, /CN = workspad server/);
    }
    assert.match(await machines.sh(balancer.name, "cat /etc/nginx/conf.d/workspad.conf"), /upstream workspad_cluster/);
    for (const [host, mode] of Object.entries(await machines.all("stat -c %a /var/lib/hastack"))) {
      assert.equal(mode, "700\n", host);
    }
  });

  promise("without `adopt` and `replaces`, which have done their work, nothing is restarted", async () => {
    const { machines, stack } = cluster;
    const before = await machines.all(runs);
    stack.configure({ "hastack:postgres": { adopt: undefined }, "hastack:etcd": { replaces: undefined } });
    await cluster.up();
    assert.deepEqual(await machines.all(runs), before);
    await stack.unchanged();
  });

  promise(
    "a second nginx and an address for both come later; users of the first one's address notice nothing",
    async () => {
      const users = await cluster.users();
      let sharedAddress = "";
      try {
        sharedAddress = await cluster.secondBalancer();
        await cluster.up();
      } finally {
        await users.stop();
      }
      const { reads, logins } = users.account;
      assert.deepEqual(complaints(reads, logins), []);
      const later = await cluster.users(sharedAddress);
      await later.stop();
      assert.deepEqual(complaints(later.account.reads, later.account.logins), []);
    },
  );
}

/** An `up` that is killed at a random moment of its part. What it has left is cleared as docs/operations.md says. */
async function killed({ stack }: HandMadeCluster, round: number): Promise<string> {
  const { part, victim, after, seconds } = kills[round] as (typeof kills)[number];
  const wait = chance(seed, round) * seconds;
  const up = new KilledUp(stack);
  try {
    await up.reaches(after, 400);
    await pause(wait);
    assert.ok(await up.kill(victim), `it was over before ${wait.toFixed(2)} s; HASTACK_SEED=${seed}`);
  } finally {
    await up.clear();
  }
  await stack.cancel();
  return `killed (${victim}) while it took over ${part}, after ${wait.toFixed(2)} s; again: HASTACK_SEED=${seed}`;
}

/** When a service was started, in seconds on the one clock that the lab's hosts have. */
async function startOf({ machines }: HandMadeCluster, host: string, service: string): Promise<number> {
  return Number(await machines.sh(host, `systemctl show -P ActiveEnterTimestampMonotonic ${service}`)) / 1e6;
}

/** What users saw, for the record. */
function seenBy({ account: { reads, logins } }: Clients): string[] {
  return [
    ...Object.entries({ reads, logins }).map(
      ([kind, { sent, failures, longestGapSeconds, slowestSeconds }]) =>
        `${kind}: ${failures.length} of ${sent} failed; longest time without a good answer ${longestGapSeconds.toFixed(1)} s, ` +
        `slowest ${slowestSeconds.toFixed(1)} s`,
    ),
    ...complaints(reads, logins),
  ];
}

/** On one line: the engine breaks long messages. */
function unwrapped(printed: string): string {
  return printed.replace(/\s+/g, " ");
}
