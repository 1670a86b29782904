import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { converge, TestHost } from "./host";
import { ensure, file } from "./text";

describe("secrets", () => {
  let host: TestHost;
  before(async () => {
    host = await TestHost.start();
  });
  after(() => host.stop());

  test("they can be forgotten, also those of a unit that was never applied, and nothing else goes", async () => {
    await host.storeSecrets("never", "d", { "a|raw": "x" });
    await host.applied("kept", file("/root/kept-file", "here"));
    await host.storeSecrets("kept", "d", { "a|raw": "x" });
    for (const unit of ["never", "kept", "unknown"]) await host.sh(`${converge} forget ${unit}`);
    assert.equal(await host.sh("ls /var/lib/hastack/units | grep -c never || true"), "0\n");
    assert.equal(await host.sh("ls /var/lib/hastack/units/kept"), "applied\ninventory\ntext\n");
    assert.equal(await host.read("/root/kept-file"), "here\n");
  });

  describe("any value arrives byte for byte, in files and in scripts", () => {
    const values: [name: string, value: string][] = [
      ["the article's own", "jhYg/=\\F"],
      ["quotes", `'"\`"'`],
      ["injection", "'; DROP TABLE users; --"],
      ["shell", `$(reboot) \`reboot\` \${HOME} $$ ; | & > <`],
      ["perl and sed", "@{secret:other} @{at} %s \\1 & $1 \\Q"],
      ["Cyrillic", "пароль — 密码"],
      ["one letter", "x"],
      ["blanks at its ends", "  two  "],
      ["lines", "-----BEGIN KEY-----\nMIIEvQIBADANBgkqhkiG9w0B\nAQEFAASCBKcwggSj\n-----END KEY-----\n"],
      ["100 kB", "0123456789".repeat(10_000)],
    ];
    for (const [name, value] of values) {
      test(name, async () => {
        const text = `${file("/root/secret-file", "[@{secret:a|raw}]", "0600 root:root")}
${ensure("script", "test -e /root/secret-copy", "cat >/root/secret-copy <<'VALUE'\n[@{secret:a|raw}]\nVALUE")}`;
        await host.sh("rm -f /root/secret-copy");
        await host.storeSecrets("values", "d", { "a|raw": value });
        await host.applied("values", text, { secrets: "d" });
        assert.equal(await host.read("/root/secret-file"), `[${value}]\n`);
        assert.equal(await host.read("/root/secret-copy"), `[${value}]\n`);
        assert.deepEqual(await host.drift("values"), []);
      });
    }

    test("and binary", async () => {
      const base64 = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte)).toString("base64");
      await host.sh(`${converge} secrets values d`, { input: `b ${base64}\nend\n` });
      await host.applied("values", "file /root/secret-file 0600 root:root no-final-newline <<'E'\n@{secret:b}\nE", {
        secrets: "d",
      });
      assert.equal((await host.sh("base64 -w0 /root/secret-file")).trim(), base64);
    });
  });

  test("are seen by no other user at any moment: not in processes, files, journal or output", async () => {
    const value = "zYx9-secret-canary-AbC";
    const leak = "zYx9-planted-canary-AbC";
    // Looks, as an ordinary user, at every command line and at every file that is readable to all, again and again.
    const spy = `use strict; my @wanted = map { join "-", "zYx9", $_, "canary", "AbC" } qw(secret planted); my %seen;
sub look { my ($where, $path) = @_; open my $f, "<", $path or return; local $/; my $text = <$f> // return;
  for my $w (@wanted) { $seen{"$w in $where"} = 1 if index($text, $w) >= 0 } }
sub walk { my ($dir) = @_; opendir my $d, $dir or return;
  for my $name (grep { !/^\\.\\.?$/ } readdir $d) { my $p = "$dir/$name"; next if -l $p;
    if (-d _) { walk($p) } elsif (-f _ && -s _ && -s _ < 1e6) { look("a file", $p) } } }
my $rounds = 0;
until (-e "/run/spy.stop") {
  $rounds++;
  for my $pid (grep /^[0-9]+$/, do { opendir my $d, "/proc"; readdir $d }) { look("a command line", "/proc/$pid/cmdline"); look("an environment", "/proc/$pid/environ") }
  walk($_) for qw(/etc /run /tmp /var/tmp /var/lib /var/log /var/cache /srv);
}
print "rounds $rounds\\n", map { "$_\\n" } sort keys %seen;`;
    await host.sh("cat >/tmp/spy.pl; rm -f /run/spy.stop", { input: spy });
    const watching = host.begin("perl /tmp/spy.pl", { user: "deploy" });
    await host.until("pgrep -u deploy -f spy.pl");

    // That the spy sees what there is to see:
    await host.sh(`(umask 022; echo ${leak} >/srv/planted); perl -e 'sleep 2' ${leak}; rm /srv/planted`);

    await host.storeSecrets("quiet", "d", { password: value });
    const leaky = `echo "password is @{secret:password}"; echo "@{secret:password}" >&2`;
    const text = `directory /srv/quiet 0700 root:root
${file("/srv/quiet/conf", "password=@{secret:password}", "0600 root:root")}
${file(
  "/etc/systemd/system/quiet.service",
  "[Service]\nExecStart=/bin/sh -c 'cat /srv/quiet/conf; sleep 0.3; exit 7'\nEnvironment=PATH=/usr/bin:/bin",
)}
${ensure("talks", `${leaky}; sleep 0.5; test -e /srv/quiet/done`, `${leaky}; sleep 0.5; touch /srv/quiet/done`)}
wait 5 "talks too" <<'E'
${leaky}; sleep 0.5
E
`;
    const outputs: string[] = [];
    const applied = await host.run(`${converge} apply quiet d t`, { input: `${text}end\n` });
    outputs.push(applied.stdout, applied.stderr);
    assert.equal(applied.code, 0, applied.stderr);
    await host.sh("rm /srv/quiet/done");
    outputs.push((await host.run(`${converge} check`)).stdout);
    // Failures relay what scripts and services said
    for (const failing of [
      ensure("fails", `${leaky}; exit 1`, `${leaky}; exit 1`),
      `wait 1 "never" <<'E'\n${leaky}; exit 1\nE`,
      `require "no" <<'E'\n${leaky}; exit 1\nE`,
      "service quiet started",
    ]) {
      const result = await host.run(`${converge} apply quiet d t`, { input: `${text}${failing}\nend\n` });
      assert.equal(result.code, 1, result.stdout);
      assert.match(result.stderr, /password(?: is |=)\*\*\*/, "what was said is relayed, with stars");
      outputs.push(result.stdout, result.stderr, (await host.run(`${converge} check`)).stdout);
    }
    outputs.push(await host.remove("quiet"));
    await host.sh("touch /run/spy.stop");
    const report = (await watching.ended).stdout;

    const rounds = Number(report.match(/rounds (\d+)/)?.[1]);
    assert.ok(rounds >= 5, `the spy looked often enough: ${report}`);
    assert.match(report, /planted-canary-AbC in a command line/);
    assert.match(report, /planted-canary-AbC in a file/);
    assert.doesNotMatch(report, /secret-canary/);
    for (const output of outputs) assert.ok(!output.includes(value), output);
    // The service itself wrote its password to the journal, nobody else did.
    assert.equal(
      await host.sh(`journalctl --no-pager -q | grep -F ${value} | grep -v 'quiet.service\\|password=' || true`),
      "",
    );
    assert.equal(await host.sh("find /run/hastack -type f ! -name lock"), "", "no script is left over");
  });

  test("stay root-only on the host", async () => {
    await host.storeSecrets("modes", "d", { a: "12345" });
    const modes =
      "stat -c '%a %U %n' /var/lib/hastack /var/lib/hastack/units/modes /var/lib/hastack/units/modes/secrets";
    assert.equal(
      await host.sh(modes),
      "700 root /var/lib/hastack\n700 root /var/lib/hastack/units/modes\n600 root /var/lib/hastack/units/modes/secrets\n",
    );
  });

  test("of another version than the run needs are refused, and told from none", async () => {
    const text = file("/root/x", "@{secret:a}", "0600 root:root");
    await host.storeSecrets("versions", "v1", { a: "12345" });
    await host.applied("versions", text, { secrets: "v1" });
    const other = await host.apply("versions", text, { secrets: "v2" });
    assert.equal(other.code, 1);
    assert.match(
      other.stderr,
      /secrets of unit versions on this host are version v1, this run needs v2: run `pulumi up` again/,
    );
    const none = await host.apply("nothing", text, { secrets: "v1" });
    assert.match(
      none.stderr,
      /secret a is named in the text and not on this host: store it with `converge secrets nothing`/,
    );
  });

  test("a rotation is seen by check until it is applied", async () => {
    const text = file("/root/x", "@{secret:a}", "0600 root:root");
    await host.storeSecrets("rotates", "v1", { a: "old-value" });
    await host.applied("rotates", text, { secrets: "v1" });
    await host.storeSecrets("rotates", "v2", { a: "new-value" });
    assert.deepEqual(await host.drift("rotates"), ["secrets changed since the last apply"]);
    assert.deepEqual((await host.applied("rotates", text, { secrets: "v2" }))[0], "/root/x content changed");
    assert.equal(await host.read("/root/x"), "new-value\n");
    assert.deepEqual(await host.drift("rotates"), []);
  });

  test("a set that did not arrive whole is refused and the old set stays", async () => {
    await host.storeSecrets("whole", "v1", { a: "old-value", b: "other" });
    for (const input of [
      "",
      "a bmV3\n",
      "a bmV3\nb",
      "a bmV\nend\n",
      "a\nend\n",
      "a bmV3\na bmV3\nend\n",
      "a bm!3\nend\n",
    ]) {
      const result = await host.run(`${converge} secrets whole v2`, { input });
      assert.equal(result.code, 2, JSON.stringify(input));
      assert.ok(!result.stderr.includes("bmV"), "an error shows no value");
    }
    await host.applied("whole", file("/root/x", "@{secret:a}", "0600 root:root"), { secrets: "v1" });
    assert.equal(await host.read("/root/x"), "old-value\n");
  });

  test("a set whose storing is killed is the old one or the new one", async () => {
    const many = (value: string) =>
      Array.from({ length: 300 }, (_, n) => `s${n} ${Buffer.from(value.repeat(100)).toString("base64")}\n`).join("");
    await host.sh(`${converge} secrets torn old`, { input: `${many("old")}end\n` });
    const found = new Set<string>();
    for (let round = 0; round < 10; round++) {
      const delay = (0.01 + round * 0.006).toFixed(3);
      await host.run(`timeout -s KILL ${delay} ${converge} secrets torn new`, { input: `${many("new")}end\n` });
      const values = await host.sh("sed 1,2d /var/lib/hastack/units/torn/secrets | cut -d' ' -f2 | sort | uniq -c");
      const digest = await host.sh("head -1 /var/lib/hastack/units/torn/secrets");
      assert.match(values, /^ *300 \S+\n$/, "one value in all lines");
      assert.equal(
        Buffer.from(values.trim().split(" ")[1] ?? "", "base64")
          .toString()
          .slice(0, 3),
        digest.trim(),
      );
      found.add(digest.trim());
      await host.sh(`${converge} secrets torn old`, { input: `${many("old")}end\n` });
    }
    assert.deepEqual([...found].sort(), ["new", "old"], "kills came before and after the change");
  });

  test("printing a set names the secrets and shows none", async () => {
    const said = await host.sh(`${converge} secrets names v1`, { input: "b|yaml c2VjcmV0\na c2VjcmV0\nend\n" });
    assert.equal(said, "names: secrets stored: a b|yaml\n");
  });

  test("their token is answered by check, so that a caller sees a set that is lost", async () => {
    await host.sh(`${converge} secrets tokens v1 the token`, { input: "a c2VjcmV0\nend\n" });
    const units = async () => JSON.parse((await host.run(`${converge} check`)).stdout).units as Record<string, unknown>;
    assert.deepEqual((await units())["tokens.secrets"], { token: "the token", drift: [] });
    await host.remove("tokens");
    assert.equal((await units())["tokens.secrets"], undefined);
  });
});
