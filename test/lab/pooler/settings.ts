import assert from "node:assert/strict";
import { OpenSession } from "../changes/open-session";
import { AddressWatch } from "../support/address-watch";
import { answer, refusal } from "../support/psql";
import { type PoolerCluster, port, services, virtualIp } from "./cluster";
import type { PoolerSuite } from "./suite";

/** Settings of a pair that runs. */
export function settings({ promise, cluster }: PoolerSuite): void {
  promise("every file is one that its program accepts", async () => {
    for (const host of cluster.proxies.names) {
      await cluster.proxies.sh(host, "haproxy -c -f /etc/haproxy/hastack");
      // It ends by a signal whatever it found, and says what is wrong.
      const test = "setsid --wait keepalived --log-console --config-test 2>&1 | grep -v ^Terminated || true";
      assert.equal(await cluster.proxies.sh(host, test), "", host);
      await cluster.proxies.sh(host, "nft --check --file /etc/hastack/firewall/pooler.nft");
    }
  });

  promise("pool sizes and other settings are changed while sessions stay open", async () => {
    const { lab, proxies } = cluster;
    const before = await proxies.invocations(...services);
    const holder = await cluster.holder();
    const open = new OpenSession(lab, cluster.through());
    const backend = await open.ask("SELECT pg_backend_pid()");
    await cluster.change({ poolSize: 50, settings: { server_idle_timeout: 300 } });
    assert.equal(await open.ask("SELECT pg_backend_pid()"), backend, "the session is the same");
    open.end();
    assert.deepEqual(await proxies.invocations(...services), before, "nothing was restarted");
    assert.equal(await cluster.holder(), holder);
    for (const host of proxies.names) {
      assert.equal((await row(cluster, host, "SHOW DATABASES", "workspad"))[5], "50", host);
      assert.equal((await row(cluster, host, "SHOW CONFIG", "server_idle_timeout"))[1], "300", host);
    }
  });

  promise(
    "what needs a restart restarts one host after the other, and the address leaves each of them first",
    async (t) => {
      const { lab, proxies } = cluster;
      const before = await proxies.invocations(...services);
      const holder = await cluster.holder();
      const address = new AddressWatch(lab, virtualIp, port);
      const [[since = ""]] = [(await proxies.sh(holder, "date +%s.%N")).split("\n")];
      await cluster.change({ maxClientConnections: 10000 });
      const away = await address.stop();
      t.diagnostic(`longest time without an answer of the address: ${away.toFixed(2)} s`);
      assert.ok(away < 5, `the address did not answer for ${away} s`);

      for (const [service, id] of Object.entries(await proxies.invocations(...services))) {
        if (service.endsWith("pgbouncer")) assert.notEqual(id, before[service], service);
        else assert.equal(id, before[service], service);
      }
      const journal = await proxies.sh(holder, `journalctl -q -o cat -u keepalived -u pgbouncer --since=@${since}`);
      const [left, stopped] = [journal.indexOf("Entering FAULT STATE"), journal.indexOf("Stopping pgbouncer")];
      assert.ok(left >= 0 && stopped > left, journal);
      for (const host of proxies.names) {
        const limit = await proxies.sh(host, "grep 'open files' /proc/$(systemctl show -P MainPID pgbouncer)/limits");
        assert.match(limit, /\b16384\b/, host);
      }
      await cluster.spare();
    },
  );

  promise("another port is taken by both hosts", async () => {
    const { lab } = cluster;
    const other = port + 1;
    const at = (number: number) => ({ ...cluster.through(), options: `port=${number}` });
    await cluster.change({ port: other });
    assert.equal(await answer(lab, at(other), "SELECT 1"), "1");
    assert.match(await refusal(lab, at(port)), /Connection refused/);
    await cluster.change({
      port: undefined,
      maxClientConnections: undefined,
      poolSize: undefined,
      settings: undefined,
    });
    assert.equal(await answer(lab, at(port), "SELECT 1"), "1");
    await cluster.spare();
    await cluster.clean();
  });
}

/** A row of PgBouncer's console, by its first column. */
async function row(cluster: PoolerCluster, host: string, command: string, key: string): Promise<string[]> {
  const rows = (await answer(cluster.lab, cluster.consoleOf(host), command)).split("\n").map((line) => line.split("|"));
  const found = rows.find(([first]) => first === key);
  if (!found) throw new Error(`${host}: ${command}: no row ${key}`);
  return found;
}
