import assert from "node:assert/strict";
import { services, virtualIp } from "./cluster";
import type { PoolerSuite } from "./suite";

const ours = [
  "/etc/pgbouncer/userlist.txt",
  "/etc/pgbouncer/tls/server.key",
  "/etc/haproxy/hastack/pooler.cfg",
  "/etc/keepalived/hastack/pooler.conf",
  "/usr/local/lib/hastack/vip/pooler",
  "/etc/hastack/firewall/pooler.nft",
];

/** The end of a pair. */
export function removal({ promise, cluster }: PoolerSuite): void {
  promise("without the pair no service, file, rule or address of it is left, and the cluster goes on", async () => {
    const { proxies, stack } = cluster;
    const present = `for file in ${ours.join(" ")}; do if [ -e $file ]; then echo $file; fi; done`;
    for (const [host, found] of Object.entries(await proxies.all(present))) {
      assert.deepEqual(found.trim().split("\n"), ours, host);
    }
    stack.configure({ "hastack:pooler": undefined, "hastack:hosts": { proxy1: undefined, proxy2: undefined } });
    await cluster.up();
    await cluster.whole();
    for (const host of proxies.names) {
      const state = `systemctl is-active ${services.join(" ")}; systemctl is-enabled ${services.join(" ")}; true`;
      assert.doesNotMatch(await proxies.sh(host, state), /^(active|activating|enabled)$/m, host);
      assert.equal(await proxies.sh(host, present), "", host);
      assert.equal(await proxies.sh(host, `ip -o address show to ${virtualIp}/32`), "", host);
      assert.doesNotMatch(await proxies.sh(host, "nft list tables"), /hastack_pooler/, host);
    }
    await cluster.clean();
  });
}
