/** The policy pack, run by the real engine over previews of real components: no host is touched. */
import assert from "node:assert/strict";
import { chmodSync, cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { remote } from "@pulumi/command";
import * as pulumi from "@pulumi/pulumi";
import * as api from "../../components";
import { key } from "../unit/mocks";
import { TestStack } from "./stack";

const repository = join(__dirname, "../..");
const login = "-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXk=\n-----END OPENSSH PRIVATE KEY-----\n";

function host(name: string, last: number, given: Partial<api.HostArgs> = {}): api.Host {
  const address = `192.168.1.${last}`;
  const connection = { host: address, user: "deploy", privateKey: pulumi.secret(login), hostKey: key };
  return new api.Host(name, { address, connection, probe: "off", memoryMiB: 2048, cores: 2, ...given });
}

/** A database cluster behind its poolers, with what a test changes. */
function cluster(given: { etcd?: Partial<api.EtcdQuorumArgs>; opts?: object } = {}): void {
  const members = [1, 2, 3].map((n) => host(`psql${n}`, 130 + n));
  const poolers = [1, 2].map((n) => host(`proxy${n}`, 140 + n));
  const ca = new api.CertificateAuthority("ca");
  const etcd = new api.EtcdQuorum("etcd", { members, ca, ...given.etcd }, given.opts);
  const pg = new api.PostgresPatroniCluster("pg", { members, etcd, poolers, databases: [{ name: "app" }] }, given.opts);
  new api.PgBouncerVipPair("db", { hosts: poolers, cluster: pg, virtualIp: "192.168.1.200/24" });
}

/** A unit that is written out. */
function unit(name: string, role: string, last: number, text: string, opts: pulumi.CustomResourceOptions = {}): void {
  const connection = { host: `192.168.1.${last}`, hostKey: key };
  const commands = { create: `converge apply ${role} - t`, delete: `converge remove ${role}` };
  new remote.Command(name, { connection, ...commands, stdin: text }, opts);
}

/** No component of ours makes it: two members of one quorum. */
function evenQuorum(): void {
  const parent = new pulumi.ComponentResource("hastack:index:EtcdQuorum", "even");
  for (const n of [1, 2]) unit(`even-${n}`, "etcd", 130 + n, "end\n", { parent });
}

/** What a fresh host's pooler listens on is not known before it is asked for its network: so the text is written out. */
function pooler(firewall: boolean): void {
  const text = (name: string) => readFileSync(join(repository, "test/unit/golden", `${name}.txt`), "utf8");
  unit("db-proxy1", "pooler", 141, text("pooler"));
  if (firewall) unit("db-proxy1-firewall", "pooler-firewall", 141, text("pooler-firewall"));
  // The same firewall on another host is none.
  else unit("db-proxy2-firewall", "pooler-firewall", 142, text("pooler-firewall"));
}

describe("the policy pack", () => {
  const folder = mkdtempSync(join(tmpdir(), "hastack-policy-"));
  let stack: TestStack;

  before(async () => {
    // A language host that is too old to start a policy pack is passed by: the engine knows an older way for a runtime
    // that it has no language host for.
    const pack = join(folder, "policy");
    cpSync(join(repository, "policy"), pack, { recursive: true });
    symlinkSync(join(repository, "node_modules"), join(folder, "node_modules"));
    writeFileSync(join(pack, "PulumiPolicy.yaml"), "runtime: hastacknode\n");
    const shim = join(folder, "pulumi-analyzer-policy-hastacknode");
    const runner = join(repository, "node_modules/@pulumi/pulumi/cmd/run-policy-pack");
    writeFileSync(shim, `#!/bin/sh\nexec '${process.execPath}' '${runner}' "$@"\n`);
    chmodSync(shim, 0o755);
    process.env.PATH = `${folder}:${process.env.PATH}`;
    stack = await TestStack.create();
  });
  after(async () => {
    await stack.dispose();
    rmSync(folder, { recursive: true, force: true });
  });

  const options = { policyPacks: [join(folder, "policy")] };

  test("lets a database cluster with its poolers pass", async () => {
    const { text } = await stack.preview(() => {
      cluster();
      pooler(true);
    }, options);
    assert.match(text, /✅ hastack@/, "the pack did not run");
    assert.doesNotMatch(text, /\[mandatory\]|can't run policy/);
  });

  const violations: [policy: string, what: string, program: () => void, message: RegExp][] = [
    [
      "host-key-is-pinned",
      "a host whose key is not checked",
      () => {
        host("open", 9, { connection: { host: "192.168.1.9", user: "deploy" }, insecureIgnoreHostKey: true });
      },
      /192\.168\.1\.9 has no pinned key: give `connection\.hostKey`/,
    ],
    [
      "secrets-are-hidden",
      "a key among lines that previews show",
      () => cluster({ etcd: { extra: { lines: { "/etc/default/etcd": login } } } }),
      /etcd-psql1: stdin holds a private key/,
    ],
    [
      "quorum-is-odd",
      "two members of etcd",
      evenQuorum,
      /etcd has 2 members, 192\.168\.1\.131, 192\.168\.1\.132: give 1/,
    ],
    [
      "listeners-are-guarded",
      "poolers without a firewall",
      () => pooler(false),
      /db-proxy1: listens everywhere \("listen_addr = 0\.0\.0\.0…"\) and has no firewall/,
    ],
    [
      "data-is-protected",
      "databases that may be deleted",
      () => cluster({ opts: { protect: false } }),
      /holds \/var\/lib\/\S+ and may be deleted: take `protect: false`/,
    ],
  ];
  for (const [policy, what, program, message] of violations) {
    test(`${policy}: ${what}`, async () => {
      const { text } = await stack.previewFailing(program, options);
      const named = [...text.matchAll(/\[mandatory\] +([a-z-]+)/g)].map(([, name]) => name);
      assert.deepEqual([...new Set(named)], [policy], text);
      assert.match(text, message);
    });
  }
});
