import assert from "node:assert/strict";
import { formsOf, secretsOf } from "../support/secrets";
import type { Suite } from "../support/suite";
import { directory, fingerprint } from "./fresh-hosts";

/** What stays on the hosts when the stack is gone. */
export function removal({ foundation, promise, cluster }: Suite): void {
  foundation("`destroy` leaves the data on the hosts and no secret beside it", async () => {
    const { hosts, stack } = cluster;
    const secrets = (await secretsOf(stack)).flatMap(({ value }) => formsOf(value)).join("\n");
    const data = "--exclude-dir=main --exclude-dir=member";
    const places = "/etc /usr/local /var/lib /var/tmp /tmp /root /home";
    const search = `LC_ALL=C grep -rlsaF -D skip ${data} -f - ${places} || true`;
    for (const found of Object.values(await hosts.all(search, secrets))) {
      assert.match(found, /^\/etc\/patroni\/config.yml$/m, "where they are found as long as they are there");
    }
    await stack.succeeds(stack.destroy());
    assert.deepEqual(await hosts.all(search, secrets), Object.fromEntries(hosts.names.map((name) => [name, ""])));
    assert.deepEqual(new Set(Object.values(await hosts.all(`cat ${directory}/PG_VERSION`))), new Set(["15\n"]));
  });

  promise("a cluster of another name refuses the data that the first has left", async () => {
    const { hosts, stack } = cluster;
    const before = await hosts.all(fingerprint);
    const restore = stack.configure({ "hastack:postgres": { scope: "another" } });
    const printed = await stack.fails(stack.up());
    restore();
    assert.match(printed, new RegExp(`${directory} holds a database that is not of the cluster another`));
    assert.deepEqual(await hosts.all(fingerprint), before);
  });
}
