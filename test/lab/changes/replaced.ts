import assert from "node:assert/strict";
import { eventually, secondsSince } from "../support/process";
import { answer } from "../support/psql";
import { etcdctl } from "./cluster";
import type { ChangesSuite } from "./suite";

/** Hosts that are lost with all that was on them. */
export function replaced({ promise, cluster }: ChangesSuite): void {
  promise(
    "the leader's host is replaced by an empty one: `up`, even before a new leader is there, takes it in",
    async (t) => {
      const { lab, hosts } = cluster;
      const leader = await cluster.whole();
      const login = cluster.login("workspad");
      const rows =
        "DROP TABLE IF EXISTS kept; CREATE TABLE kept AS SELECT n, md5(n::text) AS h FROM generate_series(1, 50000) n";
      await answer(lab, { ...login, host: leader }, rows);
      const content = "SELECT count(*), md5(string_agg(h, '' ORDER BY n)) FROM kept";
      const before = await cluster.everywhere(content, "workspad");
      const quorum = await cluster.quorum();

      await lab.lab(["rebuild", leader]);
      const began = performance.now();
      await cluster.up();
      t.diagnostic(`up: ${secondsSince(began)} s`);

      assert.notEqual(await cluster.whole(90), leader);
      const now = await cluster.quorum();
      for (const [id, name] of Object.entries(quorum)) {
        assert.equal(now[id], name === leader ? undefined : name, "only the lost member of etcd is another one");
      }
      assert.deepEqual(Object.values(now).sort(), [...hosts.names].sort());
      assert.deepEqual(await cluster.everywhere(content, "workspad"), before);
      await cluster.clean();
    },
  );

  promise(
    "a lost quorum of etcd is never healed by founding another one; when members come back `up` goes on",
    async (t) => {
      const { lab, hosts, stack } = cluster;
      const survivor = await cluster.whole();
      const [lost = "", away = ""] = await hosts.replicas();
      const before = await cluster.quorum();
      const id = Object.entries(before).find(([, name]) => name === survivor)?.[0];
      const files = () =>
        hosts.sh(survivor, "cd /var/lib/etcd && find etcd -name '*.db' -o -name db -o -name '*.wal' | sort");
      const data = await files();
      assert.notEqual(data, "");

      await lab.lab(["power-off", away]);
      try {
        await lab.lab(["rebuild", lost]);
        const began = performance.now();
        const printed = await stack.fails(stack.up());
        t.diagnostic(`up failed after ${secondsSince(began)} s`);
        assert.match(printed, new RegExp(`the quorum exists and does not answer, so ${lost} cannot join it`));
        assert.match(printed, new RegExp(`Host ${away} cannot be asked`));
        assert.equal(await files(), data, `etcd's data on ${survivor}`);
        const founded = await hosts.sh(lost, "ls /var/lib/etcd/etcd/member 2>/dev/null || true");
        assert.equal(founded, "", `${lost} founded nothing`);
      } finally {
        await lab.lab(["power-on", away]);
      }
      await eventually("etcd has a quorum again", 60, async () => {
        await hosts.sh(survivor, etcdctl("endpoint health"));
        return true;
      });
      await cluster.up();
      await cluster.whole(90);
      const after = await cluster.quorum();
      assert.equal(after[id ?? ""], survivor, "the survivor is the same member");
      assert.deepEqual(Object.values(after).sort(), [...hosts.names].sort());
      await cluster.clean();
    },
  );
}
