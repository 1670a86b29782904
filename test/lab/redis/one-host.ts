import assert from "node:assert/strict";
import { eventually } from "../support/process";
import type { RedisSuite } from "./test-redis";

/** The other shape: one host, here for a client that cannot speak TLS. */
export function oneHost({ promise, cluster }: RedisSuite): void {
  const password = 'any "text" will do: пароль #1';

  promise(
    "one host without TLS, with a given password; a crash is over by itself, and nothing acknowledged is lost",
    async () => {
      const { stack, hosts } = cluster;
      stack.configure({
        "hastack:hosts": {
          redis1: undefined,
          redis2: undefined,
          redis3: undefined,
          stranger: { address: "192.168.1.155" },
        },
        "hastack:redis": { virtualIp: undefined, tls: false, password, settings: { databases: 4 } },
      });
      await cluster.up();
      assert.equal(cluster.endpoint.url, `redis://:${encodeURIComponent(password)}@192.168.1.155:6379`);
      const order = cluster.order({ server: { host: "192.168.1.155", port: 6379 }, password });
      const [set, flush] = await cluster.ask([["SET", "kept", "yes"], ["FLUSHALL"]], order);
      assert.equal(set?.reply, "OK");
      assert.match(flush?.error ?? "", /^NOPERM/);
      assert.match(
        (await cluster.ask([["PING"]], { ...order, password: "not the password" }))[0]?.error ?? "",
        /^WRONGPASS/,
      );

      await hosts.sh("stranger", "systemctl kill --signal=SIGKILL redis-server");
      await eventually("it serves again, with its data", 20, async () =>
        (await cluster.ask([["GET", "kept"]], order))[0]?.reply === "yes" ? true : undefined,
      );
      await cluster.clean();
    },
  );

  promise(
    "a setting that needs a restart is in force after the next `up`, a loaded one without a restart",
    async () => {
      const { stack, hosts } = cluster;
      const run = () => hosts.sh("stranger", "systemctl show --property=InvocationID --value redis-server");
      const first = await run();
      stack.configure({ "hastack:redis": { settings: { "notify-keyspace-events": "xE" } } });
      await cluster.up();
      assert.equal(await cluster.sh("stranger", "redis CONFIG GET notify-keyspace-events | tail -n 1"), "xE");
      assert.equal(await run(), first);
      stack.configure({ "hastack:redis": { settings: { databases: 5 } } });
      await cluster.up();
      assert.equal(await cluster.sh("stranger", "redis CONFIG GET databases | tail -n 1"), "5");
      assert.notEqual(await run(), first);
    },
  );
}
