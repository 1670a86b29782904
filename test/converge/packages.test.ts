import assert from "node:assert/strict";
import { after, before, beforeEach, describe, test } from "node:test";
import { converge, TestHost } from "./host";
import { file, mirror, packageSource } from "./text";

const sample = "hastack-lab-sample"; // in the lab's mirror as 1.0 and 2.0, with a service that its package starts
const version = `dpkg-query -W -f '\${Version}' ${sample}`;

describe("packages", () => {
  let host: TestHost;
  before(async () => {
    host = await TestHost.start();
  });
  after(() => host.stop());
  beforeEach(async () => {
    await host.sh(`rm -f /usr/sbin/policy-rc.d /var/lib/hastack/apt-updated
apt-mark unhold ${sample} >/dev/null 2>&1 || true; dpkg --purge ${sample} >/dev/null 2>&1 || true`);
    await host.applied("source", packageSource());
  });

  test("a missing package is installed, in a transaction with the lines next to it", async () => {
    const text = `package ${sample}=1.0\npackage libyaml-0-2`;
    await host.sh("dpkg --purge libyaml-0-2 >/dev/null 2>&1 || true");
    assert.deepEqual(await host.applied("p", text), [
      `installing ${sample}=1.0 libyaml-0-2`,
      "updating the package lists",
      `package ${sample} installed`,
      "package libyaml-0-2 installed",
      "2 changed, 0 in order",
    ]);
    await host.sh("dpkg --purge libyaml-0-2");
    assert.deepEqual(await host.drift("p"), ["package libyaml-0-2 missing"]);
    assert.deepEqual(await host.applied("p", text), [
      "installing libyaml-0-2",
      "package libyaml-0-2 installed",
      "1 changed, 0 in order",
    ]);
    assert.deepEqual(await host.applied("p", text), ["0 changed, 1 in order"]);
  });

  test("what is installed does not start by itself, and nothing is left that would keep it from starting", async () => {
    await host.applied("p", `package ${sample}=1.0`);
    const service = (await host.sh(`dpkg -L ${sample} | sed -n 's,.*/\\([^/]*\\.service\\)$,\\1,p'`)).trim();
    assert.notEqual((await host.run(`systemctl is-active ${service}`)).code, 0);
    assert.notEqual((await host.run("test -e /usr/sbin/policy-rc.d")).code, 0);
    await host.sh(`dpkg --purge ${sample} && apt-get install -y -qq ${sample}=1.0 && systemctl is-active ${service}`);
  });

  test("an older version is brought to the wanted one, and a newer one back", async () => {
    await host.applied("p", `package ${sample}=1.0`);
    assert.equal(await host.sh(version), "1.0");
    const error = await host.drift("p");
    assert.deepEqual(error, []);
    await host.applied("p", `package ${sample}=2.0`);
    assert.equal(await host.sh(version), "2.0");
    await host.sh(`apt-get install -y -qq --allow-downgrades ${sample}=1.0`);
    assert.deepEqual(await host.drift("p"), [`package ${sample} 1.0, want 2.0`]);
    await host.applied("p", `package ${sample}=2.0`);
    assert.deepEqual((await host.applied("p", `package ${sample}=1.0`)).at(-2), `package ${sample} 2.0, now 1.0`);
  });

  test("a hold is put on, restored, passed by a wanted version, and lifted when the text says so no more", async () => {
    const held = `apt-mark showhold`;
    await host.applied("p", `package ${sample}=1.0 hold`);
    assert.equal(await host.sh(held), `${sample}\n`);
    await host.sh(`apt-mark unhold ${sample}`);
    assert.deepEqual(await host.drift("p"), [`package ${sample} not held`]);
    await host.applied("p", `package ${sample}=1.0 hold`);
    await host.applied("p", `package ${sample}=2.0 hold`);
    assert.equal(await host.sh(`${version}; echo; ${held}`), `2.0\n${sample}\n`);
    assert.deepEqual(await host.applied("p", `package ${sample}`), [
      `package ${sample} no longer held`,
      "0 changed, 1 in order",
    ]);
    assert.equal(await host.sh(held), "");
  });

  test("a version held by the operator is changed when the text names another, and stays held", async () => {
    await host.applied("p", `package ${sample}=1.0`);
    await host.sh(`apt-mark hold ${sample}`);
    assert.deepEqual(await host.drift("p"), []);
    await host.applied("p", `package ${sample}=2.0`);
    assert.equal(await host.sh(`${version}; echo; apt-mark showhold`), `2.0\n${sample}\n`);
  });

  test("a package is installed through a program that the unit brings", async () => {
    const program = "/root/through";
    const script = `#!/bin/sh\necho "$*" >>/root/commands\nANSWER=given exec "$@"`;
    const text = `${file(program, script, "0755 root:root")}\npackage ${sample}=1.0 hold through ${program}`;
    await host.sh("rm -f /root/commands");
    await host.applied("p", text);
    assert.match(await host.read("/root/commands"), /^apt-get install .* hastack-lab-sample=1\.0\n$/);
    assert.deepEqual(await host.drift("p"), []);
    assert.equal(await host.sh("apt-mark showhold"), `${sample}\n`);
  });

  test("a package or version that no source has is an error with apt's own words", async () => {
    const unknown = await host.refused("p", "package no-such-package-here");
    assert.match(
      unknown,
      /line 1, package no-such-package-here: apt-get install no-such-package-here failed: exit code 100/,
    );
    assert.match(unknown, /E: Unable to locate package no-such-package-here/);
    assert.match(
      await host.refused("p", `package ${sample}=9.9`),
      /E: Version '9\.9' for 'hastack-lab-sample' was not found/,
    );
  });

  test("a mirror that is down is an error that names it", async () => {
    await host.sh("rm -rf /var/lib/apt/lists/*; apt-get clean");
    const down = "http://192.168.1.1:9/debian-12/";
    const error = await host.refused("p", `${packageSource(down)}\npackage ${sample}`);
    assert.match(error, /package hastack-lab-sample: apt-get install hastack-lab-sample failed/);
    assert.match(
      error,
      /Failed to fetch http:\/\/192\.168\.1\.1:9\/debian-12\/.*Connection refused|connect.*192\.168\.1\.1:9/s,
    );
    await host.applied("p", `${packageSource()}\npackage ${sample}`);
  });

  test("a mirror whose signature is not by the given key is not trusted", async () => {
    await host.sh("rm -rf /var/lib/apt/lists/*");
    const other = "/usr/share/keyrings/debian-archive-keyring.gpg";
    const text = file("/etc/apt/sources.list.d/lab.list", `deb [signed-by=${other}] ${mirror} ./`);
    const error = await host.refused("p", `${text}\npackage ${sample}`);
    assert.match(error, /NO_PUBKEY|is not signed|couldn't be verified/);
    assert.notEqual((await host.run(version)).code, 0);
  });

  test("lists that are fresh and lack the package are updated once more", async () => {
    await host.applied("p", `package ${sample}=1.0`);
    await host.sh(`dpkg --purge ${sample} >/dev/null; rm -rf /var/lib/apt/lists/*`);
    const said = await host.applied("p", `package ${sample}=1.0`);
    assert.deepEqual(said.slice(0, 2), [`installing ${sample}=1.0`, "updating the package lists"]);
  });

  test("nothing is removed to make room for a package", async () => {
    const build = `d=$(mktemp -d); mkdir -p $d/DEBIAN
printf 'Package: rival\\nVersion: 1\\nArchitecture: all\\nMaintainer: x <x@example.invalid>\\nConflicts: ${sample}\\nDescription: x\\n' >$d/DEBIAN/control
dpkg-deb --root-owner-group -b $d /root/rival.deb >/dev/null; sha256sum /root/rival.deb | cut -d' ' -f1`;
    const sum = (await host.sh(build)).trim();
    await host.applied("p", `package ${sample}`);
    const error = await host.refused("p", `deb rival 1 sha256:${sum} /root/rival.deb`);
    assert.match(error, /E: Packages need to be removed but remove is disabled/);
    assert.equal((await host.run(version)).code, 0);
  });

  test("another run of the package manager is waited for, and named", async () => {
    const script = `import fcntl, time
f = open("/var/lib/dpkg/lock-frontend", "w"); fcntl.lockf(f, fcntl.LOCK_EX); open("/run/locked", "w"); time.sleep(4)`;
    const hold = host.begin(`rm -f /run/locked; python3 -c '${script}'`);
    await host.until("test -e /run/locked");
    const said = await host.applied("p", `package ${sample}`);
    await hold.ended;
    const waiting = said.filter((line) => line.startsWith("waiting for the package manager"));
    assert.equal(waiting.length, 1, said.join("\n"));
    assert.match(waiting[0] ?? "", /lock-frontend.* held by process \d+ \(python3\)/);
    assert.equal((await host.run(version)).code, 0);
  });

  test("an installation that was killed in the middle is finished first", async () => {
    await host.sh(`cd /root; apt-get download -qq ${sample}=1.0; dpkg --unpack ${sample}_1.0_all.deb`);
    assert.deepEqual(await host.applied("p", `package ${sample}=1.0`), [
      `installing ${sample}=1.0`,
      "updating the package lists",
      "finishing an interrupted package installation",
      `package ${sample} installed`,
      "1 changed, 0 in order",
    ]);
  });

  describe("the policy that keeps services from starting", () => {
    test("of the operator stays untouched and in force", async () => {
      await host.sh("printf '#!/bin/sh\\nexit 101\\n' >/usr/sbin/policy-rc.d; chmod 755 /usr/sbin/policy-rc.d");
      await host.applied("p", `package ${sample}`);
      assert.equal(await host.read("/usr/sbin/policy-rc.d"), "#!/bin/sh\nexit 101\n");
    });

    test("left over from a killed run lets services start, and goes with the next transaction", async () => {
      const slow = `file /etc/apt/apt.conf.d/99slow 0644 root:root <<'E'\nDPkg::Pre-Invoke { "touch /run/in-dpkg; sleep 2"; };\nE`;
      await host.applied("slow", slow);
      await host.sh("rm -f /run/in-dpkg");
      const apply = host.begin(`${converge} apply p - t`, { input: `package ${sample}=1.0\nend\n` });
      await host.until("test -e /run/in-dpkg");
      assert.equal((await host.run("/usr/sbin/policy-rc.d some.service start")).code, 101, "in force while we live");
      await host.sh("kill -9 $(pgrep -f '[c]onverge apply p ')");
      await apply.ended;
      assert.equal((await host.run("/usr/sbin/policy-rc.d some.service start")).code, 0, "and not afterwards");
      await host.sh("sed -i 's,/proc/[0-9]*/,/proc/1/,' /usr/sbin/policy-rc.d");
      assert.equal(
        (await host.run("/usr/sbin/policy-rc.d some.service start")).code,
        0,
        "nor when its number is reused",
      );
      assert.deepEqual(await host.drift("p"), ["apply was interrupted"]);

      await host.remove("slow");
      await host.applied("p", `package ${sample}=1.0`);
      assert.notEqual((await host.run("test -e /usr/sbin/policy-rc.d")).code, 0);
      assert.deepEqual(await host.drift("p"), []);
    });

    test("lets a package restart a running service that no unit manages", async () => {
      await host.sh(
        "mkdir -p /etc/systemd/system; printf '[Service]\\nExecStart=sleep infinity\\n' >/etc/systemd/system/foreign.service; systemctl daemon-reload; systemctl start foreign",
      );
      const ask = `file /etc/apt/apt.conf.d/99ask 0644 root:root <<'E'
DPkg::Pre-Invoke { "for s in foreign foreign.service other; do /usr/sbin/policy-rc.d $s restart; echo $s $? >>/run/asked; done"; };
E`;
      await host.applied("ask", ask);
      await host.sh("rm -f /run/asked");
      await host.applied("p", `package ${sample}`);
      assert.equal(await host.read("/run/asked"), "foreign 0\nforeign.service 0\nother 101\n");
      await host.remove("ask");
    });
  });

  describe("a package file", () => {
    const sum = async (file: string) => (await host.sh(`sha256sum ${file} | cut -d' ' -f1`)).trim();
    const download = `cd /root; apt-get download -qq ${sample}=1.0 2>/dev/null`;

    test("from a path is installed when its digest is right", async () => {
      await host.sh(download);
      const path = `/root/${sample}_1.0_all.deb`;
      const text = `deb ${sample} 1.0 sha256:${await sum(path)} ${path}`;
      assert.deepEqual((await host.applied("d", text)).slice(-2), [
        `package ${sample} installed`,
        "1 changed, 0 in order",
      ]);
      assert.deepEqual(await host.applied("d", text), ["0 changed, 1 in order"]);
      await host.sh(`apt-get install -y -qq ${sample}=2.0`);
      assert.deepEqual(await host.drift("d"), [`package ${sample} 2.0, want 1.0`]);
      await host.applied("d", text);
      assert.equal(await host.sh(version), "1.0");
    });

    test("from a URL as well, without curl or wget", async () => {
      await host.sh(download);
      const url = `${mirror}pool/${sample}_1.0_all.deb`;
      const text = `deb ${sample} 1.0 sha256:${await sum(`/root/${sample}_1.0_all.deb`)} ${url}`;
      assert.ok((await host.applied("d", text)).includes(`downloading ${url}`));
      assert.equal(await host.sh(version), "1.0");
    });

    test("with another digest, or another package inside, is not installed", async () => {
      await host.sh(download);
      const path = `/root/${sample}_1.0_all.deb`;
      const wrong = await host.refused("d", `deb ${sample} 1.0 sha256:${"0".repeat(64)} ${path}`);
      assert.match(wrong, /has SHA-256 [0-9a-f]{64}, not 0{64}: it is not the file that was meant/);
      const other = await host.refused("d", `deb ${sample} 3.0 sha256:${await sum(path)} ${path}`);
      assert.match(other, /holds hastack-lab-sample 1\.0, and the line says hastack-lab-sample 3\.0/);
      const missing = await host.refused("d", `deb ${sample} 3.0 sha256:${await sum(path)} ${mirror}nothing.deb`);
      assert.match(missing, /cannot download .*nothing\.deb: .*404/s);
      assert.notEqual((await host.run(version)).code, 0);
    });
  });
});
