import assert from "node:assert/strict";
import { after, afterEach, before, describe, test } from "node:test";
import { TestHost } from "./host";
import { ensure, file, packageSource, service, serviceFile } from "./text";

describe("services", () => {
  let host: TestHost;
  before(async () => {
    host = await TestHost.start();
  });
  after(() => host.stop());
  afterEach(async () => {
    await host.remove("s");
    await host.sh("rm -f /run/demo.loaded /etc/demo.conf");
  });

  const invocation = () => host.sh("systemctl show -P InvocationID demo");
  const loaded = () => host.read("/run/demo.loaded");

  describe("a service that is not as it should be is reported and healed", () => {
    const unitFile = "/etc/systemd/system/hurt.service";
    before(() => host.applied("hurt", service("hurt", "one")));
    after(() => host.remove("hurt"));

    const damages: [name: string, command: string, drift: string[], done: string[]][] = [
      ["stopped", "systemctl stop hurt", ["hurt.service inactive"], ["hurt.service started"]],
      ["disabled", "systemctl disable -q hurt", ["hurt.service disabled"], ["hurt.service enabled"]],
      [
        "stopped and masked",
        `systemctl stop hurt; rm ${unitFile}; systemctl mask -q hurt`,
        [`${unitFile} is a symbolic link`, "hurt.service masked"],
        [`${unitFile} replaced a symbolic link`, "hurt.service started"],
      ],
      ["killed", "systemctl kill -s KILL hurt; sleep 0.2", ["hurt.service failed"], ["hurt.service started"]],
    ];
    for (const [name, command, drift, done] of damages) {
      test(name, async () => {
        await host.sh(command);
        assert.deepEqual(await host.drift("hurt"), drift);
        assert.deepEqual((await host.applied("hurt", service("hurt", "one"))).slice(0, -1), done);
        assert.equal(await host.sh("systemctl is-active hurt; systemctl is-enabled hurt"), "active\nenabled\n");
        assert.deepEqual(await host.drift("hurt"), []);
      });
    }

    test("masked while its package's unit file stays", async () => {
      await host.sh("mkdir -p /usr/local/lib/systemd/system; systemctl mask -q --now ssh.socket");
      await host.applied("m", "service ssh.socket disabled stopped");
      assert.deepEqual(await host.drift("m"), []);
      await host.sh(
        "printf '[Service]\\nExecStart=sleep infinity\\n[Install]\\nWantedBy=multi-user.target\\n' >/usr/lib/systemd/system/packaged.service",
      );
      await host.sh("systemctl daemon-reload; systemctl mask -q packaged");
      assert.deepEqual((await host.applied("m", "service packaged enabled started")).slice(0, -1), [
        "packaged.service unmasked",
        "packaged.service enabled",
        "packaged.service started",
      ]);
      await host.remove("m");
      await host.sh(
        "rm /usr/lib/systemd/system/packaged.service; systemctl unmask -q ssh.socket; systemctl daemon-reload",
      );
    });
  });

  test("wanted stopped, disabled or masked, a service is made so, and a removed mask is lifted", async () => {
    await host.sh(
      "printf '[Service]\\nExecStart=sleep infinity\\n[Install]\\nWantedBy=multi-user.target\\n' >/usr/lib/systemd/system/packaged.service",
    );
    await host.sh("systemctl daemon-reload; systemctl enable -q --now packaged");
    assert.deepEqual((await host.applied("s", "service packaged disabled stopped")).slice(0, -1), [
      "packaged.service stopped",
      "packaged.service disabled",
    ]);
    await host.sh("systemctl start packaged");
    assert.deepEqual(await host.drift("s"), ["packaged.service active"]);
    await host.applied("s", "service packaged masked");
    assert.notEqual((await host.run("systemctl start packaged")).code, 0);
    await host.sh("systemctl unmask -q packaged");
    assert.deepEqual(await host.drift("s"), ["packaged.service not masked"]);
    await host.applied("s", "service packaged masked");
    await host.remove("s");
    await host.sh("systemctl start packaged; systemctl stop packaged; rm /usr/lib/systemd/system/packaged.service");
  });

  test("a service already right is not restarted, whatever is healed around it", async () => {
    await host.applied("s", service("demo", "one"));
    const first = await invocation();
    await host.applied("s", service("demo", "one"));
    await host.sh("echo changed-behind-our-back >/etc/demo.conf");
    assert.deepEqual(await host.drift("s"), ["/etc/demo.conf content"]);
    assert.deepEqual(await host.applied("s", service("demo", "one")), [
      "/etc/demo.conf content changed",
      "1 changed, 2 in order",
    ]);
    await host.sh("chmod 600 /etc/demo.conf; systemctl disable -q demo");
    await host.applied("s", service("demo", "one"));
    assert.equal(await invocation(), first);
    assert.equal(await loaded(), "one\n");
  });

  test("a service that somebody restarted with a wrong file is restarted with the right one", async () => {
    await host.applied("s", service("demo", "one"));
    await host.sh("echo wrong >/etc/demo.conf; systemctl restart demo");
    await host.until("grep -q wrong /run/demo.loaded");
    assert.deepEqual((await host.applied("s", service("demo", "one"))).slice(0, -1), [
      "/etc/demo.conf content changed",
      "demo.service restarted",
    ]);
    assert.equal(await loaded(), "one\n");
  });

  test("changed configuration restarts the service once", async () => {
    await host.applied("s", service("demo", "one"));
    assert.deepEqual((await host.applied("s", service("demo", "two"))).slice(0, -1), [
      "/etc/demo.conf content changed",
      "demo.service restarted",
    ]);
    const second = await invocation();
    assert.equal(await loaded(), "two\n");
    await host.applied("s", service("demo", "two"));
    assert.equal(await invocation(), second);
  });

  test("many restarts in a short time do not bring the service down", async () => {
    await host.applied("s", service("demo", "one"));
    await host.sh("for i in 1 2 3 4; do systemctl restart demo; done");
    await host.applied("s", service("demo", "two"));
    assert.equal(await loaded(), "two\n");
  });

  test("a changed unit file or drop-in is read by systemd before the service is restarted", async () => {
    const text = (value: string) => `${serviceFile("demo", `Environment=VALUE=${value}`)}
${file("/etc/demo.conf", "x")}
directory /etc/systemd/system/demo.service.d 0755 root:root
${file("/etc/systemd/system/demo.service.d/x.conf", `[Service]\nEnvironment=DROPIN=${value}`)}
service demo started restart-on /etc/systemd/system/demo.service,/etc/systemd/system/demo.service.d/x.conf`;
    await host.applied("s", text("old"));
    await host.applied("s", text("new"));
    const environment = await host.sh("tr '\\0' '\\n' </proc/$(systemctl show -P MainPID demo)/environ");
    assert.match(environment, /^VALUE=new$/m);
    assert.match(environment, /^DROPIN=new$/m);
  });

  test("a new version of a package restarts the services that name it", async () => {
    const sample = "hastack-lab-sample";
    const text = (version: string) => `${packageSource()}
package ${sample}=${version}
${serviceFile("demo")}
${file("/etc/demo.conf", "x")}
service demo started restart-on package:${sample}`;
    await host.applied("s", text("1.0"));
    const said = await host.applied("s", text("2.0"));
    assert.ok(said.includes("demo.service restarted"), said.join("\n"));
    assert.ok(!(await host.applied("s", text("2.0"))).includes("demo.service restarted"));
  });

  test("a step counts as a file: what was started while it was not done is restarted, and nothing else", async () => {
    const text = (value: string) => `${serviceFile("demo")}
${ensure("demo's part of its file", `grep -qx part=${value} /etc/demo.conf`, `sed -i /^part=/d /etc/demo.conf; echo part=${value} >>/etc/demo.conf`)}
service demo started restart-on "step:demo's part of its file"`;
    await host.sh("systemctl stop demo; echo other=1 >/etc/demo.conf");
    await host.applied("s", text("one"));
    const first = await invocation();
    await host.sh("sed -i s/part=one/part=wrong/ /etc/demo.conf");
    assert.deepEqual(await host.drift("s"), ["demo's part of its file"]);
    await host.applied("s", text("one"));
    assert.equal(await invocation(), first, "the process has not seen the wrong one");
    await host.sh("sed -i s/other=1/other=2/ /etc/demo.conf");
    assert.deepEqual(await host.drift("s"), [], "the rest of the file is not the step's");

    await host.sh("sed -i s/part=one/part=wrong/ /etc/demo.conf; systemctl restart demo");
    assert.ok((await host.applied("s", text("one"))).includes("demo.service restarted"));
    assert.equal(await loaded(), "other=2\npart=one\n");
    assert.ok((await host.applied("s", text("two"))).includes("demo.service restarted"));
    assert.equal(await loaded(), "other=2\npart=two\n");
    assert.deepEqual((await host.applied("s", text("two"))).length, 1);
  });

  test("reload-on reloads, and a restart is as good as a reload", async () => {
    const text = (value: string, line = "reload-on /etc/demo.conf") => `${serviceFile(
      "demo",
      "ExecReload=/bin/cp /etc/demo.conf /run/demo.loaded",
    )}
${file("/etc/demo.conf", value)}
${file("/etc/demo.other", value)}
service demo started ${line}`;
    await host.applied("s", text("one"));
    const first = await invocation();
    assert.ok((await host.applied("s", text("two"))).includes("demo.service reloaded"));
    assert.equal(await loaded(), "two\n");
    await host.sh("echo wrong >/etc/demo.conf; systemctl reload demo");
    assert.ok((await host.applied("s", text("two"))).includes("demo.service reloaded"), "read a wrong file since");
    assert.equal(await invocation(), first);

    const both = "restart-on /etc/demo.other reload-on /etc/demo.conf";
    await host.applied("s", text("two", both));
    assert.deepEqual((await host.applied("s", text("three", both))).slice(0, -1), [
      "/etc/demo.conf content changed",
      "/etc/demo.other content changed",
      "demo.service restarted",
    ]);
    assert.deepEqual(await host.drift("s"), []);
    await host.sh("rm -f /etc/demo.other");
  });

  describe("a service that fails", () => {
    const failing = (command: string, extra = "") =>
      `${file(
        "/etc/systemd/system/demo.service",
        `[Service]\nExecStart=/bin/sh -c '${command}'\n${extra}`,
      )}\nservice demo started`;

    test("at its start gives an error with the last lines of its journal", async () => {
      const error = await host.refused("s", failing("for i in 1 2 3; do echo reason $i; done; exit 3"));
      assert.match(
        error,
        /line 6, service demo\.service: demo\.service did not (start|stay up): failed \(failed\), result exit-code, exit status 3/,
      );
      assert.match(error, /the last lines of its journal:/);
      assert.match(error, / reason 1\n.* reason 2\n.* reason 3\n/);
      assert.match((await host.drift("s"))[0] ?? "", /^last apply failed: line 6, service demo\.service/);
    });

    test("before it says that it is ready gives the same error", async () => {
      const error = await host.refused("s", failing("echo cannot bind; exit 4", "Type=notify"));
      assert.match(error, /demo\.service did not start: failed .*exit status 4.* cannot bind\n/s);
    });

    test("half a second later is noticed as well", async () => {
      const error = await host.refused("s", failing("sleep 0.5; echo lost heart; exit 1"));
      assert.match(error, /demo\.service did not stay up: .* lost heart\n/s);
    });

    test("and is started again and again by systemd is no running service", async () => {
      const error = await host.refused("s", failing("echo again; exit 1", "Restart=always\nRestartSec=60"));
      assert.match(error, /demo\.service did not stay up: activating \(auto-restart\)/);
      assert.match(error, / again\n/);
    });

    test("ends a wait for it at once", async () => {
      const began = Date.now();
      const text = `${failing("sleep 1; echo lost heart; exit 1")}\nwait 60 "answers" <<'E'\nfalse\nE`;
      const error = await host.refused("s", text);
      assert.match(error, /wait "answers": demo\.service did not stay up: failed .* lost heart\n/s);
      assert.ok(Date.now() - began < 10_000);
    });

    test("is reported with what it wrote since its last start, and nothing older", async () => {
      await host.refused("s", failing("echo first; exit 1"));
      await host.sh("sleep 2.2");
      const error = await host.refused("s", failing("echo second; exit 1"));
      assert.match(error, / second\n/);
      assert.doesNotMatch(error, / first\n/);
    });

    test("is started with corrected configuration although systemd had given up on it", async () => {
      await host.refused("s", failing("exit 1"));
      const again = await host.run("for i in $(seq 8); do systemctl start demo; done");
      assert.notEqual(again.code, 0, "systemd has given up: starting a simple service is no error otherwise");
      await host.applied("s", service("demo", "one"));
      assert.equal(await loaded(), "one\n");
    });
  });

  test("what no package brings is an error that says so", async () => {
    assert.match(
      await host.refused("s", "service ghost started"),
      /ghost\.service missing: systemd knows no such unit: does the package/,
    );
    await host.applied("s", "service ghost disabled stopped");
    assert.match(
      await host.refused("s", "service systemd-tmpfiles-setup enabled"),
      /has no \[Install\] section, so it cannot be enabled/,
    );
  });

  describe("before-restart", () => {
    const guarded = (value: string, script: string) => `${service("demo", value)} before-restart <<'E'\n${script}\nE`;

    test("runs when a running service is about to be restarted, and only then", async () => {
      const script = "cat /run/demo.loaded >>/run/demo.guard";
      await host.sh("rm -f /run/demo.guard");
      await host.applied("s", guarded("one", script));
      assert.notEqual((await host.run("test -e /run/demo.guard")).code, 0, "not at the first start");
      await host.applied("s", guarded("one", script));
      await host.sh("systemctl stop demo");
      await host.applied("s", guarded("one", script));
      assert.notEqual((await host.run("test -e /run/demo.guard")).code, 0, "not when it only has to start");
      await host.applied("s", guarded("two", script));
      assert.equal(await host.read("/run/demo.guard"), "one\n", "before the restart");
      assert.equal(await loaded(), "two\n");
    });

    test("prevents the restart when it fails; the restart stays due until it is done", async () => {
      await host.applied("s", guarded("one", "true"));
      const first = await invocation();
      const error = await host.refused("s", guarded("two", "echo the cluster is not healthy; exit 1"));
      assert.match(
        error,
        /not restarted, because its before-restart script failed .*exit code 1\n {4}the cluster is not healthy/,
      );
      assert.equal(await invocation(), first);
      assert.ok((await host.applied("s", guarded("two", "true"))).includes("demo.service restarted"));
      assert.equal(await loaded(), "two\n");
    });
  });

  test("no-block starts a service that needs other hosts to become ready, and does not wait for it", async () => {
    const text = `${file("/etc/systemd/system/demo.service", "[Service]\nType=notify\nNotifyAccess=all\nExecStart=/bin/sh -c 'sleep 5; systemd-notify --ready; sleep infinity'")}
service demo started no-block`;
    await host.applied("s", text);
    assert.equal(await host.sh("systemctl show -P ActiveState demo"), "activating\n");
    assert.deepEqual(await host.drift("s"), []);
    await host.until("systemctl is-active -q demo");
  });

  test("a service dropped from the text is stopped and disabled; the rest stays", async () => {
    const other = service("demo2", "x");
    await host.applied("s", `${service("demo", "one")}\n${other}`);
    assert.deepEqual(await host.applied("s", other), [
      "demo.service stopped and disabled",
      "/etc/systemd/system/demo.service removed",
      "/etc/demo.conf removed",
      "0 changed, 3 in order",
    ]);
    assert.equal(await host.sh("systemctl is-active demo2; systemctl show -P LoadState demo"), "active\nnot-found\n");
  });
});
