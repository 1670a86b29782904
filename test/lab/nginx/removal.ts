import assert from "node:assert/strict";
import type { Suite } from "../support/suite";
import { balancers, type Entry, virtualIp } from "./entry";

/** What stays on the hosts when the stack is gone. */
export function removal({ promise, cluster: entry }: Suite<Entry>): void {
  promise("`destroy` leaves Debian's own nginx, stopped, the logs, and nothing of ours", async () => {
    await entry.stack.succeeds(entry.stack.destroy());
    for (const host of balancers) {
      const left = await entry.sh(
        host,
        "find /etc /usr/local /run -path '*hastack*' ! -path '/usr/local/lib/hastack' ! -path '*/hastack-lab*' ! -path '/run/hastack*' -print | sort",
      );
      assert.equal(left, "/usr/local/lib/hastack/converge\n");
      const states = await entry.sh(host, "systemctl is-active nginx keepalived || true; nginx -t 2>&1 | tail -n 1");
      assert.match(states, /^inactive\ninactive\n.*test is successful$/m);
      assert.equal(
        await entry.sh(host, `ip -o address show to ${virtualIp}/32; ls /var/log/nginx/hastack | head -n 1`),
        "access.log\n",
      );
    }
  });
}
