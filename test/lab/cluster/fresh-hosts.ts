import assert from "node:assert/strict";
import type { Suite } from "../support/suite";

/** Where the data is. */
export const directory = "/var/lib/postgresql/15/main";
/** Shell text that prints a digest of all there is, with owners, modes and times. */
export const fingerprint = "tar --sort=name --numeric-owner -C /var/lib/postgresql -c . | sha256sum";

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

    try {
      const printed = await stack.fails(stack.up());
      // When one host has refused, another one may not be tried any more.
      assert.match(printed, /command:remote:Command \(workspad-psql\d-install\)/);
      assert.match(printed, new RegExp(`${directory} holds a database that is not of the cluster workspad-cluster`));
      assert.match(printed, /Move it away, give this host to the cluster that it belongs to, or have that taken over/);
      assert.deepEqual(await hosts.all(fingerprint), before);
      for (const [host, packages] of Object.entries(await hosts.all("dpkg-query --list | awk '{ print $2 }'"))) {
        assert.doesNotMatch(packages, /^(postgresql-15|patroni)$/m, `${host} got packages all the same`);
      }
    } finally {
      // What comes after is to begin on fresh hosts.
      await Promise.all(hosts.names.map((host) => cluster.lab.lab(["rebuild", host])));
      await stack.forget();
      await stack.init();
    }
  });
}
