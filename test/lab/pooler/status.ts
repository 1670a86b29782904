import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Group, Status } from "../../../components/cli/status";
import { eventually } from "../support/process";
import type { PoolerSuite } from "./suite";

/** `hastack status` tells what there is, and what is not well. */
export function status({ promise, cluster }: PoolerSuite): void {
  promise("`hastack status` knows leader, lag, holders and drift, and a service that is down", async () => {
    const { lab, proxies } = cluster;
    const file = join(lab.state, "status.html");
    const ask = async (): Promise<Status & { well: boolean; code: number }> => {
      const command = ["node", "--import", "tsx", "components/cli/main.ts", "status", "--json", "--html", file];
      const { code, stdout } = await lab.exec([...command, "--stack", "postgres"]);
      return { ...(JSON.parse(stdout) as Status & { well: boolean }), code };
    };
    const group = ({ groups }: Status, kind: Group["kind"]) => {
      const found = groups.find((one) => one.kind === kind);
      assert.ok(found, kind);
      return found;
    };

    const before = await eventually("all is well", 30, async () => {
      const found = await ask();
      return found.code === 0 ? found : undefined;
    });
    assert.ok(before.well);
    const leader = group(before, "database").members.find(({ role }) => role === "leader");
    assert.equal(leader?.name, await cluster.hosts.leader());
    for (const member of group(before, "database").members) {
      assert.equal(/^\d+ MiB$/.test(member.lag ?? ""), member !== leader, `${member.name}: lag ${member.lag}`);
    }
    assert.equal(group(before, "etcd").members.filter(({ role }) => role === "leader").length, 1);
    assert.deepEqual(group(before, "pooler").holders, [await cluster.holder()]);
    assert.match(readFileSync(file, "utf8"), /<title>well: postgres<\/title>/);

    const spare = await cluster.spare();
    await proxies.sh(spare, "systemctl stop haproxy");
    try {
      const after = await ask();
      assert.equal(after.code, 1);
      const member = group(after, "pooler").members.find(({ name }) => name === spare);
      assert.deepEqual({ state: member?.state, well: member?.well }, { state: "haproxy inactive", well: false });
      assert.match(after.drift[spare]?.join() ?? "", /pooler: haproxy\.service inactive/);
      assert.match(readFileSync(file, "utf8"), new RegExp(`${spare}</th><td><span class="mark fail">`));
    } finally {
      await proxies.sh(spare, "systemctl start haproxy");
      await cluster.spare();
    }
  });
}
