import assert from "node:assert/strict";
import { secondsSince } from "../support/process";
import { answer } from "../support/psql";
import { pulumi } from "./engine";
import type { ChangesSuite } from "./suite";

const services = ["etcd", "patroni"];
const data = ["/var/lib/postgresql/15/main/PG_VERSION", "/var/lib/etcd/etcd/member/snap/db"];
const ours = [
  "/etc/patroni/config.yml",
  "/etc/patroni/tls/server.key",
  "/etc/default/etcd",
  "/etc/etcd/tls/server.key",
  "/etc/systemd/system/etcd.service.d/hastack.conf",
  "/etc/systemd/system/patroni.service.d/hastack.conf",
  "/usr/local/lib/hastack/patroni/rest.py",
];

/** The end of a cluster, and its return. */
export function removal({ promise, cluster }: ChangesSuite): void {
  promise("`destroy` refuses while data is protected, and touches nothing", async () => {
    const { hosts, lab } = cluster;
    await cluster.change({ protect: true });
    const before = { runs: await hosts.invocations(...services), starts: await cluster.starts() };
    const { code, stdout, stderr } = await pulumi(lab, "destroy", "--yes", "--skip-preview", "--suppress-progress");
    assert.notEqual(code, 0);
    assert.match(stdout + stderr, /cannot be deleted\s+because it is protected/);
    assert.deepEqual({ runs: await hosts.invocations(...services), starts: await cluster.starts() }, before);
    await cluster.clean();
  });

  promise("with the protection lifted `destroy` leaves no service and no file of ours, and all data", async (t) => {
    const { hosts, lab } = cluster;
    const login = { ...cluster.login("workspad"), options: "target_session_attrs=read-write" };
    await answer(lab, login, "DROP TABLE IF EXISTS survivors; CREATE TABLE survivors AS SELECT 4711 AS n");
    await cluster.change({ protect: false });
    for (const [host, found] of Object.entries(await hosts.all(present([...ours, ...data])))) {
      assert.deepEqual(found.trim().split("\n"), [...ours, ...data], host);
    }
    const began = performance.now();
    const { code, stdout, stderr } = await pulumi(lab, "destroy", "--yes", "--skip-preview", "--suppress-progress");
    assert.equal(code, 0, stdout + stderr);
    t.diagnostic(`destroy: ${secondsSince(began)} s`);

    for (const host of hosts.names) {
      const state = await hosts.sh(
        host,
        `systemctl is-active ${services.join(" ")}; systemctl is-enabled ${services.join(" ")}; true`,
      );
      assert.doesNotMatch(state, /^(active|activating|enabled)$/m, host);
      assert.equal(await hosts.sh(host, "pgrep -x 'etcd|patroni|postgres' || true"), "", host);
      assert.deepEqual((await hosts.sh(host, present([...ours, ...data]))).trim().split("\n"), data, host);
      assert.equal(await hosts.sh(host, "ls /var/lib/hastack/units"), "agent\n", "the program itself stays");
    }
  });

  promise("`up` after `destroy` adopts the data", async (t) => {
    const began = performance.now();
    await cluster.up();
    t.diagnostic(`up: ${secondsSince(began)} s`);
    await cluster.whole(90);
    await cluster.quorum();
    const login = { ...cluster.login("workspad"), options: "target_session_attrs=read-write" };
    assert.equal(await answer(cluster.lab, login, "SELECT n FROM survivors"), "4711");
    await cluster.clean();
  });
}

/** Prints those of the files that are there. */
function present(files: readonly string[]): string {
  return `for file in ${files.join(" ")}; do if [ -e $file ]; then echo $file; fi; done`;
}
