import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import type { Review } from "../../../components/cli/review";
import { waitsForRestart } from "../../../components/postgres-patroni-cluster/restarting";
import type { Settings } from "../support/stack";
import type { Suite } from "../support/suite";
import { repository } from "../support/test-lab";

/** What a reviewer is told of a change is what it does. */
export function review({ promise, cluster }: Suite): void {
  /** By the command that people run; what it prints is searched for secrets like all else (secrecy.ts). */
  const reviewed = (preview: string, form: string): string => {
    const command = ["--import", "tsx", join(repository, "components/cli/main.ts"), "review", "--format", form];
    const { status, stdout, stderr } = spawnSync("node", command, {
      input: preview,
      encoding: "utf8",
      cwd: repository,
    });
    assert.equal(status, 0, stderr);
    cluster.stack.transcript.push([`hastack review --format ${form}`, stdout]);
    return stdout;
  };

  /** What the preview says to whoever reads it, and what `hastack review` makes of it. */
  const previewed = async (settings: Settings): Promise<{ shown: string; review: Review; markdown: string }> => {
    const { stack } = cluster;
    const restore = stack.configure(settings);
    try {
      const shown = await stack.succeeds(stack.preview("--diff"));
      const { stdout } = await stack.preview("--json");
      return { shown, review: JSON.parse(reviewed(stdout, "json")) as Review, markdown: reviewed(stdout, "markdown") };
    } finally {
      restore();
    }
  };

  promise("a preview announces the restarts and reloads of a change, and `up` makes just these", async () => {
    const { stack, hosts } = cluster;
    const members = hosts.names;
    const change = {
      "hastack:etcd": { quotaMiB: 1024 },
      "hastack:postgres": { parameters: { log_lock_waits: false } },
    };
    const { shown, review: found, markdown } = await previewed(change);
    const rolling = "one member at a time, each while all others are healthy";
    for (const host of members) {
      assert.ok(shown.includes(`restarts etcd on ${host}: ${rolling}\n`), shown);
      assert.ok(shown.includes(`reloads patroni on ${host}\n`), shown);
    }
    assert.doesNotMatch(shown, /restarts PostgreSQL/);
    assert.equal(found.risk, "rolling restart");
    assert.deepEqual(
      found.effects
        .map(({ action, service, hosts: on }) => `${action} ${service} on ${[...on].sort().join(", ")}`)
        .sort(),
      ["reloads PostgreSQL", "reloads patroni", "restarts etcd"].map((what) => `${what} on ${members.join(", ")}`),
    );
    assert.match(markdown, /^<!-- hastack-review: hastack\/postgres -->\n/);
    assert.match(markdown, /^-ETCD_QUOTA_BACKEND_BYTES="2147483648"\n\+ETCD_QUOTA_BACKEND_BYTES="1073741824"$/m);
    assert.equal(markdown.match(/<summary>/g)?.length, new Set(found.changes).size, "each change stands once");

    const running = async () => ({
      ...(await hosts.invocations("etcd", "patroni")),
      ...(await hosts.all("head -1 /var/lib/postgresql/15/main/postmaster.pid")),
    });
    const before = await running();
    const restore = stack.configure(change);
    await cluster.up();
    const after = await running();
    assert.deepEqual(
      Object.keys(after).filter((process) => after[process] !== before[process]),
      members.map((host) => `${host} etcd`),
    );
    restore();
    await cluster.up();
  });

  promise("a parameter that PostgreSQL reads at its start is announced as a restart with a switchover", async () => {
    const members = cluster.hosts.names.join(", ");
    const { shown, review: found } = await previewed({ "hastack:postgres": { parameters: { max_connections: 300 } } });
    assert.match(shown, new RegExp(`restarts PostgreSQL on ${members}: replicas first`));
    assert.equal(found.risk, "failover");
  });

  promise("the list of parameters that wait for a restart is PostgreSQL's own", async () => {
    const query = "SELECT name, context = 'postmaster' FROM pg_settings WHERE name !~ '[.]' AND context <> 'internal'";
    const rows = (await cluster.hosts.superuser(await cluster.hosts.leader(), query)).split("\n");
    assert.ok(rows.length > 200, String(rows.length));
    const wrong = rows.filter((row) => {
      const [name = "", waits] = row.split("|");
      return waitsForRestart(name) !== (waits === "t" ? "yes" : "no");
    });
    assert.deepEqual(wrong, []);
  });

  promise("a review names what has drifted", async () => {
    const { hosts, stack } = cluster;
    await hosts.sh("psql3", "systemctl stop etcd");
    const { stdout } = await stack.preview("--json");
    await hosts.sh("psql3", "systemctl start etcd");
    await cluster.whole();
    const { drift, risk } = JSON.parse(reviewed(stdout, "json")) as Review;
    assert.deepEqual(
      drift.find(({ role }) => role === "etcd"),
      {
        host: "psql3",
        role: "etcd",
        reasons: ["etcd.service inactive"],
      },
    );
    assert.equal(risk, "none");
  });
}
