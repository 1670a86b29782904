import assert from "node:assert/strict";
import { join } from "node:path";
import { eventually } from "../support/process";
import { changesIn, driftIn } from "../support/stack";
import { repository } from "../support/test-lab";
import { type PoolerCluster, virtualIp } from "./cluster";
import type { PoolerSuite } from "./suite";

/** The command `hastack drift`, in the lab. */
function hastackDrift({ lab }: PoolerCluster) {
  const program = ["node", "--import", "tsx", join(repository, "components/cli/main.ts")];
  return lab.exec(["env", `--chdir=${repository}`, ...program, "drift", "--stack", "postgres"], { seconds: 120 });
}

/** What somebody changes by hand is seen, named, and put right. */
export function drift({ promise, cluster }: PoolerSuite): void {
  promise("drift of what holds the address is named by the drift run, and `up` heals just that", async () => {
    const { stack, proxies } = cluster;
    const spare = await cluster.spare();
    const holder = await cluster.holder();
    const before = await proxies.invocations("pgbouncer", "haproxy");
    await proxies.sh(spare, "systemctl stop keepalived");
    await proxies.sh(spare, "echo '# by hand' >>/etc/haproxy/hastack/pooler.cfg");
    await proxies.sh(spare, "nft flush table inet hastack_pooler");
    await proxies.sh(
      holder,
      `sed -i 's/^"pgbouncer_admin" .*/"pgbouncer_admin" "guessed"/' /etc/pgbouncer/userlist.txt`,
    );
    await proxies.sh(holder, "nft add rule inet hastack_pooler input tcp dport 5000 accept");

    const seen = driftIn(await stack.fails(stack.preview("--diff", "--expect-no-changes")));
    assert.deepEqual(seen, {
      [`db-${spare}`]: "/etc/haproxy/hastack/pooler.cfg content; keepalived.service inactive",
      [`db-${spare}-firewall`]: "firewall rules are loaded: other rules are loaded than those of the file",
      [`db-${holder}`]: "/etc/pgbouncer/userlist.txt content",
      [`db-${holder}-firewall`]: "firewall rules are loaded: other rules are loaded than those of the file",
    });
    const healed = changesIn(await stack.succeeds(stack.up()));
    assert.deepEqual(
      healed,
      Object.keys(seen)
        .sort()
        .map((name) => ({ op: "update", name })),
    );
    assert.deepEqual(await proxies.invocations("pgbouncer", "haproxy"), before, "nothing was restarted");
    assert.equal(await cluster.holder(), holder);
    await cluster.spare();
    await cluster.clean();
  });

  promise("an address on a host where keepalived has not put it is named, and taken away there", async () => {
    const { stack, proxies } = cluster;
    const spare = await cluster.spare();
    const holder = await cluster.holder();
    const before = await proxies.invocations("keepalived");
    await proxies.sh(spare, `ip address add ${virtualIp}/24 dev eth0`);
    assert.deepEqual((await cluster.holders()).sort(), proxies.names);

    const reported = await hastackDrift(cluster);
    assert.equal(reported.code, 7, reported.stderr);
    const both = `${virtualIp} is on ${proxies.names.join(" and ")} at once`;
    for (const host of proxies.names)
      assert.match(reported.stdout, new RegExp(`^${host}  virtual address  ${both}$`, "m"));
    const seen = driftIn(await stack.fails(stack.preview("--diff", "--expect-no-changes")));
    assert.deepEqual(seen, {
      [`db-${spare}`]: `one host holds the address: ${virtualIp} is here, and keepalived has not put it here`,
    });
    await cluster.up();
    assert.equal(await cluster.holder(), holder);
    assert.deepEqual(await proxies.invocations("keepalived"), before, "nothing was restarted");
    await cluster.spare();
    await cluster.clean();
  });

  promise("an address that nobody holds is named on each of its hosts", async () => {
    const { stack, proxies } = cluster;
    await cluster.spare();
    await proxies.all("systemctl stop keepalived");
    const seen = driftIn(await stack.fails(stack.preview("--diff", "--expect-no-changes")));
    const reason = `keepalived.service inactive; one host holds the address: nobody holds ${virtualIp}`;
    assert.deepEqual(seen, Object.fromEntries(proxies.names.map((host) => [`db-${host}`, reason])));
    assert.match((await hastackDrift(cluster)).stdout, new RegExp(`virtual address  nobody holds ${virtualIp}$`, "m"));
    await cluster.up();
    await cluster.spare();
    await cluster.clean();
  });

  promise(
    "a restart that is due does not wait for a host whose keepalived is to be mended in the same run",
    async () => {
      const { proxies } = cluster;
      const [first = ""] = proxies.names;
      if ((await cluster.holder()) !== first) {
        await proxies.sh(await cluster.holder(), "systemctl restart keepalived");
        await eventually(`${first} has the address`, 20, async () => (await cluster.holder()) === first || undefined);
      }
      await proxies.sh(await cluster.spare(), "systemctl stop keepalived");
      await cluster.change({ maxClientConnections: 20000 });
      await cluster.spare();
      await cluster.change({ maxClientConnections: undefined });
      await cluster.clean();
    },
  );

  promise("a host that was left standing aside takes part again", async () => {
    const { stack, proxies } = cluster;
    const spare = await cluster.spare();
    await proxies.sh(spare, "mkdir -p /run/hastack-vip && touch /run/hastack-vip/pooler.aside");
    const seen = driftIn(await stack.fails(stack.preview("--diff", "--expect-no-changes")));
    assert.deepEqual(seen, { [`db-${spare}`]: "takes part in holding the address: it stands aside" });
    await cluster.up();
    assert.equal(await cluster.spare(), spare);
    await cluster.clean();
  });
}
