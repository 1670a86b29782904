import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Suite } from "../support/suite";

/** What converge keeps on a host, each file with the time of its last change. */
const ownFiles = "find /var/lib/hastack /usr/local/lib/hastack -type f -printf '%p %C@\\n' | sort";

/** Runs that must end before they have changed anything. */
export function refusals({ promise, cluster }: Suite): void {
  promise("outside of the lab's network the lab's stack stops before it makes a connection", async () => {
    const { code, stdout, stderr } = await cluster.stack.outside("preview");
    assert.notEqual(code, 0);
    assert.match(stdout + stderr, /stack postgres is the lab's and runs only inside the lab's network/);
    assert.doesNotMatch(stdout + stderr, /cannot be asked|192\.168\.1\.13\d:/, "no host was dialled");
  });

  promise("a host that presents another key than the pinned one gets nothing", async () => {
    const { stack, lab, hosts } = cluster;
    const [, , host = ""] = hosts.names;
    const pinned = readFileSync(join(lab.state, "ssh/known_hosts"), "utf8");
    const otherKey = readFileSync(join(lab.state, "ssh/id_ed25519.pub"), "utf8").split(" ").slice(0, 2).join(" ");
    const file = join(lab.state, "other_known_hosts");
    writeFileSync(file, pinned.replace(new RegExp(`^(${host},\\S+) .*$`, "m"), `$1 ${otherKey}`));
    const restore = stack.configure({ "hastack:ssh": { knownHostsFile: file } });
    try {
      const before = await hosts.sh(host, ownFiles);
      stack.configure({ "hastack:probe": "required" });
      assert.match(
        await stack.fails(stack.preview()),
        new RegExp(
          `Host ${host}: cannot be asked.*presents the host key SHA256:\\S+, which is not the one that is pinned`,
        ),
      );
      stack.configure({ "hastack:probe": "best-effort" });
      assert.match(await stack.fails(stack.up()), new RegExp(`\\(${host}-agent\\):\\n.*host key`));
      assert.equal(await hosts.sh(host, ownFiles), before);
    } finally {
      restore();
    }
    await stack.unchanged();
  });

  promise("an `up` that is refused touches no host, not even where something was to change before", async () => {
    const { stack, hosts } = cluster;
    const before = await Promise.all(hosts.names.map((host) => hosts.sh(host, ownFiles)));
    // The engine knows of the change in etcd when the cluster's argument is refused.
    const restore = stack.configure({
      "hastack:etcd": { heartbeatMs: 150 },
      "hastack:postgres": { durability: "wrong" },
    });
    try {
      assert.match(await stack.fails(stack.up()), /durability: "wrong": give async, sync or sync-strict/);
    } finally {
      restore();
    }
    assert.deepEqual(await Promise.all(hosts.names.map((host) => hosts.sh(host, ownFiles))), before);
    await stack.unchanged();
  });
}
