import assert from "node:assert/strict";
import { secondsSince } from "../support/process";
import { changesIn, driftIn } from "../support/stack";
import { byHost, type ChangingCluster } from "./cluster";
import type { ChangesSuite } from "./suite";

/** What a run does about a host that does not answer, and about one that is not as the last run left it. */
export function probe({ promise, cluster }: ChangesSuite): void {
  const { lab } = cluster;

  const silent: [
    what: string,
    silence: (host: string) => Promise<unknown>,
    back: (host: string) => Promise<unknown>,
  ][] = [
    ["that is down", (host) => lab.lab(["power-off", host]), (host) => lab.lab(["power-on", host])],
    [
      "that takes connections and says nothing",
      (host) => lab.lab(["freeze", host, "ssh"]),
      (host) => lab.lab(["thaw", host, "ssh"]),
    ],
  ];
  for (const [what, silence, back] of silent) {
    promise(
      `a host ${what} fails a run that is required to ask it, is a warning by default, and is not asked with the probe off`,
      async (t) => {
        const { hosts } = cluster;
        const [mute = ""] = await hosts.replicas();
        const others = hosts.names.filter((host) => host !== mute);
        await silence(mute);
        try {
          const began = performance.now();
          const required = await previewed(cluster, "required", others);
          t.diagnostic(`the run gives up after ${secondsSince(began)} s`);
          assert.ok(![0, drifted].includes(required.code), "neither in order nor drifted");
          assert.match(required.printed, new RegExp(`Host ${mute}: cannot be asked for drift: .*Bring it back`));

          // What is known of the others counts: they miss a member of etcd, or nothing.
          const usual = await previewed(cluster, "best-effort", others);
          assert.match(usual.printed, new RegExp(`warning: Host ${mute} cannot be asked, its drift is not known`));
          assert.ok(usual.asked, "the others were asked");
          const touched = changesIn(usual.printed).filter(({ name }) => name.includes(mute));
          assert.deepEqual(touched, [], "nothing is said of a host that was not asked");

          const off = await previewed(cluster, "off", others);
          assert.equal(off.code, 0, off.printed);
          assert.ok(!off.asked, "nobody was asked");
          assert.doesNotMatch(off.printed, /cannot be asked/);
        } finally {
          await back(mute);
        }
        await cluster.whole(90);
        await cluster.quorum();
        await cluster.clean();
      },
    );
  }

  promise(
    "a host on which an apply has failed or was killed is drift that says so, and the next `up` completes it",
    async () => {
      const { hosts, stack } = cluster;
      const [failed = "", killed = ""] = hosts.names;
      const before = await hosts.invocations("etcd", "patroni");
      await hosts.sh(failed, `${halfDone("false")} || true`);
      await hosts.sh(killed, `${halfDone("kill -9 $(grep -o '[0-9]*' /run/hastack/lock)")} || true`);
      const reasons = {
        [`${failed}-base`]: /^last apply failed: line \d+, ensure .*: its .do. script failed: exit code 1/,
        [`${killed}-base`]: /^apply was interrupted$/,
      };
      for (const mode of ["required", "best-effort"]) {
        const found = await previewed(cluster, mode);
        assert.equal(found.code, drifted, found.printed);
        const drift = driftIn(found.printed);
        assert.deepEqual(Object.keys(drift).sort(), Object.keys(reasons).sort());
        for (const [name, reason] of Object.entries(reasons)) assert.match(drift[name] ?? "", reason);
      }
      const off = await previewed(cluster, "off");
      assert.equal(off.code, 0, off.printed);
      assert.ok(!off.asked, "nobody was asked");

      assert.deepEqual(
        changesIn(await stack.succeeds(stack.up())).map(({ name }) => name),
        Object.keys(reasons).sort(),
      );
      assert.deepEqual(await hosts.invocations("etcd", "patroni"), before, "nothing was restarted");
      await cluster.clean();
    },
  );

  promise(
    "a host that was rebuilt empty is installed anew, and only it: that is what every preview says that asks it",
    async () => {
      const { hosts } = cluster;
      const [empty = ""] = await hosts.replicas();
      await lab.lab(["rebuild", empty]);
      for (const mode of ["required", "best-effort"]) {
        const found = await previewed(cluster, mode);
        assert.equal(found.code, drifted, found.printed);
        const units = ["-agent", "-base"].map((unit) => `${empty}${unit}`);
        for (const unit of [...units, `etcd-${empty}`, `workspad-${empty}`, `workspad-${empty}-cluster`]) {
          assert.match(found.printed, new RegExp(`::${unit}\\][\\s\\S]*?=> ".*'(install|join):[0-9a-f]{8}`), unit);
        }
        assert.ok(!/=> ".*'found:/.test(found.printed), `no second quorum is founded:\n${found.printed}`);
      }
      const off = await previewed(cluster, "off");
      assert.ok(!off.asked, "nobody was asked");
      assert.doesNotMatch(off.printed, /=> ".*(install|join|found):[0-9a-f]{8}/);

      await cluster.up();
      await cluster.whole(90);
      await cluster.quorum();
      await cluster.clean();
    },
  );
}

/** `pulumi preview --expect-no-changes` ends with it when something would change. */
const drifted = 7;

/** A drift run in one mode, and whether it logged in on the hosts that answer. */
async function previewed(cluster: ChangingCluster, mode: string, answering = cluster.hosts.names) {
  const { stack, hosts } = cluster;
  const logins = () =>
    byHost(answering, (host) =>
      hosts.sh(host, "journalctl -u ssh -o cat | grep -c '^Accepted publickey for deploy' || true"),
    );
  const restore = stack.configure({ "hastack:probe": mode });
  try {
    const before = await logins();
    const { code, stdout, stderr } = await stack.preview("--diff", "--expect-no-changes");
    const after = await logins();
    return { code, printed: stdout + stderr, asked: answering.some((host) => after[host] !== before[host]) };
  } finally {
    restore();
  }
}

/** Applies the unit `base` as it is, and a step more, in the middle of which something happens. */
function halfDone(happens: string): string {
  const text = [
    "grep -vx end /var/lib/hastack/units/base/text",
    "printf '%s\\n' 'ensure \"half way\"' \"  check <<'HALF'\" 'false' HALF \"  do <<'HALF'\"",
    `echo ${JSON.stringify(happens).replaceAll("$", "\\$")}`,
    "printf '%s\\n' HALF end",
  ];
  return `{ ${text.join("; ")}; } | /usr/local/lib/hastack/converge apply base - half`;
}
