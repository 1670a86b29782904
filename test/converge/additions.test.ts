import assert from "node:assert/strict";
import { after, before, beforeEach, describe, test } from "node:test";
import { type Additions, withAdditions } from "../../components/converge/additions";
import { TestHost } from "./host";
import { service } from "./text";

describe("what a program adds to a unit, on a host", () => {
  let host: TestHost;
  const plain = service("demo", "one");
  const said = "/run/demo.said";
  const configuration = "/etc/demo.conf";
  const none: Additions = { directories: {}, files: {}, lines: {}, beforeRestart: {}, afterRestart: {} };
  const extended = (additions: Partial<Additions>) =>
    withAdditions(plain, { ...none, ...additions }, (where, message) => new Error(`${where.join(".")}: ${message}`));
  /** Notes which configuration the running process has read. */
  const note = (when: string) => `echo "${when}: $(cat /run/demo.loaded | tr '\\n' ' ')" >>${said}`;
  const invocation = () => host.sh("systemctl show -P InvocationID demo");

  before(async () => {
    host = await TestHost.start();
  });
  after(() => host.stop());
  beforeEach(async () => {
    await host.remove("demo");
    await host.sh(`rm -rf ${said} /etc/demo.d`);
    await host.applied("demo", plain);
  });

  test("lines and files land on it, scripts run once around the restart, and all of it goes again", async () => {
    const text = extended({
      directories: { "/etc/demo.d": { mode: "0750", owner: "root:daemon" } },
      files: {
        "/etc/demo.d/more": { content: "more", mode: "0600", owner: "daemon:root", restarts: ["demo"], reloads: [] },
      },
      lines: { [configuration]: "two" },
      beforeRestart: { demo: note("before") },
      afterRestart: { demo: note("after") },
    });
    await host.applied("demo", text);
    assert.equal(await host.read(configuration), "one\ntwo\n");
    assert.equal(
      await host.sh("stat -c '%a %U:%G' /etc/demo.d /etc/demo.d/more"),
      "750 root:daemon\n600 daemon:root\n",
    );
    assert.equal(await host.read(said), "before: one \nafter: one two \n");

    const running = await invocation();
    await host.applied("demo", text);
    assert.deepEqual(await host.drift("demo"), []);
    assert.equal(await invocation(), running);
    assert.equal(await host.read(said), "before: one \nafter: one two \n");

    await host.applied("demo", plain);
    assert.equal(await host.read(configuration), "one\n");
    assert.equal(await host.sh("ls -d /etc/demo.d 2>/dev/null || echo gone"), "gone\n");
    assert.equal(await host.read(said), "before: one \nafter: one two \n", "the scripts are gone with the rest");
  });

  test("a change of an added file restarts the service that it names", async () => {
    const wants = (content: string) =>
      extended({
        files: { "/etc/demo-more": { content, mode: "0644", owner: "root:root", restarts: ["demo"], reloads: [] } },
      });
    await host.applied("demo", wants("a"));
    const first = await invocation();
    await host.applied("demo", wants("b"));
    assert.notEqual(await invocation(), first);
  });

  test("a script before the restart that fails keeps the service running as it is, and the restart due", async () => {
    const running = await invocation();
    const refusal = await host.refused(
      "demo",
      extended({ lines: { [configuration]: "two" }, beforeRestart: { demo: "echo not now; exit 3" } }),
    );
    assert.match(refusal, /not restarted, because its before-restart script failed .*not now/s);
    assert.equal(await invocation(), running);
    await host.applied("demo", extended({ lines: { [configuration]: "two" } }));
    assert.equal(await host.read("/run/demo.loaded"), "one\ntwo\n");
  });

  test("a script after the restart that fails, fails the apply; the next one restarts again and runs it", async () => {
    const wants = (script: string) => extended({ lines: { [configuration]: "two" }, afterRestart: { demo: script } });
    const refusal = await host.refused("demo", wants("echo not well; exit 3"));
    assert.match(refusal, /restarted, but its after-restart script failed .*not well/s);
    const restarted = await invocation();
    await host.applied("demo", wants(note("after")));
    assert.notEqual(await invocation(), restarted);
    assert.equal(await host.read(said), "after: one two \n");
    assert.deepEqual(await host.drift("demo"), []);
  });

  test("a service that is started, and not restarted, calls no script", async () => {
    const text = extended({ beforeRestart: { demo: note("before") }, afterRestart: { demo: note("after") } });
    await host.applied("demo", text);
    await host.sh("systemctl stop demo");
    await host.applied("demo", text);
    assert.equal(await host.sh(`cat ${said} 2>/dev/null || echo none`), "none\n");
  });
});
