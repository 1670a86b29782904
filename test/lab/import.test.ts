import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { Example } from "./support/example";
import { TestLab } from "./support/test-lab";

/** The example of a program that imports the npm package, outside of this repository, on a real host. */
describe("a program of one's own that installs the package", () => {
  const lab = new TestLab();
  const example = new Example(lab, "program");

  before(
    async () => {
      await lab.start("single");
      const apt = {
        uri: "http://192.168.1.1:8080/debian-12",
        suite: "./",
        key: example.ofLab("apt/archive-keyring.asc"),
      };
      await example.install({ clients: ["192.168.1.0/24"], apt });
    },
    { timeout: 20 * 60_000 },
  );
  after(() => {
    lab.stop();
    example.dispose();
  });

  test("three components of it make a Redis that answers over TLS", async () => {
    await example.up();
    const { url, caCertificate } = await example.outputs();
    assert.match(String(url), /^rediss:\/\/:[^@]{20,}@192\.168\.1\.10:6379$/);
    assert.match(String(caCertificate), /BEGIN CERTIFICATE/);
    assert.match(await example.ping(decodeURIComponent(new URL(String(url)).password)), /PONG/);
  });

  test("a second preview changes nothing, and the package's own command reads the stack", async () => {
    await example.pulumi("preview", "--expect-no-changes");
    const drift = await example.run("node_modules/.bin/hastack", "drift", "--stack", "example");
    assert.equal(drift, "no drift on 1 hosts\n");
  });
});
