import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { type Diagnosis, isHealthy } from "../../components/cli/check";
import { report } from "../../components/cli/doctor-report";
import { exitCodeOf, type HostDrift, noteHolders } from "../../components/cli/drift";
import { reports } from "../../components/cli/drift-report";
import type { Inventory } from "../../components/cli/inventory";
import type { Answers } from "../../components/cli/roles";
import { groupsOf, isWell, type Status } from "../../components/cli/status";
import { page } from "../../components/cli/status-page";
import { tree } from "../../components/cli/status-tree";
import { endingSoon } from "../../components/converge/certificates";
import { openings, renderTable } from "../../components/firewall/table";

const clean: HostDrift = { host: "psql2", units: {}, certificates: [] };
const drifted: HostDrift = {
  host: "psql1",
  units: { etcd: ['/etc/default/etcd content: "a|b"', "etcd.service inactive"] },
  certificates: [{ unit: "etcd", path: "/etc/etcd/tls/server.crt", ends: "2027-01-11T12:00:00.000Z" }],
};
const silent: HostDrift = { host: "psql3", unreachable: "192.168.1.132: timed out", units: {}, certificates: [] };
const at = "2027-01-01T00:00:00.000Z";

function driftReport(form: string, hosts: readonly HostDrift[]): string {
  const render = reports[form];
  assert.ok(render, form);
  return render({ at, hosts: [...hosts] });
}

describe("the drift report", () => {
  test("its exit code tells clean, drifted and unknown apart", () => {
    assert.equal(exitCodeOf({ at, hosts: [clean] }), 0);
    assert.equal(exitCodeOf({ at, hosts: [clean, drifted] }), 7);
    assert.equal(exitCodeOf({ at, hosts: [drifted, silent] }), 1, "what is not known may be worse than what is");
  });

  test("as text: a line for everything", () => {
    assert.equal(
      driftReport("text", [drifted, clean, silent]),
      'psql1  etcd  /etc/default/etcd content: "a|b"\npsql1  etcd  etcd.service inactive\n' +
        "psql3  cannot be asked: 192.168.1.132: timed out\n",
    );
    assert.equal(driftReport("text", [clean]), "no drift on 1 hosts\n");
  });

  test("as Markdown: a table that no value breaks", () => {
    const [title, , ...rows] = driftReport("markdown", [drifted, silent]).trim().split("\n");
    assert.equal(title, `Drift on 2 hosts, asked at ${at}:`);
    assert.equal(rows.length, 5);
    for (const row of rows) assert.equal(row.replaceAll("\\|", "").split("|").length, 5, row);
  });

  test("as JSON: the values themselves", () => {
    assert.deepEqual(JSON.parse(driftReport("json", [drifted, silent])), { at, hosts: [drifted, silent] });
  });

  test("for Prometheus: one sample a unit, quoted by its rules", () => {
    const samples = driftReport("prometheus", [drifted, silent])
      .split("\n")
      .filter((line) => !line.startsWith("#"));
    assert.deepEqual(samples, [
      "hastack_drift_timestamp_seconds 1798761600",
      'hastack_host_up{host="psql1"} 1',
      'hastack_host_up{host="psql3"} 0',
      'hastack_drift{host="psql1",unit="etcd"} 2',
      'hastack_certificate_expiry_days{host="psql1",unit="etcd",path="/etc/etcd/tls/server.crt"} 10.5',
      "",
    ]);
  });

  test("a certificate that ends soon, or has ended, is drift", () => {
    const { certificates } = drifted;
    assert.deepEqual(endingSoon(certificates, 10, new Date(at)), []);
    assert.deepEqual(endingSoon(certificates, 11, new Date(at)), [
      { unit: "etcd", reason: "certificate /etc/etcd/tls/server.crt ends on 2027-01-11, in 10 days" },
    ]);
    const late = endingSoon(certificates, 0, new Date("2027-02-01"));
    assert.match(late[0]?.reason ?? "", /server\.crt has ended on 2027-01-11$/);
    assert.equal(
      endingSoon([{ unit: "etcd", path: "a.crt", ends: "Nov 19 09:38:49 2036 GMT" }], 14, new Date(at)).length,
      0,
    );
  });

  test("a virtual address that nobody holds, or several hosts, is drift of its hosts", () => {
    const holding = (addresses: Record<string, string[]>) => {
      const found = ["a", "b"].map((host): HostDrift => ({ host, units: {}, certificates: [] }));
      noteHolders({ address: "10.0.0.9", hosts: ["a", "b"] }, addresses, found);
      return found.map(({ units }) => units["virtual address"]?.join());
    };
    assert.deepEqual(holding({ a: ["10.0.0.9"], b: ["10.0.0.2"] }), [undefined, undefined]);
    assert.deepEqual(holding({ a: [], b: [] }), Array(2).fill("nobody holds 10.0.0.9"));
    assert.deepEqual(holding({ a: ["10.0.0.9"], b: ["10.0.0.9"] }), Array(2).fill("10.0.0.9 is on a and b at once"));
    assert.deepEqual(holding({ a: [] }), [undefined, undefined], "b may hold it");
  });
});

/** Three databases, a pair of poolers, a pair of balancers with a node: what each host says of itself. */
const inventory: Inventory = {
  hosts: {},
  addresses: {},
  clusters: [{ scope: "workspad-cluster", members: ["psql1", "psql2"] }],
  virtualIps: [],
  poolers: [{ address: "192.168.1.200", hosts: ["proxy1", "proxy2"] }],
  balancers: [
    { address: "192.168.1.122", hosts: ["nginx1"], nodes: [{ name: "node1", address: "10.0.0.1", port: 443 }] },
  ],
  caches: [{ address: "192.168.1.210", hosts: ["redis1", "redis2"] }],
  quorums: [{ members: ["psql1", "psql2"] }],
};

const etcd = (leads: boolean) =>
  `https://10.0.0.9:2379 is healthy: successfully committed proposal: took = 9ms\nhttps://10.0.0.9:2379, 8e9e, 3.4.23, 20 kB, ${leads}, false, 2, 10, 10, `;
const patroni = JSON.stringify([
  { Member: "psql1", Role: "Leader", State: "running" },
  { Member: "psql2", Role: "Replica", State: "streaming", "Lag in MB": 3 },
]);
const pooler = "haproxy active\nkeepalived active\npgbouncer active";

const well = {
  psql1: { said: { patroni, etcd: etcd(true) } },
  psql2: { said: { patroni, etcd: etcd(false) } },
  proxy1: { said: { services: pooler, addresses: "192.168.1.140/24\n192.168.1.200/24" } },
  proxy2: { said: { services: pooler, addresses: "192.168.1.141/24" } },
  nginx1: { said: { services: "nginx active\nhastack-nginx-readiness active", nginx: "10.0.0.1:443 200" } },
  redis1: { said: { addresses: "192.168.1.210/24", redis: "role:master\r\nmaster_repl_offset:500\r" } },
  redis2: { said: { redis: "role:slave\r\nmaster_link_status:up\r\nslave_repl_offset:480\r", addresses: "" } },
} satisfies Answers;

function statusWith(changed: Answers): Status {
  const answers: Answers = { ...well, ...changed };
  const hosts = Object.entries(answers).map(([host, { reason }]) => [host, reason ?? null]);
  return { hosts: Object.fromEntries(hosts), groups: groupsOf(inventory, answers), drift: { psql1: [] } };
}

describe("the status", () => {
  test("says of every role who does what, and how far behind", () => {
    assert.ok(isWell(statusWith({})));
    assert.equal(
      tree(statusWith({}), false),
      [
        "balancers 192.168.1.122",
        "└─ nginx1  running",
        "nodes behind 192.168.1.122",
        "└─ node1  ready",
        "poolers 192.168.1.200",
        "├─ proxy1  running  holds the address",
        "└─ proxy2  running",
        "PostgreSQL workspad-cluster",
        "├─ psql1  leader  running",
        "└─ psql2  replica  streaming  lag 3 MiB",
        "etcd",
        "├─ psql1  leader  healthy",
        "└─ psql2  follower  healthy",
        "Redis 192.168.1.210",
        "├─ redis1  master  running  holds the address",
        "└─ redis2  replica  in step  lag 20 bytes",
        "hosts 7 of 7 answer",
        "drift none on 1 hosts",
        "",
      ].join("\n"),
    );
  });

  const both = { said: { services: pooler, addresses: "192.168.1.200/24" } };
  const faults: [what: string, changed: Answers, shown: RegExp][] = [
    ["nobody holds an address", { proxy1: well.proxy2 }, /poolers 192\.168\.1\.200 {2}no host holds the address/],
    ["two hold it", { proxy2: both }, /poolers 192\.168\.1\.200 {2}2 hosts hold the address at once/],
    [
      "a service is down",
      {
        proxy2: {
          said: { ...both.said, services: "haproxy active\npgbouncer failed\nkeepalived active", addresses: "" },
        },
      },
      /proxy2 {2}pgbouncer failed/,
    ],
    [
      "a node is not ready",
      { nginx1: { said: { ...well.nginx1.said, nginx: "10.0.0.1:443 503" } } },
      /node1 {2}not ready: its health is 503/,
    ],
    [
      "a node does not answer",
      { nginx1: { said: { ...well.nginx1.said, nginx: "10.0.0.1:443 000" } } },
      /node1 {2}not ready: no answer/,
    ],
    [
      "nobody knows of the nodes",
      { nginx1: { reason: "timed out", said: {} } },
      /node1 {2}unknown: no balancer answers/,
    ],
    [
      "there is no leader",
      { psql1: { said: { ...well.psql1.said, patroni: patroni.replace("Leader", "Replica") } } },
      /PostgreSQL workspad-cluster {2}no leader/,
    ],
    [
      "a member is gone from etcd",
      { psql1: { said: { ...well.psql1.said, patroni: JSON.stringify([JSON.parse(patroni)[0]]) } } },
      /psql2 {2}not a member now/,
    ],
    [
      "no database answers",
      { psql1: { reason: "off", said: {} }, psql2: { reason: "off", said: {} } },
      /workspad-cluster {2}no member answers\n├─ psql1 {2}the host does not answer/,
    ],
    [
      "a member of etcd is not healthy",
      {
        psql2: { said: { ...well.psql2.said, etcd: "https://10.0.0.9:2379 is unhealthy: failed to commit proposal" } },
      },
      /└─ psql2 {2}follower {2}not healthy/,
    ],
    [
      "there are two masters",
      { redis2: { said: { ...well.redis1.said, addresses: "" } } },
      /Redis 192\.168\.1\.210 {2}2 of role master/,
    ],
    [
      "a replica has lost its master",
      { redis2: { said: { redis: "role:slave\nmaster_link_status:down\nslave_repl_offset:1", addresses: "" } } },
      /redis2 {2}replica {2}not connected to its master/,
    ],
    ["a host is down", { extra: { reason: "timed out", said: {} } }, /hosts 7 of 8 answer\n└─ extra {2}timed out/],
  ];
  for (const [what, changed, shown] of faults) {
    test(`is not well when ${what}, and says so`, () => {
      const status = statusWith(changed);
      assert.equal(isWell(status), false);
      assert.match(tree(status, false), shown);
    });
  }

  test("is not well with drift", () => {
    const status = { ...statusWith({}), drift: { psql1: ["etcd: etcd.service inactive"], psql2: [] } };
    assert.equal(isWell(status), false);
    assert.match(tree(status, false), /drift\n└─ psql1 {2}etcd: etcd\.service inactive/);
  });

  test("has colours only where somebody sees them", () => {
    const status = statusWith({ proxy2: both });
    assert.ok(tree(status, true).includes("\u001b[31m2 hosts hold the address at once"));
    assert.ok(!tree(status, false).includes("\u001b"));
  });

  describe("as a page", () => {
    const options = { stack: "<production>", at: new Date("2026-01-02T03:04:05Z") };

    test("asks nothing of any server, and runs nothing", () => {
      const html = page(statusWith({}), options);
      assert.doesNotMatch(html, /<script|<link|<img|<iframe|\son\w+=|url\((?!#)|@import|https?:/i);
      assert.match(html, /color-scheme: light dark/);
    });

    test("shows everything in words, and for who does not see the picture too", () => {
      const html = page(statusWith({ proxy2: both }), options);
      assert.match(html, /<title>not well: &lt;production&gt;<\/title>/);
      assert.match(
        html,
        /<desc [^>]*>.*poolers 192\.168\.1\.200: 2 hosts hold the address at once; proxy1 \(running, holds the address\)/,
      );
      for (const words of [
        "leader, running",
        "replica, streaming, lag 3 MiB",
        "master, running, holds the address",
        "ready",
      ]) {
        assert.ok(html.includes(`>${words}<`), words);
      }
      assert.match(html, /<rect class="group fail"/);
    });

    test("takes nothing that a host says for markup", () => {
      const nasty = `<script>alert("1")</script>&'`;
      const html = page(
        { ...statusWith({ [nasty]: { reason: nasty, said: {} } }), drift: { psql1: [nasty] } },
        options,
      );
      assert.ok(!html.includes("<script"));
      assert.ok(html.includes("&lt;script&gt;alert(&quot;1&quot;)&lt;/script&gt;&amp;&#39;"));
    });
  });
});

describe("a doctor's report", () => {
  const diagnosis: Diagnosis = {
    machine: [{ about: "engine", verdict: "ok", says: "pulumi v3" }],
    hosts: {
      psql1: [
        { about: "login", verdict: "ok", says: "as deploy" },
        { about: "sudo", verdict: "fail", says: "a password is required", cure: "a file" },
      ],
    },
  };

  test("is healthy unless something stands in the way", () => {
    assert.equal(isHealthy(diagnosis), false);
    assert.ok(isHealthy({ ...diagnosis, hosts: {} }));
    assert.ok(
      isHealthy({ machine: [{ about: "plugins", verdict: "warn", says: "missing", cure: "install" }], hosts: {} }),
    );
  });

  test("puts what is in order in a line, and gives each fault its cure", () => {
    assert.equal(
      report(diagnosis, false),
      [
        "this machine",
        "└─ ok   engine: pulumi v3",
        "psql1",
        "├─ ok   login",
        "└─ FAIL sudo: a password is required",
        "        cure: a file",
        "2 in order, 0 to be looked at, 1 to be cured",
        "",
      ].join("\n"),
    );
  });
});

test("what a firewall lets through is read from its table as it was written", () => {
  const rules = {
    role: "x",
    sources: [
      { name: "members", from: ["10.0.0.1", "10.0.0.2"] },
      { name: "clients", from: ["10.1.0.0/16", "fd00::1"] },
    ],
    rules: [
      { to: { ports: [1, 2] }, sources: ["members", "clients"] },
      { to: { routerId: 7 }, sources: ["members"] },
    ],
  };
  assert.deepEqual(openings(renderTable(rules)), [
    { ports: [1, 2], from: ["10.0.0.1", "10.0.0.2"] },
    { ports: [1, 2], from: ["10.1.0.0/16"] },
  ]);
});
