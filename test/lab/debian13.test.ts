import assert from "node:assert/strict";
import { copyFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { type Result, secondsSince } from "./support/process";
import { repository, TestLab } from "./support/test-lab";

/** The same stack on Debian 13: PostgreSQL 17, Patroni 4, etcd 3.5. */
describe("on Debian 13", () => {
  const lab = new TestLab();
  const settings = join(lab.state, "Pulumi.dev13.yaml");

  const pulumi = (command: string, ...flags: string[]): Promise<Result> =>
    lab.exec(
      [
        "pulumi",
        "--cwd",
        repository,
        command,
        "--stack",
        "dev13",
        "--config-file",
        settings,
        "--non-interactive",
        ...flags,
      ],
      { seconds: 400 },
    );
  const on = (host: string, script: string): Promise<string> => lab.lab(["ssh", host, script]);

  before(
    async () => {
      await lab.start("dev13");
      copyFileSync(join(repository, "Pulumi.dev13.yaml"), settings);
      const init = await lab.exec(["pulumi", "--cwd", repository, "stack", "init", "dev13", "--non-interactive"]);
      assert.equal(init.code, 0, init.stderr);
    },
    { timeout: 900_000 },
  );
  after(() => lab.stop());

  test("`up` on fresh hosts makes a leader and two streaming replicas", { timeout: 480_000 }, async (t) => {
    const started = performance.now();
    const up = await pulumi("up", "--yes", "--skip-preview", "--suppress-progress");
    assert.equal(up.code, 0, up.stdout + up.stderr);
    t.diagnostic(`up on fresh hosts: ${secondsSince(started)} s`);
    const members = (await on("psql1", "/usr/local/lib/hastack/patroni/rest.py cluster")).trim().split("\n");
    assert.deepEqual(members.map((line) => line.split(" ").slice(1, 3).join(" ")).sort(), [
      "leader running",
      "replica streaming",
      "replica streaming",
    ]);
  });

  test("PostgreSQL is the version that Debian 13 packages", async () => {
    assert.match(await on("psql2", "cd /; runuser -u postgres -- psql -Atc 'SHOW server_version'"), /^17\./);
  });

  test("a second preview changes nothing", { timeout: 120_000 }, async () => {
    const preview = await pulumi("preview", "--expect-no-changes");
    assert.equal(preview.code, 0, preview.stdout + preview.stderr);
  });

  test("a switchover of the leader is followed by all members", { timeout: 120_000 }, async () => {
    await on("psql1", "patronictl -c /etc/patroni/config.yml switchover --force workspad-cluster");
    const deadline = Date.now() + 60_000;
    let members = "";
    do {
      members = await on("psql1", "/usr/local/lib/hastack/patroni/rest.py cluster");
      if (/leader running 2/.test(members) && members.match(/replica streaming 2/g)?.length === 2) return;
      await new Promise((resolve) => setTimeout(resolve, 500));
    } while (Date.now() < deadline);
    assert.fail(`not all members follow on the second timeline:\n${members}`);
  });
});
