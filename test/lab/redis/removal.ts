import assert from "node:assert/strict";
import { formsOf, secretsOf } from "../support/secrets";
import type { RedisSuite } from "./test-redis";

/** What stays on the hosts when the stack is gone. */
export function removal({ foundation, promise, cluster }: RedisSuite): void {
  foundation("`destroy` leaves the data on the hosts, nothing that runs, and no secret", async () => {
    const { hosts, stack } = cluster;
    const secrets = (await secretsOf(stack)).flatMap(({ value }) => formsOf(value)).join("\n");
    const search =
      "LC_ALL=C grep -rlsaF -D skip -f - /etc /usr/local /var/lib /var/tmp /run/redis /tmp /root /home || true";
    for (const found of Object.values(await hosts.all(search, secrets))) {
      assert.match(found, /^\/var\/lib\/redis\/sentinel\/sentinel.conf$/m, "found as long as they are there");
    }
    await stack.succeeds(stack.destroy());
    const nowhere = Object.fromEntries(hosts.names.map((name) => [name, ""]));
    assert.deepEqual(await hosts.all(search, secrets), nowhere);
    assert.deepEqual(await hosts.all("pgrep -a 'redis|haproxy|keepalived' || true"), nowhere);
    assert.deepEqual(await hosts.all("nft list tables | grep hastack || true"), nowhere);
    for (const found of Object.values(await hosts.all("ls /var/lib/redis/appendonlydir")))
      assert.match(found, /manifest/);
  });

  promise("`up` finds the data again", async () => {
    await cluster.up();
    await cluster.whole();
    assert.equal((await cluster.ask([["GET", "kept"]]))[0]?.reply, "yes");
  });
}
