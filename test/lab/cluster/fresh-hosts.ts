import assert from "node:assert/strict";
import type { Suite } from "../support/suite";

const directory = "/var/lib/postgresql/15/main";
const fingerprint = "tar --sort=name --numeric-owner -C /var/lib/postgresql -c . | sha256sum";

/** What happens on hosts that were never touched before the first `up` succeeds. */
export function freshHosts({ promise, cluster }: Suite): void {
  promise("a data directory that is already there is refused and left bit for bit as it is", async (t) => {
    if (!cluster.fresh) return t.skip("the hosts of this lab are in use already");
    const { stack, hosts } = cluster;
    const plant = [
      `install -d -m 700 ${directory}/base`,
      `echo 15 >${directory}/PG_VERSION`,
      `head -c 100000 /dev/urandom >${directory}/base/1259`,
      fingerprint,
    ];
    const before = await hosts.all(plant.join(" && "));

    const printed = await stack.fails(stack.up());

    for (const host of hosts.names)
      assert.match(printed, new RegExp(`command:remote:Command \\(workspad-${host}-install\\)`));
    assert.match(
      printed,
      /\/var\/lib\/postgresql\/15\/main holds a database that is not of the cluster workspad-cluster/,
    );
    assert.match(printed, /Move it away, or give this host to the cluster that it belongs to/);
    assert.deepEqual(await hosts.all(fingerprint), before);
    const installed = await hosts.all(
      "dpkg-query --show --showformat '${Package} ' postgresql-15 patroni 2>/dev/null || true",
    );
    assert.deepEqual(new Set(Object.values(installed)), new Set([""]));

    // What comes after is to begin on fresh hosts.
    await Promise.all(hosts.names.map((host) => cluster.lab.lab(["rebuild", host])));
    await stack.forget();
    await stack.init();
  });
}
