import assert from "node:assert/strict";
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { stringify } from "yaml";
import { knownHosts } from "../../stacks/known-hosts";
import { PackedPackage, repository } from "../unit/packed";
import { failure } from "./support/process";
import { TestLab } from "./support/test-lab";

const address = "192.168.1.10";

/** The example of a program that imports the npm package, outside of this repository, on a real host. */
describe("a program of one's own that installs the package", () => {
  const lab = new TestLab();
  const folder = mkdtempSync(join(tmpdir(), "hastack-program-"));
  let packed: PackedPackage | undefined;

  before(
    async () => {
      await lab.start("single");
      packed = new PackedPackage();
      cpSync(join(repository, "examples/program"), folder, { recursive: true });
      packed.installInto(folder);
      const settings = {
        address,
        hostKey: knownHosts(readFileSync(join(lab.state, "ssh/known_hosts"), "utf8")).get(address),
        privateKey: readFileSync(join(lab.state, "ssh/id_ed25519"), "utf8"),
        clients: ["192.168.1.0/24"],
        apt: {
          uri: "http://192.168.1.1:8080/debian-12",
          suite: "./",
          key: readFileSync(join(lab.state, "apt/archive-keyring.asc"), "utf8"),
        },
      };
      const config = Object.entries(settings).map(([name, value]) => [`my-infrastructure:${name}`, value]);
      writeFileSync(join(folder, "Pulumi.import.yaml"), stringify({ config: Object.fromEntries(config) }));
      await pulumi("stack", "select", "--create", "import");
    },
    { timeout: 20 * 60_000 },
  );
  after(() => {
    lab.stop();
    packed?.dispose();
    rmSync(folder, { recursive: true, force: true });
  });

  const run = async (...command: string[]) => {
    const result = await lab.exec(["env", "-C", folder, ...command], { seconds: 300 });
    if (result.code !== 0) throw new Error(failure(command[0] ?? "", command.slice(1), result));
    return result.stdout;
  };
  const pulumi = (...args: string[]) => run("pulumi", ...args, "--non-interactive", "--color", "never");

  test("three components of it make a Redis that answers over TLS", async () => {
    await pulumi("up", "--yes", "--skip-preview", "--suppress-progress", "--stack", "import");
    const outputs = JSON.parse(await pulumi("stack", "output", "--json", "--show-secrets")) as Record<string, string>;
    assert.match(outputs.url ?? "", /^rediss:\/\/:[^@]{20,}@192\.168\.1\.10:6379$/);
    assert.match(outputs.caCertificate ?? "", /BEGIN CERTIFICATE/);
    const password = decodeURIComponent(new URL(outputs.url ?? "").password);
    const cli = `redis-cli --tls --cacert /etc/hastack/redis/tls/ca.crt -h ${address} --no-auth-warning --askpass PING`;
    assert.match(await lab.lab(["ssh", "box", cli], { input: `${password}\n` }), /PONG/);
  });

  test("a second preview changes nothing, and the package's own command reads the stack", async () => {
    await pulumi("preview", "--expect-no-changes", "--stack", "import");
    const drift = await run("node_modules/.bin/hastack", "drift", "--stack", "import");
    assert.equal(drift, "no drift on 1 hosts\n");
  });
});
