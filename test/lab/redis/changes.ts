import assert from "node:assert/strict";
import { eventually, pause } from "../support/process";
import type { RedisSuite } from "./test-redis";
import { Writer } from "./writer";

/** A running Redis is changed while clients write. */
export function changes({ promise, cluster }: RedisSuite): void {
  promise(
    "a setting that needs a restart: replicas first, the master last after it handed over; no write is lost",
    async (t) => {
      const master = await cluster.whole();
      const epoch = () => cluster.sh("redis1", "known_at 192.168.1.150 | cut -d ' ' -f 1");
      const started = (host: string) =>
        cluster.hosts
          .sh(host, "systemctl show --property=ActiveEnterTimestampMonotonic --value redis-server")
          .then(Number);
      const before = { epoch: Number(await epoch()), runs: await cluster.hosts.invocations("redis-server") };
      cluster.stack.configure({ "hastack:redis": { settings: { databases: 8 } } });
      const writer = new Writer(cluster, cluster.order());
      await writer.more(20, 30);
      await cluster.up();
      await writer.more(20, 30);
      const account = await writer.account();
      t.diagnostic(
        `${account.acknowledged} writes, longest gap ${account.longestGapSeconds.toFixed(1)} s; ${account.errors.join("; ")}`,
      );
      assert.deepEqual(account.lost, []);
      assert.ok(account.longestGapSeconds < 15, `${account.longestGapSeconds}`);

      assert.notEqual(await cluster.whole(), master);
      assert.equal(Number(await epoch()), before.epoch + 1, "one failover");
      const after = await cluster.hosts.invocations("redis-server");
      for (const host of cluster.hosts.names) {
        const key = `${host} redis-server`;
        assert.notEqual(after[key], before.runs[key], `${host} was restarted`);
        assert.equal(await cluster.sh(host, "redis CONFIG GET databases | tail -n 1"), "8");
        if (host !== master) assert.ok((await started(host)) < (await started(master)), `${host} before ${master}`);
      }
      await cluster.clean();
    },
  );

  promise(
    "other settings and new passwords are loaded: no restart, no connection is closed, the old password serves on",
    async () => {
      const before = await cluster.hosts.invocations("redis-server");
      const old = cluster.endpoint.password;
      const writer = new Writer(cluster, cluster.order());
      await writer.more(20, 30);
      cluster.stack.configure({
        "hastack:redis": {
          passwordRotation: 1,
          maxMemoryMiB: 200,
          maxClients: 200,
          allowedCommands: ["info", "keys"],
        },
      });
      await cluster.up();
      await writer.more(20, 30);
      const account = await writer.account();
      assert.deepEqual({ lost: account.lost, errors: account.errors }, { lost: [], errors: [] });
      assert.deepEqual(await cluster.hosts.invocations("redis-server"), before);

      assert.notEqual(cluster.endpoint.password, old);
      const [keys] = await cluster.ask([["KEYS", "kept"]]);
      assert.deepEqual(keys?.reply, ["kept"], "the new password serves, and the command is allowed");
      assert.equal((await cluster.ask([["PING"]], { password: old }))[0]?.reply, "PONG");
      for (const host of cluster.hosts.names) {
        assert.equal(await cluster.sh(host, "redis CONFIG GET maxmemory | tail -n 1"), String(200 * 1024 * 1024));
      }
      await cluster.whole();
      await cluster.clean();

      cluster.stack.configure({ "hastack:redis": { acceptPrevious: false } });
      await cluster.up();
      assert.match((await cluster.ask([["PING"]], { password: old }))[0]?.error ?? "", /^WRONGPASS/);
    },
  );

  promise(
    "when clients have taken all connections further ones wait, and the master is not taken for dead",
    async () => {
      const master = await cluster.whole();
      const { host, port } = cluster.endpoint;
      const writer = new Writer(cluster, cluster.order({ patience: 60 }));
      await writer.more(20, 30);
      const hold = `for (let i = 0; i < 300; i++) require("node:net").connect(${port}, "${host}").on("error", () => {})`;
      const crowd = cluster.lab.begin(["node", "-e", `${hold}; setInterval(() => {}, 1000)`]);
      try {
        const taken = () =>
          cluster.sh(master, "redis INFO clients | sed -n 's/^connected_clients:\\([0-9]*\\).*/\\1/p'").then(Number);
        await eventually("the crowd has taken what it gets", 30, async () =>
          (await taken()) >= 100 ? true : undefined,
        );
        await pause(4); // several rounds of checks
        await writer.more(20, 30);
        assert.ok((await taken()) < 150, `${await taken()} of 200 connections`);
      } finally {
        crowd.kill("SIGKILL");
      }
      const { errors } = await writer.account();
      assert.deepEqual({ errors, master: await cluster.whole() }, { errors: [], master });
    },
  );
}
