import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { installPython } from "./other-languages/python";
import { box, Example } from "./support/example";
import { TestLab } from "./support/test-lab";

/** The example in Python, as it is, with the plugin of the npm package and an SDK made of its schema, on a real host. */
describe("a program in Python", () => {
  const lab = new TestLab();
  const example = new Example(lab, "python");

  before(
    async () => {
      await lab.start("single", "--python");
      await example.install();
      await installPython(example);
      await useMirror();
    },
    { timeout: 20 * 60_000 },
  );
  after(() => {
    lab.stop();
    example.dispose();
  });

  const onBox = (script: string, input = "") => lab.lab(["ssh", box.name, script], { input });

  /** The example names no package source: its machine has one, as any machine but the lab's has. */
  const useMirror = async () => {
    await onBox("cat >/etc/apt/keyrings/mirror.asc", example.ofLab("apt/archive-keyring.asc"));
    const source = "deb [signed-by=/etc/apt/keyrings/mirror.asc] http://192.168.1.1:8080/debian-12 ./\n";
    await onBox("cat >/etc/apt/sources.list.d/mirror.list", source);
  };

  const preview = async () => {
    const { code, stdout, stderr } = await example.exec("pulumi", "preview", "--expect-no-changes", "--diff");
    return { code, said: stdout + stderr };
  };

  test("is told which argument of which component is wrong, and what would be right", async () => {
    await example.pulumi("config", "set", "address", "localhost");
    const { code, said } = await preview();
    await example.pulumi("config", "set", "address", box.address);
    assert.notEqual(code, 0, said);
    assert.match(said, /Host box: an argument is wrong\n.*address: "localhost": give an IPv4 address/);
  });

  test("makes a Redis that answers over TLS, and has its address, port, password and authority", async () => {
    await example.up();
    const { address, port, password, caCertificate } = await example.outputs();
    assert.deepEqual({ address, port }, { address: box.address, port: 6379 });
    assert.match(await example.ping(String(password)), /PONG/);
    assert.match(await example.ping("wrong"), /NOAUTH/);
    assert.equal(String(caCertificate).trim(), (await onBox("cat /etc/hastack/redis/tls/ca.crt")).trim());
  });

  test("changes nothing when it is run again", async () => {
    const { code, said } = await preview();
    assert.equal(code, 0, said);
  });

  test("sees and heals what was changed by hand on the host", async () => {
    await onBox("echo 'maxclients 77' >>/etc/hastack/redis/loadable.conf");
    const { code, said } = await preview();
    assert.equal(code, 7, said);
    assert.match(said, /drift:\w+ \/etc\/hastack\/redis\/loadable\.conf content/);
    await example.up();
    assert.doesNotMatch(await onBox("cat /etc/hastack/redis/loadable.conf"), /maxclients 77/);
    assert.equal((await preview()).code, 0);
  });

  test("leaves the host clean when it is destroyed, but for the data", async () => {
    await example.pulumi("destroy", "--yes", "--skip-preview", "--suppress-progress");
    const left =
      "systemctl is-active redis-server; ls -d /etc/hastack /var/lib/redis 2>/dev/null; nft list tables; true";
    assert.equal(await onBox(left), "inactive\n/var/lib/redis\n");
  });
});
