import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { converge, TestHost } from "./host";
import { ensure, file } from "./text";

describe("the unit language", () => {
  let host: TestHost;
  before(async () => {
    host = await TestHost.start();
  });
  after(() => host.stop());

  describe("a text with a mistake is refused with its line, and nothing is touched", () => {
    const block = "<<'E'\nx\nE";
    const mistakes: [text: string, message: RegExp][] = [
      ["fiel /etc/a 0644 root:root", /line 2: unknown directive `fiel`; known: absent, data, deb, directory, ensure/],
      [`file /etc/a 0644 root:root`, /line 2: `file`: the content is missing: end the line in <<'MARK'/],
      [`file etc/a 0644 root:root ${block}`, /line 2: `file`: `etc\/a` is not an absolute path/],
      [`file /etc/../a 0644 root:root ${block}`, /`\/etc\/..\/a` is not an absolute path/],
      [`file /etc/a/ 0644 root:root ${block}`, /`\/etc\/a\/` is not an absolute path/],
      [`file /etc/a 0988 root:root ${block}`, /`0988` is not a mode in octal digits/],
      [`file /etc/a 0644 root ${block}`, /`root` is not an owner as USER:GROUP/],
      [`file /etc/a 0644 root:root extra ${block}`, /line 2: `file`: unexpected `extra`/],
      ["directory /etc/a 0755 root:root <<'E'\nE", /line 2: `directory` takes no text block/],
      ["file /etc/a 0644 root:root <<'E'\nx\ny", /line 2: the text that begins with <<'E' has no line `E` at its end/],
      ["file /etc/a 0644 root:root <<E\nx\nE", /line 2: `<<E`: a text block begins with <<'MARK'/],
      ['directory "/etc/a 0755 root:root', /line 2: cannot read `.*`: quotes stand around whole words/],
      ['directory /etc/"a" 0755 root:root', /line 2: cannot read/],
      ['directory "/etc/\\n" 0755 root:root', /line 2: \\n in a quoted word: only \\" and \\\\ are known/],
      ["directory /etc/a 0755 root:root\r", /line 2: the line ends in a carriage return/],
      [
        `file /etc/a 0644 root:root <<'E'\nok\n@{secrets:x}\nE`,
        /line 4: @{secrets:x} is neither @{secret:NAME} nor @{at}/,
      ],
      [`file /etc/a 0644 root:root <<'E'\n\${a} @{\nE`, /line 3: @{ is neither/],
      ["directory /etc/@{secret:x} 0755 root:root", /line 2: @{…} stands in file contents and scripts only/],
      [`file /etc/a 0644 root:root ${block}\nabsent /etc/a`, /line 5: \/etc\/a is already on line 2/],
      ["service x enabled disabled", /line 2: `service x.service`: enabled and disabled exclude each other/],
      ["service x masked started", /masked and started exclude each other/],
      ["service x restart-on /etc/a", /line 2: `\/etc\/a`: no line above makes it/],
      [
        `service x restart-on /etc/a\nfile /etc/a 0644 root:root ${block}`,
        /line 2: `\/etc\/a`: no line above makes it/,
      ],
      ["service x restart-on package:y", /`package:y`: no line above makes it/],
      ["service x restart-on step:y", /`step:y`: no line above makes it/],
      ["package xy through /opt/x", /`through \/opt\/x`: no line above makes it/],
      ["package xy through x", /`x` is not an absolute path/],
      ["service x\nservice x.service", /line 3: x.service is already on line 2/],
      ["package", /line 2: `package`: a package as NAME or NAME=VERSION is missing/],
      ["package UPPER", /`UPPER` is not a package/],
      ["deb xy 1 sha256:12 /x.deb", /`sha256:12` is not a digest/],
      [`deb xy 1 sha256:${"0".repeat(64)} x.deb`, /`x.deb` is not an http\(s\) URL or an absolute path/],
      ["port 70000 x.service y", /70000 is not a port from 1 to 65535/],
      [`ensure "a"\ncheck ${block}`, /line 2: `ensure "a"` needs a `do <<'MARK'` line after it/],
      [`ensure "a" timeout 0\ncheck ${block}\ndo ${block}`, /`0` is not a number of seconds/],
      [`wait "a" 5 ${block}`, /`a` is not a number of seconds/],
      ["directory /etc/a\0b 0755 root:root", /the text has a NUL byte/],
    ];
    for (const [text, message] of mistakes) {
      test(JSON.stringify(text), async () => {
        const error = await host.refused("mistake", `# line 1\n${text}`, 2);
        assert.match(error, message);
        assert.match(error, /^converge: mistake: /);
      });
    }

    test("and the unit does not exist afterwards", async () => {
      assert.notEqual((await host.run(`${converge} check mistake`)).code, 0);
      assert.notEqual((await host.run("test -e /var/lib/hastack/units/mistake")).code, 0);
    });
  });

  test("a text that a lost connection cut short is refused, whatever line it ends at", async () => {
    const text = `directory /srv/a 0755 root:root\n${file("/srv/a/b", "x")}\n`;
    const cuts = [0, 1, 2, 3, 4].map((lines) => text.split("\n").slice(0, lines).join("\n"));
    for (const cut of cuts) {
      const result = await host.run(`${converge} apply cut - t`, { input: cut });
      assert.equal(result.code, 2);
      assert.match(
        result.stderr,
        /the last line is not `end`: the text did not arrive whole|has no line `EOF` at its end/,
      );
    }
  });

  describe("conditions are asked before anything is changed", () => {
    test("a `require` that fails refuses with its message and what its script said", async () => {
      const text = `${file("/etc/conditional", "x")}\nrequire "needs a blue host" <<'E'\necho this one is red; exit 1\nE`;
      const error = await host.refused("conditions", text);
      assert.match(error, /^converge: conditions: line 4, require: needs a blue host\n {4}this one is red\n$/);
      assert.notEqual((await host.run("test -e /etc/conditional")).code, 0);
      assert.notEqual((await host.run(`${converge} check conditions`)).code, 0, "the unit was not taken on");
    });

    test("a port that something else has is refused with the name of that process", async () => {
      const text = `${file("/etc/conditional", "x")}\nport 22 etcd "etcd clients"`;
      const error = await host.refused("conditions", text);
      assert.match(
        error,
        /port 22: needed for etcd clients, but sshd \(process \d+\) already listens on 0\.0\.0\.0:22/,
      );
      assert.notEqual((await host.run("test -e /etc/conditional")).code, 0);
    });

    test("a port of the service itself, and a free one, are fine", async () => {
      await host.applied("conditions", 'port 22 ssh "remote access"\nport 2379 etcd "etcd clients"');
      await host.remove("conditions");
    });
  });

  describe("what a later text does not name any more is removed", () => {
    test("files, links, directories that are empty or generated, kernel parameters' file; data never", async () => {
      const all = `directory /srv/r 0755 root:root
directory /srv/r/empty 0755 root:root
directory /srv/r/used 0755 root:root
data /srv/r/data 0755 root:root
generated /srv/r/made 0755 root:root
${file("/srv/r/file", "x")}
link /srv/r/link file
sysctl net.ipv4.ip_nonlocal_bind 1`;
      await host.applied("shrinks", all);
      await host.sh("touch /srv/r/used/by-someone; mkdir /srv/r/made/deep; touch /srv/r/made/deep/by-a-program");
      const said = await host.applied("shrinks", "directory /srv/r 0755 root:root");
      assert.deepEqual(said, [
        "/srv/r/link removed",
        "/srv/r/file removed",
        "/etc/sysctl.d/60-hastack-shrinks.conf removed",
        "/srv/r/used kept: it is not empty",
        "/srv/r/made removed",
        "/srv/r/empty removed",
        "/srv/r/data kept: it holds data",
        "0 changed, 1 in order",
      ]);
      assert.equal(await host.sh("ls /srv/r"), "data\nused\n");
      assert.deepEqual(await host.drift("shrinks"), []);
    });

    test("also when an apply in between was a failure", async () => {
      await host.applied("shrinks", file("/srv/one", "1"));
      await host.refused("shrinks", `${file("/srv/two", "2")}\n${ensure("fails", "false", "false")}`);
      await host.applied("shrinks", file("/srv/three", "3"));
      assert.equal(await host.sh("ls /srv | grep -xE 'one|two|three'"), "three\n");
    });

    test("before services are restarted, so that none reads configuration that is gone", async () => {
      const step = ensure(
        "lists",
        "false || test -e /srv/list.done",
        "ls /srv/conf.d >/srv/list; touch /srv/list.done",
      );
      const base = "directory /srv/conf.d 0755 root:root\n";
      await host.applied("order", `${base}${file("/srv/conf.d/old", "x")}`);
      await host.applied("order", `${base}${file("/srv/conf.d/new", "x")}\n${step}`);
      assert.equal(await host.read("/srv/list"), "new\n");
    });

    test("but not what it names in another way: a file that becomes a link, a directory that becomes data", async () => {
      await host.applied("kinds", `${file("/srv/kind", "x")}\ndirectory /srv/kind.d 0755 root:root`);
      await host.applied("kinds", "link /srv/kind /etc/hostname\ndata /srv/kind.d 0755 root:root");
      assert.equal(await host.sh("readlink /srv/kind; ls -d /srv/kind.d"), "/etc/hostname\n/srv/kind.d\n");
      await host.remove("kinds", "--purge");
    });

    test("but not what another unit has taken over", async () => {
      await host.applied("first", file("/srv/moved", "x"));
      await host.applied("second", file("/srv/moved", "x"));
      assert.deepEqual(await host.applied("first", file("/srv/other", "x")), [
        "/srv/other created",
        "/srv/moved kept: unit second has it too",
        "1 changed, 0 in order",
      ]);
      assert.equal(await host.read("/srv/moved"), "x\n");
    });
  });

  describe("remove", () => {
    const text = `group leftover system
user leftover system group leftover
directory /srv/x 0755 root:root
data /srv/x-data 0755 root:root
${file("/srv/x/file", "@{secret:a}")}`;

    test("takes away what the unit made and says what it keeps", async () => {
      await host.storeSecrets("goes", "d", { a: "12345" });
      await host.applied("goes", text, { secrets: "d" });
      await host.sh("touch /srv/x-data/precious");
      assert.equal(
        await host.remove("goes"),
        `goes: /srv/x/file removed
goes: /srv/x-data kept: it holds data
goes: /srv/x removed
goes: group leftover kept
goes: user leftover kept
goes: removed
`,
      );
      assert.equal(await host.sh("ls /srv/x-data"), "precious\n");
      assert.equal(
        await host.sh("find /var/lib/hastack/units/goes 2>/dev/null | wc -l"),
        "0\n",
        "secrets are gone too",
      );
    });

    test("twice is no error", async () => {
      assert.equal(await host.remove("goes"), "goes: there is no such unit on this host: nothing to remove\n");
    });

    test("--purge takes the data as well", async () => {
      await host.storeSecrets("goes", "d", { a: "12345" });
      await host.applied("goes", text, { secrets: "d" });
      assert.match(await host.remove("goes", "--purge"), /\/srv\/x-data purged/);
      assert.notEqual((await host.run("test -e /srv/x-data")).code, 0);
    });

    test("a removal that was cut off is finished by the next", async () => {
      await host.applied("goes2", file("/srv/y", "x"));
      await host.sh("printf 'what removal\\nby 999999 1 gone\\n' >/var/lib/hastack/units/goes2/progress");
      assert.deepEqual(await host.drift("goes2"), ["removal was interrupted"]);
      await host.remove("goes2");
      assert.notEqual((await host.run("test -e /srv/y")).code, 0);
    });
  });

  test("commands explain themselves and refuse what they do not know", async () => {
    assert.match(await host.sh(`${converge} --help`), /^usage: converge COMMAND/);
    assert.match(await host.sh(`${converge} apply --help`), /apply UNIT SECRETS TOKEN/);
    for (const wrong of [
      "",
      "aply",
      "apply",
      "apply u",
      "apply u -",
      "remove",
      "remove u --all",
      "probe x",
      "secrets u",
    ]) {
      const result = await host.run(`${converge} ${wrong} </dev/null`);
      assert.equal(result.code, 2, wrong);
      assert.match(result.stderr, /usage: converge COMMAND/);
    }
    const lines = await host.run(`${converge} apply u - "$(printf 'two\\nlines')"`, { input: "end\n" });
    assert.equal(lines.code, 2);
    assert.match(lines.stderr, /a token is one line/);
    const unknown = await host.run(`${converge} check nowhere`);
    assert.equal(unknown.code, 1);
    assert.match(unknown.stderr, /there is no unit nowhere on this host/);
    const outside = await host.run(`${converge} apply ../x - t`, { input: "end\n" });
    assert.equal(outside.code, 2);
    assert.match(outside.stderr, /`..\/x` is no name of a unit/);
  });
});
