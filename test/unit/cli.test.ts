import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { exitCodeOf, type HostDrift, noteHolders } from "../../components/cli/drift";
import { reports } from "../../components/cli/drift-report";
import { isWell, type Status } from "../../components/cli/status";
import { tree } from "../../components/cli/status-tree";
import { endingSoon } from "../../components/converge/certificates";

const clean: HostDrift = { host: "psql2", units: {}, certificates: [] };
const drifted: HostDrift = {
  host: "psql1",
  units: { etcd: ['/etc/default/etcd content: "a|b"', "etcd.service inactive"] },
  certificates: [{ unit: "etcd", path: "/etc/etcd/tls/server.crt", ends: "2027-01-11T12:00:00.000Z" }],
};
const silent: HostDrift = { host: "psql3", unreachable: "192.168.1.132: timed out", units: {}, certificates: [] };
const at = "2027-01-01T00:00:00.000Z";

function report(form: string, hosts: readonly HostDrift[]): string {
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
      report("text", [drifted, clean, silent]),
      'psql1  etcd  /etc/default/etcd content: "a|b"\npsql1  etcd  etcd.service inactive\n' +
        "psql3  cannot be asked: 192.168.1.132: timed out\n",
    );
    assert.equal(report("text", [clean]), "no drift on 1 hosts\n");
  });

  test("as Markdown: a table that no value breaks", () => {
    const [title, , ...rows] = report("markdown", [drifted, silent]).trim().split("\n");
    assert.equal(title, `Drift on 2 hosts, asked at ${at}:`);
    assert.equal(rows.length, 5);
    for (const row of rows) assert.equal(row.replaceAll("\\|", "").split("|").length, 5, row);
  });

  test("as JSON: the values themselves", () => {
    assert.deepEqual(JSON.parse(report("json", [drifted, silent])), { at, hosts: [drifted, silent] });
  });

  test("for Prometheus: one sample a unit, quoted by its rules", () => {
    const samples = report("prometheus", [drifted, silent])
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

describe("the status", () => {
  const well: Status = {
    hosts: { psql1: null, psql2: null, proxy1: null },
    clusters: [
      {
        scope: "workspad-cluster",
        members: [
          { name: "psql1", role: "leader", state: "running" },
          { name: "psql2", role: "replica", state: "streaming", lagMiB: 3 },
        ],
      },
    ],
    virtualIps: [{ address: "192.168.1.200", hosts: ["proxy1", "proxy2"], holders: ["proxy1"] }],
  };

  test("is well only with one leader, running members, one holder, and all hosts", () => {
    assert.ok(isWell(well));
    const [cluster] = well.clusters;
    const [address] = well.virtualIps;
    assert.ok(cluster && address);
    for (const holders of [[], ["proxy1", "proxy2"]]) {
      assert.equal(isWell({ ...well, virtualIps: [{ ...address, holders }] }), false);
    }
    assert.equal(isWell({ ...well, hosts: { ...well.hosts, psql3: "timed out" } }), false);
    const noLeader = cluster.members.slice(1);
    const failed = cluster.members.map((member) => ({ ...member, state: "start failed" }));
    for (const members of [noLeader, failed])
      assert.equal(isWell({ ...well, clusters: [{ ...cluster, members }] }), false);
  });

  test("as a tree, without colours where nobody sees them", () => {
    assert.equal(
      tree({ ...well, hosts: { ...well.hosts, psql3: "timed out" } }, false),
      [
        "192.168.1.200 on proxy1",
        "├─ proxy1  holds it",
        "└─ proxy2",
        "workspad-cluster",
        "├─ psql1  leader  running",
        "└─ psql2  replica  streaming  lag 3 MiB",
        "hosts 3 of 4 answer",
        "└─ psql3  timed out",
        "",
      ].join("\n"),
    );
    const split = tree({ ...well, virtualIps: [{ address: "a", hosts: [], holders: ["x", "y"] }] }, true);
    assert.ok(split.includes("\u001b[31mon 2 hosts at once"), split);
  });
});
