import assert from "node:assert/strict";
import { changesIn, driftIn } from "../support/stack";
import type { Suite } from "../support/suite";

/** What somebody changes by hand is seen, named, and put right. */
export function drift({ promise, cluster }: Suite): void {
  promise(
    "drift on a host, in the database and in etcd fails the drift run, which names it; `up` heals just that",
    async () => {
      const { stack, hosts } = cluster;
      const leader = await cluster.whole();
      const [one = "", other = ""] = await hosts.replicas();
      const file = "/etc/patroni/config.yml";
      await hosts.sh(one, `echo '# by hand' >>${file}`);
      await hosts.sh(other, "systemctl stop etcd");
      await hosts.superuser(leader, "ALTER ROLE workspad CREATEDB CONNECTION LIMIT 3");
      await hosts.sh(leader, `patronictl -c ${file} edit-config --force --set maximum_lag_on_failover=99`);

      const seen = driftIn(await stack.fails(stack.preview("--diff", "--expect-no-changes")));
      assert.equal(seen[`workspad-${one}`], `${file} content`);
      assert.equal(seen[`etcd-${other}`], "etcd.service inactive");
      for (const host of hosts.names) {
        assert.match(seen[`etcd-${host}-ready`] ?? "", /^all 3 members of etcd are healthy: /);
        // Each looks into its own copy of the database.
        assert.equal(seen[`workspad-${host}-cluster`], "roles and databases: role workspad: other attributes");
      }
      const dynamic = "dynamic configuration: maximum_lag_on_failover is 99, want 1048576";
      assert.equal(seen["workspad-psql1-dynamic"], dynamic);
      assert.equal(Object.keys(seen).length, 3 + 2 * hosts.names.length, Object.keys(seen).join(", "));

      const before = await hosts.invocations("etcd", "patroni");
      const healed = changesIn(await stack.succeeds(stack.up()));
      assert.deepEqual(
        healed,
        Object.keys(seen)
          .sort()
          .map((name) => ({ op: "update", name })),
      );
      const { [`${other} etcd`]: restarted, ...untouched } = await hosts.invocations("etcd", "patroni");
      const { [`${other} etcd`]: stopped, ...same } = before;
      assert.notEqual(restarted, stopped);
      assert.deepEqual(untouched, same, "nothing else was restarted");

      assert.equal(await hosts.sh(one, `grep -c 'by hand' ${file} || true`), "0\n");
      assert.equal(
        await hosts.superuser(leader, "SELECT rolcreatedb, rolconnlimit FROM pg_roles WHERE rolname = 'workspad'"),
        "f|-1",
      );
      assert.match((await hosts.patroni(leader, "/config")).body, /"maximum_lag_on_failover": 1048576/);
    },
  );

  promise("when it is healed a preview is clean", async () => {
    await cluster.stack.succeeds(cluster.stack.preview("--expect-no-changes"));
  });
}
