import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { exitCodeOf, type HostDrift } from "../../components/cli/drift";
import { reports } from "../../components/cli/drift-report";
import { isWell, type Status } from "../../components/cli/status";
import { tree } from "../../components/cli/status-tree";

const clean: HostDrift = { host: "psql2", units: {} };
const drifted: HostDrift = {
  host: "psql1",
  units: { etcd: ['/etc/default/etcd content: "a|b"', "etcd.service inactive"] },
};
const silent: HostDrift = { host: "psql3", unreachable: "192.168.1.132: timed out", units: {} };

function report(form: string, hosts: readonly HostDrift[]): string {
  const render = reports[form];
  assert.ok(render, form);
  return render(hosts);
}

describe("the drift report", () => {
  test("its exit code tells clean, drifted and unknown apart", () => {
    assert.equal(exitCodeOf([clean]), 0);
    assert.equal(exitCodeOf([clean, drifted]), 7);
    assert.equal(exitCodeOf([drifted, silent]), 1, "what is not known may be worse than what is");
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
    const rows = report("markdown", [drifted, silent]).trim().split("\n");
    assert.equal(rows.length, 5);
    for (const row of rows) assert.equal(row.replaceAll("\\|", "").split("|").length, 5, row);
  });

  test("as JSON: the values themselves", () => {
    assert.deepEqual(JSON.parse(report("json", [drifted, silent])), [drifted, silent]);
  });

  test("for Prometheus: one sample a unit, quoted by its rules", () => {
    const samples = report("prometheus", [drifted, silent])
      .split("\n")
      .filter((line) => !line.startsWith("#"));
    assert.deepEqual(samples, [
      'hastack_host_up{host="psql1"} 1',
      'hastack_host_up{host="psql3"} 0',
      'hastack_drift{host="psql1",unit="etcd"} 2',
      "",
    ]);
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
