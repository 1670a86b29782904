/**
 * `hastack doctor` on hosts that were never touched: of a machine that is not fit, it says in what, and the cure. The tests
 * run in order. See support/test-lab.ts for working on them.
 */
import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import type { Check, Diagnosis } from "../../components/cli/check";
import { Stack } from "./support/stack";
import { TestLab } from "./support/test-lab";

type Answer = Diagnosis & { code: number; printed: string };

const otherKey = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIKg1bT0n2bCkfB2Rjj0PDGQq6cLw4kEQf0xWqk8FJ8Hq";

describe("hastack doctor", () => {
  const lab = new TestLab();
  const stack = new Stack(lab, {}, "postgres");

  before(async () => {
    await lab.start("postgres");
    await stack.init();
  });
  after(() => lab.stop());

  async function doctor(...environment: string[]): Promise<Answer> {
    const command = ["env", ...environment, "node", "--import", "tsx", "components/cli/main.ts", "doctor", "--json"];
    const { code, stdout, stderr } = await lab.exec([...command, "--stack", "postgres", "--config-file", stack.file], {
      seconds: 200,
    });
    assert.ok(stdout.startsWith("{"), `doctor: exit ${code}\n${stderr}`);
    return { ...(JSON.parse(stdout) as Diagnosis), code, printed: stdout };
  }

  /** What is wrong with a host, by what it is about. */
  function wrong({ hosts }: Diagnosis, host: string): Record<string, Check> {
    return Object.fromEntries(
      (hosts[host] ?? []).filter(({ verdict }) => verdict !== "ok").map((check) => [check.about, check]),
    );
  }

  test("hosts that are fit: nothing stands in the way, and nothing was changed on them", async () => {
    const found = await doctor();
    assert.deepEqual(Object.fromEntries(Object.keys(found.hosts).map((host) => [host, wrong(found, host)])), {
      psql1: {},
      psql2: {},
      psql3: {},
      proxy1: {},
      proxy2: {},
    });
    assert.deepEqual(
      found.machine.filter(({ verdict }) => verdict !== "ok"),
      [],
    );
    assert.equal(found.code, 0);
    const topics = (found.hosts.proxy1 ?? []).map(({ about }) => about);
    for (const about of ["host key", "sudo", "disk", "ports", "virtual address", "packages", "network", "clock"]) {
      assert.ok(topics.includes(about), `${about} was not looked at`);
    }
    const left = await lab.lab([
      "ssh",
      "proxy1",
      "ls -d /usr/local/lib/hastack /var/lib/hastack /etc/apt/sources.list.d/hastack* /tmp/tmp.* 2>/dev/null || true",
    ]);
    assert.equal(left, "");
  });

  test("each host that is not fit is named, with what is wrong and the cure", async () => {
    const onHost = (host: string, script: string) => lab.lab(["ssh", host, script]);
    const pinned = stack.settings["hastack:ssh"] as { knownHostsFile: string };
    const known = readFileSync(pinned.knownHostsFile.replace(/^\.lab/, lab.state), "utf8");
    const file = join(lab.state, "other_known_hosts");
    writeFileSync(file, known.replace(/^(psql1,\S+) .*$/m, `$1 ${otherKey}`));
    const restore = stack.configure({ "hastack:ssh": { knownHostsFile: file } });
    await onHost("psql2", "mv /etc/sudoers.d/deploy /root; ip address add 192.168.1.200/24 dev eth0");
    await onHost(
      "psql3",
      `systemd-run --quiet --unit=squatter perl -MIO::Socket::INET -e 'my $socket = IO::Socket::INET->new(LocalPort => 5432, Listen => 1); sleep'`,
    );
    // The lab's hosts share the machine's clock and disk: what tells of them is told otherwise.
    await onHost(
      "proxy1",
      `printf '#!/bin/sh\\n/bin/date -d "+90 seconds" "$@"\\n' >/usr/local/bin/date; chmod +x /usr/local/bin/date`,
    );
    await onHost(
      "proxy1",
      `printf '#!/bin/sh\\nprintf " 9000 300 /\\\\n"\\n' >/usr/local/bin/df; chmod +x /usr/local/bin/df`,
    );
    await lab.lab(["partition", "proxy1", "psql3"]);
    await lab.lab(["power-off", "proxy2"]);
    try {
      const found = await doctor();
      assert.equal(found.code, 1);
      const { psql1, psql2, psql3, proxy1, proxy2 } = Object.fromEntries(
        Object.keys(found.hosts).map((host) => [host, wrong(found, host)]),
      );
      assert.deepEqual(Object.keys(psql1 ?? {}), ["host key"]);
      assert.match(
        psql1?.["host key"]?.says ?? "",
        /presents the host key SHA256:\S+, which is not the one that is pinned/,
      );
      assert.match(psql1?.["host key"]?.cure ?? "", /ssh-keyscan -p 22 192\.168\.1\.130/);
      assert.deepEqual(Object.keys(psql2 ?? {}), ["sudo"]);
      assert.match(psql2?.sudo?.cure ?? "", /\/etc\/sudoers\.d\/deploy with `deploy ALL=\(ALL\) NOPASSWD: ALL`/);
      assert.deepEqual(Object.keys(psql3 ?? {}).sort(), ["network", "ports"], "the partition is seen from both ends");
      assert.match(
        psql3?.ports?.says ?? "",
        /port 5432: needed for PostgreSQL, but perl \(process \d+\) already listens on 0\.0\.0\.0:5432/,
      );
      assert.match(psql3?.ports?.cure ?? "", /^stop it, or choose another port/);
      assert.deepEqual(Object.keys(proxy1 ?? {}).sort(), ["clock", "disk", "network", "virtual address"]);
      assert.match(proxy1?.clock?.says ?? "", /the clocks of .* and proxy1 are (89|90|91)\.\d s apart/);
      assert.match(proxy1?.clock?.cure ?? "", /Set up time synchronisation/);
      assert.match(proxy1?.disk?.says ?? "", /only 300 MiB are free on \//);
      assert.match(proxy1?.network?.says ?? "", /no answer from psql3 \(192\.168\.1\.132\) on TCP 5432, 8008/);
      assert.match(
        proxy1?.["virtual address"]?.says ?? "",
        /192\.168\.1\.200 is in use by the host with the MAC address/,
      );
      assert.deepEqual(Object.keys(proxy2 ?? {}), ["connection"]);
      assert.match(proxy2?.connection?.cure ?? "", /start the host and its sshd, and open TCP port 22 from here/);
      for (const check of Object.values(found.hosts).flat()) {
        assert.ok(check.verdict === "ok" || (check.cure ?? "") !== "", `no cure: ${check.says}`);
      }
    } finally {
      restore();
      await lab.lab(["heal"]);
      await lab.lab(["power-on", "proxy2"]);
      await onHost("proxy1", "rm /usr/local/bin/date /usr/local/bin/df");
      await onHost("psql2", "mv /root/deploy /etc/sudoers.d/; ip address delete 192.168.1.200/24 dev eth0");
      await onHost("psql3", "systemctl stop squatter");
    }
  });

  test("a login, a package source and a passphrase that are wrong, and a program that refuses its settings", async () => {
    const restore = stack.configure({
      "hastack:ssh": { user: "stranger" },
      "hastack:pooler": { virtualIp: "10.1.2.3/24" },
    });
    try {
      const found = await doctor("PULUMI_CONFIG_PASSPHRASE=wrong");
      assert.equal(found.code, 1);
      assert.match(wrong(found, "psql1").login?.says ?? "", /stranger is not let in/);
      assert.match(
        found.machine.find(({ about }) => about === "secrets")?.says ?? "",
        /the passphrase is not that of the stack/,
      );
    } finally {
      restore();
    }
    const again = stack.configure({
      "hastack:apt": { uri: "http://192.168.1.1:8081/debian-12" },
      "hastack:pooler": { virtualIp: "10.1.2.3/24" },
    });
    try {
      const found = await doctor();
      assert.match(wrong(found, "psql1")["package source"]?.says ?? "", /Failed to fetch http:\/\/192\.168\.1\.1:8081/);
      assert.match(wrong(found, "psql1").packages?.says ?? "", /Unable to locate package patroni/);
      const program = found.machine.filter(({ about, verdict }) => about === "program" && verdict === "fail");
      assert.equal(program.length, 1, "one fault is one complaint");
      assert.match(program[0]?.says ?? "", /virtualIp: 10\.1\.2\.3: proxy1 has no interface in its network/);
    } finally {
      again();
    }
  });

  test("a project or a command line that is wrong: exit code 2, and what to do", async () => {
    const run = (...words: string[]) => lab.exec(["node", "--import", "tsx", "components/cli/main.ts", ...words]);
    for (const [words, message] of [
      [["doctor", "--stack", "nonesuch"], /stack nonesuch/],
      [["doctor", "--colour"], /Unknown option '--colour'/],
      [["docter"], /unknown command "docter"; there are doctor, status, drift/],
    ] as const) {
      const { code, stderr } = await run(...words);
      assert.equal(code, 2, `${words.join(" ")}: ${stderr}`);
      assert.match(stderr, message);
    }
  });
});
