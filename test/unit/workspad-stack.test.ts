import assert from "node:assert/strict";
import { before, describe, test } from "node:test";
import * as pulumi from "@pulumi/pulumi";
import type { Host } from "../../components";
import { key, type Registered, settled, withMocks } from "./mocks";

type Settings = Record<string, unknown>;

const names = ["nginx1", "nginx2", "node1", "node2", "node3", "proxy1", "proxy2", "psql1", "psql2", "psql3"];
const settings = {
  serverNames: ["workspad.company.com"],
  package: { apt: "workspad" },
  databases: { hosts: ["psql1", "psql2", "psql3"] },
  balancer: { hosts: ["nginx1", "nginx2"], virtualIp: "192.168.1.220/24" },
};
const pooler = { hosts: ["proxy1", "proxy2"], virtualIp: "192.168.1.200/24" };

describe("the stack workspad", () => {
  let registered: Registered[];
  /** The program with other settings, on these hosts; undefined takes a setting away. */
  let run: (changes: Settings, on?: readonly string[], others?: Settings) => { entry: pulumi.Output<string> };

  before(async () => {
    registered = await withMocks();
    const { Host } = await import("../../components");
    const { workspad } = await import("../../stacks/workspad");
    const known = new Map<string, Host>();
    const hostOf = (name: string) => {
      const address = `192.168.1.${known.size + 1}`;
      const host = known.get(name) ?? new Host(name, { address, connection: { host: "h", hostKey: key } });
      known.set(name, host);
      return host;
    };
    run = (changes, on = names, others = {}) => {
      const all = { workspad: { ...settings, ...changes }, pooler, ...others };
      for (const [name, value] of Object.entries(all)) {
        pulumi.runtime.setConfig(`hastack:${name}`, JSON.stringify(value));
      }
      const hosts = Object.fromEntries(on.map((name) => [name, hostOf(name)]));
      return workspad(hosts, new pulumi.Config("hastack"));
    };
  });

  /** Units of a run by their names, with their texts. */
  const unitsOf = async (changes: Settings, on?: readonly string[]): Promise<Record<string, string>> => {
    registered.length = 0;
    run(changes, on);
    await settled();
    return Object.fromEntries(registered.map(({ name, inputs }) => [name, String(inputs.stdin ?? "")]));
  };

  test("a host that nothing else names is a node", async () => {
    const units = await unitsOf({}, [...names, "node4"]);
    const nodes = Object.keys(units).filter((name) => /^workspad-node\d$/.test(name));
    assert.deepEqual([...new Set(nodes)].sort(), [
      "workspad-node1",
      "workspad-node2",
      "workspad-node3",
      "workspad-node4",
    ]);
    assert.match(units["front-nginx1"] ?? "", /# node4$/m);
    assert.ok("workspad-data-protection" in units);
  });

  test("nodes can be named", async () => {
    const units = await unitsOf({ nodes: ["node1", "node3"] });
    assert.match(units["front-nginx1"] ?? "", /# node3$/m);
    assert.doesNotMatch(units["front-nginx1"] ?? "", /# node2$/m);
  });

  test("one balancer alone serves at its own address", async () => {
    const on = names.filter((name) => name !== "nginx2");
    registered.length = 0;
    const { entry } = run({ balancer: { hosts: ["nginx1"] } }, on);
    const address = await new Promise((resolve) => entry.apply(resolve));
    assert.equal(address, "192.168.1.1");
    await settled();
    const unit = registered.find(({ name }) => name === "front-nginx1");
    assert.match(String(unit?.inputs.stdin), /# node1\n/);
    assert.doesNotMatch(String(unit?.inputs.stdin), /keepalived/);
  });

  test("the certificate of an existing installation is used, and none is made", async () => {
    const certificate = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----";
    const privateKey = "-----BEGIN PRIVATE KEY-----\nMIIB\n-----END PRIVATE KEY-----";
    await unitsOf({ dataProtection: { certificate, privateKey } });
    assert.deepEqual(
      registered.filter(({ name }) => name === "workspad-data-protection"),
      [],
    );
  });

  describe("refuses a setting before any host is touched, naming key, value and cure", () => {
    for (const [what, wrong, message] of [
      ["no names", { serverNames: [] }, /workspad\.serverNames: \[\]: give the names under which users reach it/],
      ["no balancer", { balancer: undefined }, /workspad\.balancer: missing: give its hosts/],
      [
        "a balancer without hosts",
        { balancer: { hosts: [] } },
        /workspad\.balancer\.hosts: \[\]: give the names of hosts/,
      ],
      [
        "two balancers without an address that moves",
        { balancer: { hosts: ["nginx1", "nginx2"] } },
        /hosts: \["nginx1","nginx2"\]: .*give a virtualIp/,
      ],
      ["no databases", { databases: undefined }, /workspad\.databases: missing: give its hosts/],
      ["no nodes", { nodes: [] }, /workspad\.nodes: \[\]: give the names of hosts/],
      ["one node", { nodes: ["node1"] }, /hosts: \["node1"\]: one node serves nobody while .*: give 2 or more/],
      [
        "a host that is not there",
        { nodes: ["node1", "node9"] },
        /workspad\.nodes: "node9": there is no such host; there are nginx1, /,
      ],
      ["a package from nowhere", { package: "workspad" }, /workspad\.package: "workspad": give \{ apt, version\? \}/],
      [
        "a directory without hosts",
        { activeDirectory: {} },
        /workspad\.activeDirectory\.hosts: missing: give the names of hosts/,
      ],
      ["a mail server without a name", { exchange: {} }, /workspad\.exchange\.host: missing: give the mail server's/],
      [
        "half a certificate",
        { dataProtection: "-----BEGIN" },
        /workspad\.dataProtection: "-----BEGIN": give certificate and privateKey/,
      ],
      ["a key that is none", { balancers: {} }, /workspad: .*"balancers"/],
    ] as const) {
      test(what, () => assert.throws(() => run(wrong), message));
    }

    test("proxies without an address", () => {
      const wrong = { pooler: { hosts: ["proxy1", "proxy2"] } };
      assert.throws(() => run({}, names, wrong), /virtualIp: missing: give the address that clients use/);
    });

    test("a proxy that is not there", () => {
      const wrong = { pooler: { ...pooler, hosts: ["proxy1", "proxy9"] } };
      assert.throws(() => run({}, names, wrong), /pooler\.hosts: "proxy9": there is no such host/);
    });
  });
});
