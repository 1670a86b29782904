import assert from "node:assert/strict";
import { changesIn, driftIn } from "../support/stack";
import type { RedisSuite } from "./test-redis";

/** What somebody changes by hand is seen, named, and put right. */
export function drift({ promise, cluster }: RedisSuite): void {
  promise(
    "a file, a setting, a user and Sentinel, changed by hand, are named by the drift run; `up` heals just that",
    async () => {
      const { hosts, stack } = cluster;
      const master = await cluster.whole();
      const [one = "", other = ""] = await cluster.replicas();
      const file = "/etc/hastack/redis/loadable.conf";
      await hosts.sh(one, `echo 'hz 20' >>${file}`);
      await cluster.sh(master, "redis CONFIG SET maxmemory 1gb appendfsync no >/dev/null");
      await cluster.sh(
        master,
        "redis ACL SETUSER default +flushall >/dev/null; redis ACL SETUSER guest on nopass +@all >/dev/null",
      );
      await cluster.sh(other, "sentinel SENTINEL SET cache down-after-milliseconds 60000 >/dev/null");

      const seen = driftIn(await stack.fails(stack.preview("--diff", "--expect-no-changes")));
      assert.deepEqual(seen, {
        [`cache-${one}`]: `${file} content; settings of Redis: hz is not 20`,
        [`cache-${master}`]:
          "users of Redis: other users or rights; settings of Redis: maxmemory is not 209715200, appendfsync is not everysec",
        [`cache-${other}`]: "Sentinel watches as configured: down-after-milliseconds is not 2000",
      });

      const before = await hosts.invocations("redis-server", "redis-sentinel");
      const healed = changesIn(await stack.succeeds(stack.up()));
      assert.deepEqual(healed.map(({ name }) => name).sort(), Object.keys(seen).sort());
      assert.deepEqual(await hosts.invocations("redis-server", "redis-sentinel"), before, "nothing was restarted");
      assert.match((await cluster.ask([["FLUSHALL"]]))[0]?.error ?? "", /^NOPERM/);
      assert.match((await cluster.ask([["PING"]], { user: "guest", password: "any" }))[0]?.error ?? "", /^WRONGPASS/);
      assert.equal(
        await cluster.sh(other, "sentinel SENTINEL MASTER cache | sed -n '/^down-after-milliseconds$/{n;p}'"),
        "2000",
      );
      await cluster.clean();
    },
  );
}
