import assert from "node:assert/strict";
import { after, afterEach, before, describe, test } from "node:test";
import { converge, TestHost } from "./host";
import { ensure, file, service } from "./text";

describe("a run that is killed", () => {
  let host: TestHost;
  before(async () => {
    host = await TestHost.start();
  });
  after(() => host.stop());
  afterEach(async () => {
    await host.remove("s");
    await host.sh("rm -f /run/demo.loaded /run/reached");
  });

  const loaded = () => host.read("/run/demo.loaded");
  const begin = (text: string) => host.begin(`${converge} apply s - t`, { input: `${text}\nend\n` });
  const kill = () => host.sh("kill -9 $(pgrep -f '[c]onverge apply s ')");

  test("at any moment leaves a host that the next run completes", async () => {
    const text = (value: string) => `directory /srv/k 0755 root:root
${file("/srv/k/a", "x".repeat(200_000) + value)}
link /srv/k/link ${value}
sysctl net.ipv4.ip_local_port_range "20000 6${value.slice(-4)}"
${service("demo", value, { extra: "ExecStop=/bin/sleep 0.3" })}
${ensure("step", `grep -qx ${value} /srv/k/step`, `sleep 0.2; echo ${value} >/srv/k/step`)}`;
    await host.applied("s", text("round-0000"));
    const began = Date.now();
    await host.applied("s", text("round-0001"));
    const settling = 600; // milliseconds at the end, when nothing is done any more
    const duration = Date.now() - began - settling;

    const rounds = 12;
    const reached = new Set<string>();
    for (let round = 0; round < rounds; round++) {
      const value = `round-${1000 + round}`;
      const delay = ((duration * (round + 0.5)) / rounds / 1000).toFixed(3);
      const command = `timeout -s KILL ${delay} ${converge} apply s - t`;
      const killed = await host.run(command, { input: `${text(value)}\nend\n` });
      reached.add(String(killed.stdout.trim().split("\n").length));
      await host.applied("s", text(value));
      assert.equal(await loaded(), `${value}\n`, `killed after ${delay} s: the service runs with the new file`);
      const rest = await host.sh("ls -A /srv/k; tail -c 11 /srv/k/a; readlink /srv/k/link; cat /srv/k/step");
      assert.equal(rest, `a\nlink\nstep\n${value}\n${value}\n${value}\n`);
      assert.deepEqual(await host.drift("s"), []);
    }
    assert.ok(reached.size >= 3, `the kills hit different steps: after ${[...reached].join(", ")} lines`);
    await host.sh("rm -r /srv/k");
  });

  test("between a healed file and its restart still restarts", async () => {
    await host.applied("s", service("demo", "one"));
    await host.sh("echo wrong >/etc/demo.conf; systemctl restart demo");
    const step = ensure("hangs", "test -e /run/go", "touch /run/hangs; sleep 20; touch /run/go", 30);
    const text = service("demo", "one").replace(/(service demo .*)/, `${step}\n$1`);
    await host.sh("rm -f /run/go /run/hangs");
    const apply = begin(text);
    await host.until("test -e /run/hangs");
    assert.equal(await host.read("/etc/demo.conf"), "one\n", "the file is healed already");
    await kill();
    await apply.ended;
    assert.deepEqual(await host.drift("s"), ["apply was interrupted"]);
    await host.sh("touch /run/go");
    const said = await host.applied("s", text);
    assert.deepEqual(said.slice(0, -1), ["demo.service restarted"]);
    assert.equal(await loaded(), "one\n");
  });

  const slowly = "/bin/sh -c 'touch /run/reached; sleep 2'";
  for (const [step, text] of [
    ["a before-restart script", `${service("demo", "two")} before-restart <<'E'\ntouch /run/reached; sleep 2\nE`],
    ["a slow start", service("demo", "two", { extra: `ExecStartPre=${slowly}` })],
    ["a slow stop", service("demo", "two", { extra: `ExecStop=${slowly}` })],
  ] as const) {
    test(`during ${step} is completed by the next`, async () => {
      await host.applied("s", service("demo", "one"));
      await host.sh("rm -f /run/reached");
      const apply = begin(text);
      await host.until("test -e /run/reached");
      await kill();
      await apply.ended;
      await host.applied("s", text);
      assert.equal(await loaded(), "two\n");
      assert.deepEqual(await host.drift("s"), []);
    });
  }
});
