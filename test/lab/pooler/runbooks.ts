import assert from "node:assert/strict";
import { blocksIn } from "../../unit/docs/blocks";
import { eventually } from "../support/process";
import { answer } from "../support/psql";
import type { PoolerSuite } from "./suite";

/** The command of docs/operations.md under a heading, as it stands there. */
function command(heading: string, beginning: string): string {
  const found = blocksIn("docs/operations.md").filter(
    (block) => block.heading === heading && block.text.startsWith(beginning),
  );
  assert.equal(found.length, 1, `docs/operations.md, ${heading}: ${beginning}`);
  return found[0]?.text ?? "";
}

/** What docs/operations.md tells to type does what it says. */
export function runbooks({ promise, cluster }: PoolerSuite): void {
  promise("runbook: a dump is taken on a replica, and puts back what was dropped", async () => {
    const { lab, hosts } = cluster;
    const leader = await cluster.whole();
    const [replica = ""] = await hosts.replicas();
    const login = cluster.through();
    const content = "SELECT count(*), md5(string_agg(h, '' ORDER BY n)) FROM dumped";
    await answer(lab, login, "CREATE TABLE dumped AS SELECT n, md5(n::text) AS h FROM generate_series(1, 5000) n");
    const before = await answer(lab, login, content);
    await eventually("the replica has it", 20, async () => {
      return (await hosts.superuser(replica, "SELECT count(*) FROM dumped", "workspad")) === "5000" || undefined;
    });

    await hosts.sh(replica, command("Back up, and restore", "runuser -u postgres -- pg_dump"));
    await answer(lab, login, "DELETE FROM dumped WHERE n % 2 = 0; CREATE TABLE later (n int)");
    const file = "/var/lib/postgresql/workspad.dump";
    const dump = await hosts.sh(replica, `base64 ${file}; rm ${file}`);
    await hosts.sh(leader, `base64 --decode >${file} && chmod 644 ${file}`, dump);
    await hosts.sh(leader, command("Back up, and restore", "runuser -u postgres -- pg_restore"));
    assert.equal(await answer(lab, login, content), before);
    await answer(lab, login, "DROP TABLE dumped, later");
    await hosts.sh(leader, `rm ${file}`);
    await cluster.clean();
  });

  promise("runbook: the leader hands over, and so does the host with the address", async () => {
    const leader = await cluster.whole();
    await cluster.hosts.sh(leader, command("Failover and switchover", "patronictl"));
    await eventually("another member leads", 30, async () => (await cluster.hosts.leader()) !== leader || undefined);
    await cluster.whole();
    await cluster.spare();
    const holder = await cluster.holder();
    try {
      await cluster.proxies.sh(holder, command("Failover and switchover", "systemctl stop keepalived"));
      await eventually(
        "the other host has the address",
        20,
        async () => (await cluster.holder()) !== holder || undefined,
      );
    } finally {
      await cluster.proxies.sh(holder, "systemctl start keepalived");
      await cluster.spare();
    }
  });
}
