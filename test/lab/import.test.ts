import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { ping, reaching } from "./support/examples";
import { OwnProgram, settingsOf } from "./support/own-program";
import { TestLab } from "./support/test-lab";

/** The example of a program that imports the npm package, outside of this repository, on a real host. */
describe("a program of one's own that installs the package", () => {
  const lab = new TestLab();
  const program = new OwnProgram(lab, "examples/program");

  before(
    async () => {
      await lab.start("single");
      await program.install({ ...reaching(lab), clients: ["192.168.1.0/24"], apt: settingsOf(lab).apt });
    },
    { timeout: 20 * 60_000 },
  );
  after(() => {
    lab.stop();
    program.dispose();
  });

  test("three components of it make a Redis that answers over TLS", async () => {
    await program.up();
    const { url, caCertificate } = (await program.outputs()) as Record<string, string>;
    assert.match(url ?? "", /^rediss:\/\/:[^@]{20,}@192\.168\.1\.10:6379$/);
    assert.match(caCertificate ?? "", /BEGIN CERTIFICATE/);
    assert.match(await ping(lab, decodeURIComponent(new URL(url ?? "").password)), /PONG/);
  });

  test("a second preview changes nothing, and the package's own command reads the stack", async () => {
    await program.pulumi("preview", "--expect-no-changes");
    const drift = await program.run("node_modules/.bin/hastack", "drift", "--stack", program.stack);
    assert.equal(drift, "no drift on 1 hosts\n");
  });
});
