import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { agentSource, agentVersion } from "../../components/converge/agent";
import { install, installation } from "../../components/host/installation";
import { blocksIn } from "../unit/docs/blocks";
import { converge, TestHost } from "./host";
import { ensure, file, packageSource, service } from "./text";

describe("runs of the agent", () => {
  let host: TestHost;
  before(async () => {
    host = await TestHost.start();
  });
  after(() => host.stop());

  const slow = (seconds: number, name = "slow") =>
    ensure(name, `test -e /run/${name}.done`, `touch /run/${name}.begun; sleep ${seconds}; touch /run/${name}.done`);
  const begin = (unit: string, text: string) =>
    host.begin(`${converge} apply ${unit} - t`, { input: `${text}\nend\n` });
  const milliseconds = async (command: string) =>
    Number(
      await host.sh(
        `a=$(date +%s%N); ${command} >/dev/null || [ $? = 7 ]; b=$(date +%s%N); echo $(((b - a) / 1000000))`,
      ),
    );

  test("two applies at once take turns, and the second says for whom it waits", async () => {
    await host.sh("rm -f /run/slow.* /srv/two");
    const first = begin("one", slow(2));
    await host.until("test -e /run/slow.begun");
    const second = begin("two", file("/srv/two", "x"));
    const [one, two] = await Promise.all([first.ended, second.ended]);
    assert.equal(one.code, 0, one.stderr);
    assert.match(
      two.stdout,
      /^waiting: apply of one \(process \d+\) is running on this host\ntwo: \/srv\/two created\n/,
    );
    assert.equal(two.code, 0);
    await host.sh("test /srv/two -nt /run/slow.done");
  });

  test("check does not wait for an apply and says that the unit is busy", async () => {
    await host.sh("rm -f /run/slow.*");
    await host.applied("idle", file("/srv/idle", "x"));
    const apply = begin("one", slow(2));
    await host.until("test -e /run/slow.begun");
    const status = await host.check("one");
    assert.match(status.busy ?? "", /^apply by process \d+ is running$/);
    assert.deepEqual(status.drift, []);
    assert.deepEqual(await host.drift("idle"), []);
    assert.notEqual((await host.run("test -e /run/slow.done")).code, 0, "the apply still runs");
    assert.equal((await apply.ended).code, 0);
    assert.equal((await host.check("one")).busy, undefined);
  });

  test("the next apply does not wait for one that was killed", async () => {
    await host.sh("rm -f /run/slow.*");
    const apply = begin("one", slow(30));
    await host.until("test -e /run/slow.begun");
    await host.sh("kill -9 $(pgrep -f '[c]onverge apply one ')");
    await apply.ended;
    assert.deepEqual(await host.drift("one"), ["apply was interrupted"]);
    await host.sh("touch /run/slow.done");
    assert.deepEqual(await host.applied("one", slow(30)), ["0 changed, 1 in order"]);
    assert.equal(await host.sh("ls /run/hastack"), "lock\n", "the killed run's script is cleared away");
  });

  test("an apply goes on when the connection it was started over breaks", async () => {
    await host.sh("rm -f /run/slow.* /srv/late");
    const text = `${slow(2)}\n${file("/srv/late", "x")}`;
    const apply = host.begin(`${converge} apply one - t`, { input: `${text}\nend\n`, separate: true });
    await host.until("test -e /run/slow.begun");
    apply.client.kill("SIGKILL");
    await apply.ended;
    await host.until(`test -e /srv/late && ${converge} check one`);
  });

  test("an apply whose output nobody reads ends as ever", async () => {
    const text = Array.from({ length: 50 }, (_, n) => file(`/srv/many-${n}`, "x")).join("\n");
    await host.sh(`{ ${converge} apply many - t; echo $? >/run/many.code; } | head -n 1`, { input: `${text}\nend\n` });
    await host.until("test -s /run/many.code");
    assert.equal(await host.read("/run/many.code"), "0\n");
    assert.deepEqual(await host.drift("many"), []);
    await host.remove("many");
  });

  test("a polite stop is told from a failure of the host", async () => {
    await host.sh("rm -f /run/slow.*");
    const apply = begin("one", slow(2));
    await host.until("test -e /run/slow.begun");
    await host.sh("kill -TERM $(pgrep -f '[c]onverge apply one ')");
    const result = await apply.ended;
    assert.equal(result.code, 1);
    assert.match(result.stderr, /stopped by SIGTERM: run it again to finish/);
    assert.match((await host.drift("one"))[0] ?? "", /last apply failed: .*stopped by SIGTERM/);
    await host.until("test -e /run/slow.done");
    await host.applied("one", slow(2));
  });

  test("the token comes back verbatim once an apply has succeeded, and only then", async () => {
    const token = `'drift:1a2b3c /etc/nginx/nginx.conf content; nginx.service inactive'`;
    await host.applied("tokens", file("/srv/t", "1"), { token });
    assert.equal((await host.check("tokens")).token, token.slice(1, -1));
    await host.apply("tokens", ensure("fails", "false", "false"), { token: "later" });
    assert.equal((await host.check("tokens")).token, token.slice(1, -1));
    await host.remove("tokens");
  });

  test("scripts of an apply find its token in HASTACK_TOKEN", async () => {
    const text = ensure("token", "test -e /srv/token", 'echo "$HASTACK_TOKEN" >/srv/token');
    await host.applied("tokens", text, { token: "install:1a2b first" });
    assert.equal(await host.read("/srv/token"), "install:1a2b first\n");
    await host.remove("tokens");
  });

  test("a login that becomes root by sudo -n works like root's own", async () => {
    const text = file("/srv/by-sudo", "x");
    const applied = await host.run(`sudo -n ${converge} apply sudo - t`, { input: `${text}\nend\n`, user: "deploy" });
    assert.equal(applied.code, 0, applied.stderr);
    assert.equal(await host.sh("stat -c '%U %a' /srv/by-sudo"), "root 644\n");
    const facts = JSON.parse(await host.sh(`sudo -n ${converge} facts`, { user: "deploy" }));
    assert.equal(facts.sudo, true);
    const plain = await host.run(`${converge} check`, { user: "deploy" });
    assert.equal(plain.code, 1);
    assert.match(plain.stderr, /it has to run as root: use `sudo -n`/);
    await host.remove("sudo");
  });

  test("a host that has never been touched can be asked through a pipe, and stays untouched", async () => {
    await host.sh(`mv ${converge} /root/converge; mv /var/lib/hastack /root/hastack-state`);
    try {
      const answer = await host.run("perl - probe", { input: agentSource() });
      const probe = JSON.parse(answer.stdout);
      assert.equal(answer.code, 0);
      assert.deepEqual([probe.agent, probe.units], ["", {}]);
      assert.equal(probe.facts.os.id, "debian");
      assert.notEqual((await host.run(`test -e /var/lib/hastack || test -e ${converge}`)).code, 0);
    } finally {
      await host.sh(`mv /root/converge ${converge}; rm -rf /var/lib/hastack; mv /root/hastack-state /var/lib/hastack`);
    }
    const probe = JSON.parse((await host.run("perl - probe", { input: agentSource() })).stdout);
    assert.equal(probe.agent, agentVersion);
  });

  test("an installation that is cut short on its way leaves the program that is there, and nothing else", async () => {
    const command = `sh -c '${install}' sh t`;
    const temporary = await host.sh("ls /tmp");
    const before = await host.read(converge);
    const cut = await host.run(command, { input: installation().slice(0, 20_000) });
    assert.equal(cut.code, 1);
    assert.match(cut.stderr, /unexpected end of file/);
    assert.equal(await host.read(converge), before);
    const whole = await host.run(command, { input: installation() });
    assert.equal(whole.code, 0, whole.stderr);
    assert.match(whole.stdout, new RegExp(`^converge ${agentVersion} installed$`, "m"));
    assert.equal(await host.sh("ls /tmp"), temporary);
    await host.remove("agent");
  });

  test("preflight answers every condition of a text, and the packages it wants; nothing is changed", async () => {
    const [example] = blocksIn("docs/converge.md").filter(({ language }) => language === "unit");
    assert.ok(example);
    const preflight = async (text: string) =>
      JSON.parse(await host.sh(`${converge} preflight etcd`, { input: text })) as {
        conditions: object[];
        packages: string[];
      };
    assert.deepEqual(await preflight(example.text), {
      conditions: [{ asks: "port 2379", complaint: null }],
      packages: ["etcd-server", "etcd-client"],
    });
    const text = [
      "port 22 etcd.service peers",
      "require \"give it a disk\" <<'E'\necho none; exit 1\nE",
      "require \"needs a secret\" <<'E'\ntest x = @{secret:unknown}\nE",
      "package rude=2.7 hold",
      "file /etc/never 0644 root:root <<'E'\nx\nE",
      "end\n",
    ].join("\n");
    const { conditions, packages } = await preflight(text);
    assert.deepEqual(packages, ["rude=2.7"]);
    assert.deepEqual(conditions, [
      {
        asks: "port 22",
        complaint: (conditions[0] as { complaint: string }).complaint,
      },
      { asks: "give it a disk", complaint: "give it a disk\n    none" },
    ]);
    assert.match(
      (conditions[0] as { complaint: string }).complaint,
      /^needed for peers, but sshd \(process \d+\) already listens/,
    );
    assert.notEqual((await host.run("test -e /etc/never || test -e /var/lib/hastack/units/etcd")).code, 0);
    assert.equal((await host.run(`${converge} preflight etcd`, { input: "fiel x\nend\n" })).code, 2);
  });

  test("facts are those of the host", async () => {
    const facts = JSON.parse(await host.sh(`${converge} facts`));
    const [hostname, kernel, version, memory, now] = (
      await host.sh(
        `hostname; uname -r; . /etc/os-release; echo $VERSION_ID; awk '/MemTotal/ {print int($2/1024)}' /proc/meminfo; date +%s`,
      )
    ).split("\n");
    assert.deepEqual(
      [facts.hostname, facts.kernel, facts.os.version_id, facts.memory_mib],
      [hostname, kernel, version, Number(memory)],
    );
    assert.ok(Math.abs(facts.time - Number(now)) < 5);
    assert.ok(facts.addresses.includes("192.168.1.10/24"));
    const root = facts.disks.find((disk: { mount: string }) => disk.mount === "/");
    assert.ok(root.free_mib > 0 && root.free_mib <= root.size_mib);
    const ssh = facts.listening.find((listener: { port: number }) => listener.port === 22);
    assert.deepEqual(ssh, { port: 22, address: "0.0.0.0", process: "sshd" });
  });

  test("checking an unchanged host with 10 units takes less than a second, facts less than 0.3 s", async () => {
    await host.applied("packages", `${packageSource()}\npackage hastack-lab-sample libyaml-0-2`);
    const role = (n: number) => [
      ...Array.from({ length: 8 }, (_, m) => file(`/srv/ten-${n}-${m}`, "line\n".repeat(100))),
      "package hastack-lab-sample libyaml-0-2",
      ensure("step", "test -e /", "false"),
      "sysctl net.ipv4.ip_forward 0",
      n < 2 ? service(`ten${n}`, "x") : "service ssh enabled started",
    ];
    for (let n = 0; n < 10; n++) await host.applied(`ten-${n}`, role(n).join("\n"));
    const checks = [await milliseconds(`${converge} check`), await milliseconds(`${converge} check`)];
    const facts = [await milliseconds(`${converge} facts`), await milliseconds(`${converge} facts`)];
    const status = JSON.parse((await host.run(`${converge} check`)).stdout);
    for (let n = 0; n < 10; n++) assert.deepEqual(status.units[`ten-${n}`].drift, []);
    for (let n = 0; n < 2; n++) await host.remove(`ten-${n}`);
    assert.ok(Math.min(...checks) < 1000, `check took ${checks} ms`);
    assert.ok(Math.min(...facts) < 300, `facts took ${facts} ms`);
  });

  test("installing again is quiet, and a newer agent replaces an older one", async () => {
    await host.sh(`echo 'print "old\\n"' >${converge}`);
    await host.installAgent();
    const inode = await host.sh(`stat -c '%i %a %U' ${converge}`);
    await host.installAgent();
    assert.equal(await host.sh(`stat -c '%i %a %U' ${converge}`), inode);
    assert.match(inode, / 755 root$/m);
  });
});
