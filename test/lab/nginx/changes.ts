import assert from "node:assert/strict";
import { changesIn, driftIn } from "../support/stack";
import type { Suite } from "../support/suite";
import { balancers, type Entry, nodes } from "./entry";

interface Balancer {
  upstreams: { name: string }[];
}

/** Changes by `up`, and by hand. */
export function changes({ promise, cluster: entry }: Suite<Entry>): void {
  const { stack } = entry;

  promise("an upstream is taken away and added under load; no request fails, no WebSocket breaks", async (t) => {
    const node = await entry.serving();
    const { upstreams } = stack.settings["hastack:balancer"] as Balancer;
    const [kept = ""] = nodes.filter((name) => name !== node);
    const restore = stack.configure({
      "hastack:balancer": { upstreams: upstreams.filter(({ name }) => name !== node) },
    });
    const seen = await entry.during(async () => {
      const diff = await stack.succeeds(stack.preview("--diff"));
      assert.match(diff, new RegExp(`^ *- server \\S+ max_fails=3 fail_timeout=10s; # ${node}$`, "m"));
      await entry.up();
      assert.equal(await entry.serving(), kept);
      restore();
      await entry.up();
      assert.equal(await entry.serving(), node);
    });
    t.diagnostic(JSON.stringify(seen));
    assert.deepEqual([seen.failures, seen.socket.closed, seen.socket.node], [[], undefined, node]);
    assert.deepEqual(Object.keys(seen.nodes).sort(), nodes);
  });

  promise("a line that nginx refuses fails `up` with nginx's words; what served before serves on", async () => {
    const restore = stack.configure({ "hastack:balancer": { serverExtra: "proxy_pas https://hastack;" } });
    const printed = await stack.fails(stack.up());
    restore();
    assert.match(printed, /nginx refuses the configuration: .*unknown directive "proxy_pas" in nginx\.conf:\d+/);
    assert.equal((await entry.get()).status, 200);
    for (const host of balancers) await entry.sh(host, "systemctl reload nginx && systemctl restart nginx");
    await entry.holder();
    assert.equal((await entry.get()).status, 200, "after a restart, too");
    assert.deepEqual(
      changesIn(await stack.succeeds(stack.up())).map(({ name }) => name),
      ["front-nginx1"],
      "the first host failed, so the second was not touched",
    );
  });

  promise(
    "a port that is taken, which `nginx -t` does not see, fails `up` too, and is not found by a restart",
    async () => {
      const restore = stack.configure({ "hastack:balancer": { httpExtra: "server { listen 22; }" } });
      const printed = await stack.fails(stack.up());
      restore();
      assert.match(printed, /nginx does not load the configuration, and keeps the one before: .*0\.0\.0\.0:22 failed/s);
      await entry.sh("nginx1", "systemctl restart nginx");
      await entry.up();
      await stack.unchanged();
    },
  );

  promise("what somebody changes by hand is named and put right without a restart", async () => {
    const [one = "", two = ""] = balancers;
    const live = "/etc/nginx/hastack/tested/live";
    await entry.sh(one, `echo '# by hand' >>${live}/nginx.conf; systemctl stop hastack-nginx-readiness`);
    await entry.sh(two, "echo '# by hand' >>/etc/nginx/hastack/wanted/nginx.conf");
    const drift = driftIn(await stack.fails(stack.preview("--diff", "--expect-no-changes")));
    assert.deepEqual(Object.keys(drift).sort(), ["front-nginx1", "front-nginx2"]);
    assert.match(
      drift["front-nginx1"] ?? "",
      /nginx serves what is wanted: the live nginx\.conf is not the wanted one/,
    );
    assert.match(drift["front-nginx1"] ?? "", /hastack-nginx-readiness\.service inactive/);
    assert.match(drift["front-nginx2"] ?? "", /\/etc\/nginx\/hastack\/wanted\/nginx\.conf content/);
    const invocations = () =>
      Promise.all(balancers.map((host) => entry.sh(host, "systemctl show --property=InvocationID nginx")));
    const before = await invocations();
    await entry.up();
    assert.deepEqual(await invocations(), before);
    assert.equal(await entry.sh(one, `grep -c 'by hand' ${live}/nginx.conf || true`), "0\n");
    await stack.unchanged();
  });
}
