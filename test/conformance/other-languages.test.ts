/** The components for programs in other languages: the packed plugin, started by the real engine. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { after, before, describe, test } from "node:test";
import * as pulumi from "@pulumi/pulumi";
import * as api from "../../components";
import { key } from "../unit/mocks";
import { PackedPackage } from "../unit/packed";
import { type Run, TestStack } from "./stack";

/** What an SDK that Pulumi generates from the schema makes of a component, in whatever language. */
class Remote extends pulumi.ComponentResource {
  declare readonly address: pulumi.Output<string>;
  declare readonly port: pulumi.Output<number>;

  constructor(type: string, name: string, args: pulumi.Inputs, opts: pulumi.ComponentResourceOptions = {}) {
    super(`hastack:index:${type}`, name, { address: undefined, port: undefined, ...args }, opts, true);
  }
}

const addresses = ["192.168.1.130", "192.168.1.131", "192.168.1.132"];
const hostArgs = (address: string) => ({
  address,
  connection: { host: address, user: "deploy", privateKey: pulumi.secret("KEY"), hostKey: key },
  probe: "off",
});
const databases = [{ name: "workspad", extensions: ["pg_trgm"] }];
const parameters = { max_connections: 200 };

describe("components in a program of another language", () => {
  let packed: PackedPackage;
  let stack: TestStack;

  before(async () => {
    packed = new PackedPackage();
    writeFileSync(join(packed.folder, "package.json"), "{}");
    packed.installInto(packed.folder);
    process.env.PATH = `${dirname(packed.pluginOnPath(packed.folder))}:${process.env.PATH}`;
    stack = await TestStack.create();
  });

  after(async () => {
    await stack.dispose();
    packed.dispose();
  });

  const pulumiSays = (...args: string[]) => {
    const { status, stdout, stderr } = spawnSync("pulumi", args, { cwd: packed.folder, encoding: "utf8" });
    return { status, stdout, said: stdout + stderr };
  };

  test("the engine finds nothing wrong in the schema", () => {
    const { status, said } = pulumiSays(
      "schema",
      "check",
      join(packed.folder, "node_modules/hastack/dist/plugin/schema.json"),
    );
    assert.equal(status, 0, said);
  });

  test("the plugin's folder is all that Pulumi needs to start it", (t) => {
    const { status, stdout, said } = pulumiSays("package", "get-schema", "./node_modules/hastack/dist/plugin");
    if (/could not read plugin .*: not supported/.test(said)) {
      return t.skip("the Node language host at hand is too old to start a plugin from its folder (RunPlugin)");
    }
    assert.equal(status, 0, said);
    assert.match(stdout, /"hastack:index:PostgresPatroniCluster"/);
  });

  test("they make the same resources as in TypeScript, given each other by reference", async () => {
    const typescript = await stack.preview(() => {
      const members = addresses.map((address, i) => new api.Host(`psql${i}`, hostArgs(address)));
      const ca = new api.CertificateAuthority("ca");
      const etcd = new api.EtcdQuorum("etcd", { members, ca });
      new api.PostgresPatroniCluster("workspad", { members, etcd, databases, parameters });
      new api.RedisSecured("cache", { hosts: members.slice(0, 1), ca, port: 6380 });
    });
    const other = await stack.preview(() => {
      const members = addresses.map((address, i) => new Remote("Host", `psql${i}`, hostArgs(address)));
      const ca = new Remote("CertificateAuthority", "ca", {});
      const etcd = new Remote("EtcdQuorum", "etcd", { members, ca });
      new Remote("PostgresPatroniCluster", "workspad", { members, etcd, databases, parameters });
      new Remote("RedisSecured", "cache", { hosts: members.slice(0, 1), ca, port: 6380 });
    });
    // Providers apart: the other program has one more.
    const made = (run: Run) => run.resources().filter((name) => !/^default(_|$)/.test(name));
    assert.ok(made(typescript).includes("workspad-psql2-cluster"), made(typescript).join(" "));
    assert.deepEqual(made(other), made(typescript));
    assert.ok(typescript.protectedResources().length > 0);
    assert.deepEqual(other.protectedResources(), typescript.protectedResources());
  });

  test("they protect data unless the program lifts it, as `protect: false` does", async () => {
    const protectedBy = async (opts: pulumi.ComponentResourceOptions) => {
      const run = await stack.preview(() => {
        const hosts = [new Remote("Host", "box", hostArgs("192.168.1.10"))];
        new Remote("RedisSecured", "cache", { hosts, ca: new Remote("CertificateAuthority", "ca", {}) }, opts);
      });
      return run.protectedResources();
    };
    assert.deepEqual(await protectedBy({}), ["cache-box", "cache-box-secrets"]);
    assert.deepEqual(await protectedBy({ protect: false }), []);
  });

  test("their outputs are there for the program", async () => {
    let seen: unknown;
    await stack.preview(() => {
      const host = new Remote("Host", "box", hostArgs("192.168.1.10"));
      const cache = new Remote("RedisSecured", "cache", {
        hosts: [host],
        ca: new Remote("CertificateAuthority", "ca", {}),
        port: 6380,
      });
      pulumi.all([cache.address, cache.port]).apply((values) => {
        seen = values;
      });
    });
    assert.deepEqual(seen, ["192.168.1.10", 6380]);
  });
});
