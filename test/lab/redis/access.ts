import assert from "node:assert/strict";
import type { RedisSuite } from "./test-redis";

/** Who gets in, and what may be done there. */
export function access({ promise, cluster }: RedisSuite): void {
  promise("a wrong password, none, and a connection without TLS are refused", async () => {
    const { host, port } = cluster.endpoint;
    const [wrong, none, plain] = await Promise.all([
      cluster.ask([["PING"]], { password: "not the password" }),
      cluster.ask([["PING"]], { password: undefined as never }),
      cluster.ask([["PING"]], { server: { host, port } }),
    ]);
    assert.match(wrong[0]?.error ?? "", /^WRONGPASS/);
    assert.match(none[0]?.error ?? "", /^NOAUTH/);
    assert.match(plain[0]?.error ?? "", /closed|ECONNRESET|no reply/);
  });

  promise("the application may do its work, and nothing that is dangerous", async () => {
    const work = [
      ["SETEX", "session", 60, "x"],
      ["PUBLISH", "channel", "m"],
      ["SCAN", 0],
      ["INFO"],
      ["EVAL", "return 1", 0],
    ];
    for (const { error } of await cluster.ask(work)) assert.equal(error, undefined);
    const dangerous = [
      ["FLUSHALL"],
      ["FLUSHDB"],
      ["KEYS", "*"],
      ["CONFIG", "GET", "dir"],
      ["SHUTDOWN"],
      ["REPLICAOF", "NO", "ONE"],
      ["ACL", "LIST"],
      ["CLIENT", "KILL", "TYPE", "normal"],
      ["MONITOR"],
      ["SAVE"],
      ["MODULE", "LIST"],
      ["DEBUG", "JMAP"],
    ];
    for (const [i, { error }] of (await cluster.ask(dangerous)).entries()) {
      assert.match(error ?? "", /^NOPERM|DEBUG command not allowed/, dangerous[i]?.join(" "));
    }
  });

  promise("hosts that have no business with it reach no port; clients do not reach the Sentinels", async () => {
    const addresses = [...Object.values(cluster.hosts.addresses), cluster.endpoint.host];
    const knock = (address: string, port: number) =>
      `timeout 3 bash -c '</dev/tcp/${address}/${port}' 2>/dev/null && echo open ${address}:${port} || true`;
    const stranger = addresses.flatMap((address) => [knock(address, 6379), knock(address, 26379)]).join("; ");
    assert.equal(await cluster.hosts.sh("stranger", stranger), "");
    const sentinels = addresses.map((address) => knock(address, 26379)).join("; ");
    assert.equal((await cluster.lab.exec(["sh", "-c", sentinels])).stdout, "");
    const served = await cluster.lab.exec(["sh", "-c", knock(cluster.endpoint.host, 6379)]);
    assert.equal(served.stdout, `open ${cluster.endpoint.host}:6379\n`, "a client gets in");
  });

  promise("Redis and Sentinel listen on the host's own address and on loopback only, and with TLS only", async () => {
    for (const [host, address] of Object.entries(cluster.hosts.addresses)) {
      const listening = await cluster.hosts.sh(host, "ss -Hltnp | grep -e redis | awk '{ print $4 }' | sort");
      const wanted = [`${address}:26379`, `${address}:6379`, "127.0.0.1:26379", "127.0.0.1:6379"].sort();
      assert.deepEqual(listening.trim().split("\n").sort(), wanted, host);
    }
  });
}
