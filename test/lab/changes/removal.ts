import assert from "node:assert/strict";
import { secondsSince } from "../support/process";
import { answer } from "../support/psql";
import { etcdctl } from "./cluster";
import type { ChangesSuite } from "./suite";

const services = ["etcd", "patroni"];
const etcdData = "/var/lib/etcd/etcd/member/snap/db";
const data = ["/var/lib/postgresql/15/main/PG_VERSION", etcdData];
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
    const { hosts, stack } = cluster;
    await cluster.change({ protect: true });
    const before = { runs: await hosts.invocations(...services), starts: await cluster.starts() };
    assert.match(await stack.fails(stack.destroy()), /cannot be deleted\s+because it is protected/);
    const restore = stack.configure({ "hastack:postgres": { purge: true } });
    assert.match(await stack.fails(stack.up()), /PostgresPatroniCluster workspad: purge: true: .* lift the protection/);
    restore();
    assert.deepEqual({ runs: await hosts.invocations(...services), starts: await cluster.starts() }, before);
    await cluster.clean();
  });

  promise("with the protection lifted `destroy` leaves no service and no file of ours, and all data", async (t) => {
    const { hosts, lab, stack } = cluster;
    const login = { ...cluster.login("workspad"), options: "target_session_attrs=read-write" };
    await answer(lab, login, "DROP TABLE IF EXISTS survivors; CREATE TABLE survivors AS SELECT 4711 AS n");
    await cluster.change({ protect: false });
    for (const [host, found] of Object.entries(await hosts.all(present([...ours, ...data])))) {
      assert.deepEqual(found.trim().split("\n"), [...ours, ...data], host);
    }
    const began = performance.now();
    await stack.succeeds(stack.destroy());
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

/** Removal with all data, which has to be asked for. */
export function purge({ promise, cluster }: ChangesSuite): void {
  promise("`purge: true` removes the databases; the next `up` makes new ones in the quorum that is there", async () => {
    const { hosts, stack } = cluster;
    await cluster.change({ purge: true });
    await cluster.whole();
    const identity = await systemIdentifier(cluster);
    await stack.succeeds(stack.destroy());
    for (const [host, found] of Object.entries(await hosts.all(present(data)))) {
      assert.equal(found.trim(), etcdData, host);
    }

    await cluster.up();
    await cluster.whole();
    assert.notEqual(await systemIdentifier(cluster), identity);
    assert.equal(await hosts.superuser(await hosts.leader(), "SELECT to_regclass('survivors')", "workspad"), "");
    await cluster.clean();
  });

  promise("purged as a whole, nothing is left, and the next `up` founds a new quorum", async () => {
    const { hosts, stack } = cluster;
    stack.configure({ "hastack:etcd": { purge: true } });
    await cluster.up();
    const [first = ""] = hosts.names;
    await hosts.sh(first, etcdctl("put drill kept"));
    assert.match(await hosts.sh(first, etcdctl("get drill")), /kept/);
    await stack.succeeds(stack.destroy());
    for (const [host, found] of Object.entries(await hosts.all(present(data)))) assert.equal(found, "", host);

    await cluster.up();
    await cluster.whole();
    await cluster.quorum();
    assert.equal(await hosts.sh(first, etcdctl("get drill")), "");
    await cluster.clean();
  });
}

/** What PostgreSQL's initdb has given the cluster: the data is the same as long as it is. */
async function systemIdentifier({ hosts }: ChangesSuite["cluster"]): Promise<string> {
  return hosts.superuser(await hosts.leader(), "SELECT system_identifier FROM pg_control_system()");
}

/** Prints those of the files that are there. */
function present(files: readonly string[]): string {
  return `for file in ${files.join(" ")}; do if [ -e $file ]; then echo $file; fi; done`;
}
