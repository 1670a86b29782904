import assert from "node:assert/strict";
import { byHost } from "./cluster";
import type { ChangesSuite } from "./suite";

/** What a run does about a host that it cannot ask. */
export function probe({ promise, cluster }: ChangesSuite): void {
  promise(
    "a host that hangs fails the drift run, is a warning by default, and is not asked with the probe off",
    async () => {
      const { hosts, lab, stack } = cluster;
      const [deaf = ""] = await hosts.replicas();
      const reachable = hosts.names.filter((name) => name !== deaf);
      const logins = () =>
        byHost(reachable, (host) =>
          hosts.sh(host, "journalctl -u ssh -o cat | grep -c '^Accepted publickey for deploy'"),
        );
      await lab.lab(["freeze", deaf, "ssh"]);
      try {
        let restore = stack.configure({ "hastack:probe": "required" });
        assert.match(
          await stack.fails(stack.preview()),
          new RegExp(`Host ${deaf}: cannot be asked for drift: .*Bring it back`),
        );
        restore();

        const asked = await logins();
        const printed = await stack.succeeds(stack.preview("--expect-no-changes"));
        assert.match(printed, new RegExp(`warning: Host ${deaf} cannot be asked, its drift is not known`));
        assert.notDeepEqual(await logins(), asked, "the others were asked");

        restore = stack.configure({ "hastack:probe": "off" });
        const before = await logins();
        assert.doesNotMatch(await stack.succeeds(stack.preview("--expect-no-changes")), /cannot be asked/);
        restore();
        assert.deepEqual(await logins(), before, "nobody was asked");
      } finally {
        stack.configure({ "hastack:probe": undefined });
        await lab.lab(["thaw", deaf, "ssh"]);
      }
    },
  );

  promise("a host without power fails a run that is required to ask it, which names it", async () => {
    const { hosts, lab, stack } = cluster;
    const [off = ""] = await hosts.replicas();
    await lab.lab(["power-off", off]);
    const restore = stack.configure({ "hastack:probe": "required" });
    try {
      assert.match(await stack.fails(stack.preview()), new RegExp(`Host ${off}: cannot be asked for drift`));
    } finally {
      restore();
      await lab.lab(["power-on", off]);
    }
    await cluster.whole(60);
    await cluster.quorum();
  });
}
