import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { TestHost } from "./host";
import { ensure, file } from "./text";

describe("files, directories, links", () => {
  let host: TestHost;
  before(async () => {
    host = await TestHost.start();
  });
  after(() => host.stop());

  const target = "/etc/files-test/a.conf";
  const unit = `directory /etc/files-test 0755 root:root\n${file(target, "wanted", "0640 root:adm")}`;

  describe("a file that is not as it should be is reported, healed, and then in order", () => {
    const damages: [name: string, command: string, drift: string, done: string][] = [
      ["content", `echo other >${target}`, "content", "content changed"],
      ["one byte of the same length", `sed -i s/wanted/Wanted/ ${target}`, "content", "content changed"],
      ["mode", `chmod 644 ${target}`, "mode 0644, want 0640", "mode 0644, now 0640"],
      ["setuid bit", `chmod u+s ${target}`, "mode 4640, want 0640", "mode 4640, now 0640"],
      ["owner", `chown deploy ${target}`, "owner deploy:adm, want root:adm", "owner deploy:adm, now root:adm"],
      ["group", `chgrp root ${target}`, "owner root:root, want root:adm", "owner root:root, now root:adm"],
      ["missing", `rm ${target}`, "missing", "created"],
      ["pipe in its place", `rm ${target}; mkfifo ${target}`, "is a pipe", "replaced a pipe"],
    ];
    for (const [name, command, drift, done] of damages) {
      test(name, async () => {
        await host.applied("files", unit);
        await host.sh(command);
        assert.deepEqual(await host.drift("files"), [`${target} ${drift}`]);
        assert.deepEqual(await host.applied("files", unit), [`${target} ${done}`, "1 changed, 1 in order"]);
        assert.equal(await host.sh(`stat -c '%a %U:%G' ${target}; cat ${target}`), "640 root:adm\nwanted\n");
        assert.deepEqual(await host.drift("files"), []);
      });
    }
  });

  test("a symbolic link in a file's place is replaced, and what it led to stays as it was", async () => {
    await host.applied("files", unit);
    await host.sh(`echo precious >/root/precious; ln -sf /root/precious ${target}`);
    assert.deepEqual(await host.drift("files"), [`${target} is a symbolic link`]);
    await host.applied("files", unit);
    assert.equal(await host.read("/root/precious"), "precious\n");
    assert.equal(await host.sh(`stat -c %F ${target}`), "regular file\n");
  });

  test("what was there before any unit is kept once, as it was, for root alone; what a unit made is not", async () => {
    const [path, lead] = ["/etc/originals.conf", "/etc/originals.link"];
    const copies = "/var/lib/hastack/originals";
    await host.sh(`echo theirs >${path}; chmod 0644 ${path}; chown deploy ${path}; ln -sf ${path} ${lead}`);
    const text = (content: string) => `${file(path, content, "0600 root:root")}\nlink ${lead} /etc/hostname`;
    const said = await host.applied("originals", text("ours"));
    assert.deepEqual(said.slice(0, 2), [
      `${path}: what stood there is kept as ${copies}${path}`,
      `${lead}: what stood there is kept as ${copies}${lead}`,
    ]);
    await host.applied("originals", text("changed"));
    await host.applied("second", file(path, "changed", "0600 root:root"));
    const shown = `cd ${copies}; stat -c '%a %U' . .${path}; cat .${path}; readlink .${lead}`;
    assert.equal(await host.sh(shown), `700 root\n644 deploy\ntheirs\n${path}\n`);
  });

  test("a directory in a file's place is moved aside with all that is in it", async () => {
    await host.applied("files", unit);
    await host.sh(`rm ${target}; mkdir ${target}; echo precious >${target}/inside`);
    assert.deepEqual(await host.drift("files"), [`${target} is a directory`]);
    const [moved] = await host.applied("files", unit);
    const saved = moved?.match(/moved to (\S+\.hastack-saved-\d{8}T\d{6}Z)$/)?.[1];
    assert.ok(saved, `says where the directory went: ${moved}`);
    assert.equal(await host.read(`${saved}/inside`), "precious\n");
    assert.equal(await host.read(target), "wanted\n");
  });

  test("a file never exists under its name half-written or with more permissions than it should have", async () => {
    const big = file("/etc/watched", "x".repeat(1 << 20), "0600 root:root");
    const watch = host.begin(
      "until [ -e /etc/watched ]; do :; done; stat -c '%s %a' /etc/watched; " +
        "for i in $(seq 300); do stat -c '%s %a' /etc/watched; done | sort -u",
    );
    await host.applied("watched", big);
    const seen = new Set((await watch.ended).stdout.trim().split("\n"));
    assert.deepEqual([...seen], [`${(1 << 20) + 1} 600`]);
    await host.remove("watched");
  });

  describe("content arrives byte for byte", () => {
    const contents: [name: string, content: string][] = [
      ["quotes", `it's "quoted" and 'quoted'\n`],
      ["backslashes", "a\\b\\\\c\\n \\0 \\\n"],
      ["dollars and backticks", `$HOME \${PATH} $(id) \`id\` $$\n`],
      ["percent and braces", "%s %d %% {} {{x}} @ @@ @x\n"],
      ["UTF-8", "Привет, мир — ✓ 日本語 🐘\n"],
      ["tabs and blanks at the end", "\ttab \t \n   \n\n\n"],
      ["no text at all", ""],
      ["one empty line", "\n"],
      ["lines that look like the language", "end\n# comment\nfile /x 0644 root:root\n"],
    ];
    for (const [name, content] of contents) {
      test(name, async () => {
        await host.applied("bytes", `file /etc/bytes 0644 root:root <<'MARK_1'\n${content}MARK_1`);
        assert.equal(await host.read("/etc/bytes"), content);
        assert.deepEqual(await host.drift("bytes"), []);
      });
    }

    test("no final newline", async () => {
      await host.applied("bytes", "file /etc/bytes 0644 root:root no-final-newline <<'E'\nlast\nE");
      assert.equal(await host.read("/etc/bytes"), "last");
    });

    test("a literal @{ is written as @{at}{", async () => {
      await host.applied("bytes", file("/etc/bytes", "@{at}{secret:x} @{at}"));
      assert.equal(await host.read("/etc/bytes"), "@{secret:x} @\n");
    });

    test("bytes that are no UTF-8", async () => {
      const text = Buffer.concat([
        Buffer.from("file /etc/bytes 0644 root:root <<'E'\n"),
        Buffer.from([0xff, 0xfe, 0x80, 0x0a]),
        Buffer.from("E\nend\n"),
      ]);
      await host.sh("/usr/local/lib/hastack/converge apply bytes - t", { input: text });
      assert.equal(await host.sh("od -An -tx1 /etc/bytes"), " ff fe 80 0a\n");
    });

    test("1 MiB", async () => {
      const line = `${"0123456789abcde'\"\\$".repeat(3)}\n`;
      const content = line.repeat(Math.ceil((1 << 20) / line.length));
      await host.applied("bytes", file("/etc/bytes", content.slice(0, -1)));
      assert.equal(await host.read("/etc/bytes"), content);
      assert.deepEqual(await host.applied("bytes", file("/etc/bytes", content.slice(0, -1))), [
        "0 changed, 1 in order",
      ]);
    });
  });

  test("a full disk leaves the old file intact and says so", async () => {
    await host.sh("mkdir -p /mnt/small; mountpoint -q /mnt/small || mount -t tmpfs -o size=64k tmpfs /mnt/small");
    await host.applied("full", file("/mnt/small/a", "old"));
    await host.sh("dd if=/dev/zero of=/mnt/small/filler bs=1k 2>/dev/null || true");
    const error = await host.refused("full", file("/mnt/small/a", "new".repeat(30_000)));
    assert.match(error, /cannot write \/mnt\/small\/a: No space left on device \(what was there is untouched\)/);
    assert.equal(await host.read("/mnt/small/a"), "old\n");
    assert.equal(await host.sh("ls -A /mnt/small"), "a\nfiller\n", "no leftover beside it");
    assert.match((await host.drift("full"))[0] ?? "", /last apply failed: .*No space left/);

    await host.sh("rm /mnt/small/filler");
    await host.applied("full", file("/mnt/small/a", "new"));
    assert.equal(await host.read("/mnt/small/a"), "new\n");
    await host.remove("full");
    await host.sh("umount /mnt/small");
  });

  test("a full disk for the agent's own notes stops an apply before it changes anything", async () => {
    await host.sh("mkdir -p /var/lib/hastack; mount -t tmpfs -o size=16k tmpfs /var/lib/hastack");
    try {
      await host.sh("dd if=/dev/zero of=/var/lib/hastack/filler bs=1k 2>/dev/null || true");
      const error = await host.refused("nospace", file("/etc/never", "x"));
      assert.match(error, /\/var\/lib\/hastack.*No space left on device/);
      assert.notEqual((await host.run("test -e /etc/never")).code, 0);
    } finally {
      await host.sh("umount /var/lib/hastack");
    }
  });

  test("a file whose directory is missing is refused with the cure", async () => {
    const error = await host.refused("files2", file("/etc/nowhere/a", "x"));
    assert.match(error, /line 1, file \/etc\/nowhere\/a: there is no directory \/etc\/nowhere: add a `directory/);
  });

  test("an owner that does not exist is reported by name", async () => {
    const error = await host.refused("files2", file("/etc/a", "x", "0644 nobody-here:root"));
    assert.match(error, /there is no user nobody-here on this host/);
    await host.remove("files2");
  });

  test("root does not write through a link that another user owns", async () => {
    await host.sh("mkdir -p /srv/theirs; chown deploy /srv/theirs; rm -f /srv/theirs/conf");
    await host.sh("ln -s /etc /srv/theirs/conf", { user: "deploy" });
    const error = await host.refused("files3", file("/srv/theirs/conf/passwd-copy", "x"));
    assert.match(error, /\/srv\/theirs\/conf is a symbolic link that belongs to user id \d+, not to root/);
    assert.notEqual((await host.run("test -e /etc/passwd-copy")).code, 0);
    await host.remove("files3");
  });

  describe("directories", () => {
    const directories = "directory /srv/d 0750 root:adm\ndata /srv/data 0700 deploy:deploy";

    test("owner and mode are healed, what is inside is left alone", async () => {
      await host.applied("dirs", directories);
      await host.sh("echo x >/srv/d/inside; chmod 777 /srv/d; chown root: /srv/data");
      assert.deepEqual(await host.drift("dirs"), [
        "/srv/d mode 0777, want 0750",
        "/srv/data owner root:root, want deploy:deploy",
      ]);
      await host.applied("dirs", directories);
      assert.equal(await host.sh("stat -c '%a %U:%G' /srv/d /srv/data"), "750 root:adm\n700 deploy:deploy\n");
      assert.equal(await host.read("/srv/d/inside"), "x\n");
    });

    test("data that the operator has moved to another disk behind a link stays there", async () => {
      await host.applied("dirs", directories);
      await host.sh("mkdir -p /mnt/disk; mv /srv/data /mnt/disk/; ln -s /mnt/disk/data /srv/data");
      assert.deepEqual(await host.drift("dirs"), []);
      await host.sh("chmod 755 /mnt/disk/data");
      await host.applied("dirs", directories);
      assert.equal(await host.sh("stat -c %a /mnt/disk/data; readlink /srv/data"), "700\n/mnt/disk/data\n");
      await host.sh("rm /srv/data; mv /mnt/disk/data /srv/data");
    });

    test("a file in a directory's place is moved aside", async () => {
      await host.sh("rm -rf /srv/d; echo precious >/srv/d");
      assert.deepEqual(await host.drift("dirs"), ["/srv/d is a file"]);
      await host.applied("dirs", directories);
      assert.equal(await host.sh("cat /srv/d.hastack-saved-*"), "precious\n");
      await host.sh("rm /srv/d.hastack-saved-*");
    });
  });

  test("links are made, corrected, and replace what is in their place", async () => {
    const text = "link /etc/a-link ../usr/share";
    await host.applied("links", text);
    await host.sh("ln -sfn /tmp /etc/a-link");
    assert.deepEqual(await host.drift("links"), ["/etc/a-link leads to /tmp, want ../usr/share"]);
    await host.applied("links", text);
    await host.sh("rm /etc/a-link; echo x >/etc/a-link");
    assert.deepEqual(await host.drift("links"), ["/etc/a-link is a file"]);
    await host.applied("links", text);
    assert.equal(await host.sh("readlink /etc/a-link"), "../usr/share\n");
  });

  test("absent removes a file, a dangling link and an empty directory, and refuses a full one", async () => {
    const text = "absent /srv/gone";
    await host.applied("absent", text);
    for (const make of ["echo x >/srv/gone", "ln -s /nowhere /srv/gone", "mkdir /srv/gone"]) {
      await host.sh(make);
      assert.deepEqual(await host.drift("absent"), ["/srv/gone present"]);
      assert.deepEqual(await host.applied("absent", text), ["/srv/gone removed", "1 changed, 0 in order"]);
    }
    await host.sh("mkdir /srv/gone; echo precious >/srv/gone/inside");
    assert.match(await host.refused("absent", text), /Only an empty directory is removed: empty it first/);
    assert.equal(await host.read("/srv/gone/inside"), "precious\n");
    await host.sh("rm -r /srv/gone");
  });

  test("users, groups and memberships are made and healed; ids are never changed under files", async () => {
    const text =
      "group crew system\nuser sailor system home /srv/sailor shell /bin/sh groups crew,adm\nuser guest1 group crew";
    assert.deepEqual(await host.applied("people", text), [
      "group crew created",
      "user sailor created",
      "user guest1 created",
      "3 changed, 0 in order",
    ]);
    assert.equal(await host.sh("id -nG sailor; id -gn guest1"), "sailor adm crew\ncrew\n");
    await host.sh("gpasswd -d sailor crew >/dev/null; usermod -s /bin/false -d /tmp sailor");
    assert.deepEqual(await host.drift("people"), [
      "user sailor home /tmp, want /srv/sailor",
      "user sailor shell /bin/false, want /bin/sh",
      "user sailor not in group crew",
    ]);
    await host.applied("people", text);
    assert.deepEqual(await host.drift("people"), []);
    assert.match(
      await host.refused("people", "group crew gid 12345"),
      /group crew has id \d+, want 12345: not changed/,
    );
  });

  test("kernel parameters are set now and for the next boot", async () => {
    const text = 'sysctl net.ipv4.ip_nonlocal_bind 1\nsysctl net.ipv4.ip_local_port_range "20000 60000"';
    await host.applied("kernel", text);
    const now = "cat /proc/sys/net/ipv4/ip_nonlocal_bind /proc/sys/net/ipv4/ip_local_port_range";
    assert.equal(await host.sh(now), "1\n20000\t60000\n");
    await host.sh("echo 0 >/proc/sys/net/ipv4/ip_nonlocal_bind; echo >>/etc/sysctl.d/60-hastack-kernel.conf");
    assert.deepEqual(await host.drift("kernel"), [
      "/etc/sysctl.d/60-hastack-kernel.conf content",
      "sysctl net.ipv4.ip_nonlocal_bind 0, want 1",
    ]);
    await host.applied("kernel", text);
    assert.deepEqual(await host.drift("kernel"), []);
    await host.sh("sysctl --load=/etc/sysctl.d/60-hastack-kernel.conf"); // its syntax is sysctl's
    assert.match(await host.refused("kernel", "sysctl net.ipv4.no_such 1"), /this kernel has no such parameter/);
    await host.remove("kernel");
  });

  test("a step runs only while its check fails, and its check has to pass afterwards", async () => {
    const text = ensure("marker", "test -e /srv/marker || { echo not there; exit 1; }", "echo x >>/srv/marker");
    assert.deepEqual(await host.applied("steps", text), ["marker: done (not there)", "1 changed, 0 in order"]);
    await host.applied("steps", text);
    assert.equal(await host.read("/srv/marker"), "x\n", "done once");
    await host.sh("rm /srv/marker");
    assert.deepEqual(await host.drift("steps"), ["marker: not there"]);
    assert.notEqual((await host.run("test -e /srv/marker")).code, 0, "check does nothing");

    await host.applied("steps", ensure("umask", "test -e /srv/made", "touch /srv/made"));
    assert.equal(await host.sh("stat -c %a /srv/made"), "644\n", "what scripts make is readable as usual");

    const useless = ensure("useless", "echo 5 is missing; exit 1", "true");
    assert.match(await host.refused("steps", useless), /still not so after the change: useless: 5 is missing/);
    const failing = ensure("failing", "exit 1", "echo why it failed; exit 9");
    assert.match(await host.refused("steps", failing), /`do` script failed: exit code 9\n {4}why it failed/);
    await host.remove("steps");
  });

  test("a step that hangs is ended with all its children when its time is over", async () => {
    const error = await host.refused("hang", ensure("hangs", "exit 1", "sleep 4711 & sleep 4711", 1));
    assert.match(error, /no end within 1 s/);
    await host.until("! pgrep -f '[s]leep 4711'", 3);
    await host.remove("hang");
  });

  test("a wait ends as soon as it can, and with the last output when its time is over", async () => {
    await host.sh("rm -f /run/ready; (sleep 1; touch /run/ready) >/dev/null 2>&1 &");
    const said = await host.applied("waits", "wait 20 \"is ready\" <<'E'\ntest -e /run/ready\nE");
    assert.match(said[1] ?? "", /^is ready \(after [0-3]\.\d s\)$/);
    await host.sh("rm /run/ready");
    const error = await host.refused("waits", "wait 1 \"is ready\" <<'E'\necho still booting; exit 3\nE");
    assert.match(error, /wait "is ready": not so after 1 s: exit code 3\n {4}still booting/);
    await host.remove("waits");
  });
});
