import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { installPython } from "./other-languages/python";
import { box, ping, reaching } from "./support/examples";
import { OwnProgram, settingsOf } from "./support/own-program";
import { TestLab } from "./support/test-lab";

/** The example in Python, as it is, with the plugin of the npm package and an SDK made of its schema, on a real host. */
describe("a program in Python", () => {
  const lab = new TestLab();
  const program = new OwnProgram(lab, "examples/python");

  before(
    async () => {
      await lab.start("single", "--python");
      await program.install(reaching(lab));
      await installPython(program);
      await useMirror();
    },
    { timeout: 20 * 60_000 },
  );
  after(() => {
    lab.stop();
    program.dispose();
  });

  const onBox = (script: string, input = "") => lab.lab(["ssh", box.name, script], { input });

  /** The example names no package source: its machine has one, as any machine but the lab's has. */
  const useMirror = async () => {
    const { uri, suite, key } = settingsOf(lab).apt;
    await onBox("cat >/etc/apt/keyrings/mirror.asc", key);
    const source = `deb [signed-by=/etc/apt/keyrings/mirror.asc] ${uri} ${suite}\n`;
    await onBox("cat >/etc/apt/sources.list.d/mirror.list", source);
  };

  test("is told which argument of which component is wrong, and what would be right", async () => {
    await program.pulumi("config", "set", "address", "localhost");
    const { code, said } = await program.preview();
    await program.pulumi("config", "set", "address", box.address);
    assert.notEqual(code, 0, said);
    assert.match(said, /Host box: an argument is wrong\n.*address: "localhost": give an IPv4 address/);
  });

  test("makes a Redis that answers over TLS, and has its address, port, password and authority", async () => {
    await program.up();
    const { address, port, password, caCertificate } = await program.outputs();
    assert.deepEqual({ address, port }, { address: box.address, port: 6379 });
    assert.match(await ping(lab, String(password)), /PONG/);
    assert.match(await ping(lab, "wrong"), /NOAUTH/);
    assert.equal(String(caCertificate).trim(), (await onBox("cat /etc/hastack/redis/tls/ca.crt")).trim());
  });

  test("changes nothing when it is run again", async () => {
    const { code, said } = await program.preview();
    assert.equal(code, 0, said);
  });

  test("sees and heals what was changed by hand on the host", async () => {
    await onBox("echo 'maxclients 77' >>/etc/hastack/redis/loadable.conf");
    const { code, said } = await program.preview();
    assert.equal(code, 7, said);
    assert.match(said, /drift:\w+ \/etc\/hastack\/redis\/loadable\.conf content/);
    const review = "pulumi preview --json | node_modules/.bin/hastack review --format text";
    assert.match(await program.run("sh", "-c", review), /box.*loadable\.conf/s);
    await program.up();
    assert.doesNotMatch(await onBox("cat /etc/hastack/redis/loadable.conf"), /maxclients 77/);
    assert.equal((await program.preview()).code, 0);
  });

  test("is not destroyed while its data is protected; then the host is clean, but for the data", async () => {
    const destroy = ["destroy", "--yes", "--skip-preview", "--suppress-progress"];
    await assert.rejects(program.pulumi(...destroy), /cache-box.* cannot be deleted/);
    assert.equal(await onBox("systemctl is-active redis-server"), "active\n");
    await program.pulumi("state", "unprotect", "--all", "--yes");
    await program.pulumi(...destroy);
    const left =
      "systemctl is-active redis-server; ls -d /etc/hastack /var/lib/redis 2>/dev/null; nft list tables; true";
    assert.equal(await onBox(left), "inactive\n/var/lib/redis\n");
  });
});
