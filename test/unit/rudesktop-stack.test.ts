import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { before, describe, test } from "node:test";
import * as pulumi from "@pulumi/pulumi";
import { parse } from "yaml";
import { key, settled, withMocks } from "./mocks";

type Settings = Record<string, unknown>;

const names = ["nginx1", "nginx2", "node1", "node2", "proxy1", "proxy2", "psql1", "psql2", "psql3", "redis1"];
const settings = {
  serverNames: ["rudesktop.example.com"],
  package: { apt: "rudesktop" },
  databases: { hosts: ["psql1", "psql2", "psql3"] },
  redis: { hosts: ["redis1"] },
  nodes: { node1: { site: "north" }, node2: { site: "south" } },
  balancer: { hosts: ["nginx1", "nginx2"], virtualIp: "192.168.1.220/24" },
};
const pooler = { hosts: ["proxy1", "proxy2"], virtualIp: "192.168.1.200/24" };

describe("settings of the stack rudesktop are refused before any host is touched, naming key, value and cure", () => {
  let make: (wrong: Settings, other?: Settings) => () => unknown;

  before(async () => {
    await withMocks();
    const { Host } = await import("../../components");
    const { rudesktop } = await import("../../stacks/rudesktop");
    const hosts = Object.fromEntries(
      names.map((name, i) => [
        name,
        new Host(name, { address: `192.168.1.${i + 1}`, connection: { host: "h", hostKey: key } }),
      ]),
    );
    make =
      (wrong, other = {}) =>
      () => {
        const all = { rudesktop: { ...settings, ...wrong }, pooler, ...other };
        for (const [name, value] of Object.entries(all))
          pulumi.runtime.setConfig(`hastack:${name}`, JSON.stringify(value));
        return rudesktop(hosts, new pulumi.Config("hastack"));
      };
  });

  for (const [what, wrong, message] of [
    [
      "DNS round robin",
      { scheme: "dns-round-robin" },
      /rudesktop\.scheme: "dns-round-robin": give active-active or active-passive\. DNS round robin .* goes on naming a node that is down/,
    ],
    ["no site that serves", { scheme: "active-passive" }, /rudesktop\.activeSite: missing: .*give north or south/],
    [
      "a site that is none",
      { scheme: "active-passive", activeSite: "west" },
      /rudesktop\.activeSite: "west": .*give north or south/,
    ],
    [
      "one site alone",
      { scheme: "active-passive", activeSite: "main", nodes: { node1: {}, node2: {} } },
      /rudesktop\.nodes: .*all in site main.*give the nodes of another/,
    ],
    [
      "a site that serves where all do",
      { activeSite: "north" },
      /rudesktop\.activeSite: "north": with active-active all sites serve: leave it out, or/,
    ],
    ["no names", { serverNames: [] }, /rudesktop\.serverNames: \[\]: give the names/],
    ["names that are left out", { serverNames: undefined }, /rudesktop\.serverNames: missing: give the names/],
    [
      "nodes of which none serves",
      { nodes: { node1: { serves: false }, node2: { serves: false } } },
      /rudesktop\.nodes: .*none of them serves: give one without serves: false/,
    ],
    ["no nodes", { nodes: undefined }, /rudesktop\.nodes: missing: give the nodes' hosts, each with its site/],
    [
      "a misspelt key of a node",
      { nodes: { node1: { sit: "a" }, node2: {} } },
      /rudesktop\.nodes\.node1: \{"sit":"a"\}: .*"sit"/,
    ],
    ["no balancer", { balancer: undefined }, /rudesktop\.balancer: missing: give its hosts/],
    [
      "a balancer without hosts",
      { balancer: { hosts: [] } },
      /rudesktop\.balancer\.hosts: \[\]: give the names of hosts/,
    ],
    ["no Redis", { redis: undefined }, /rudesktop\.redis: missing: give its hosts/],
    ["no databases", { databases: {} }, /rudesktop\.databases\.hosts: missing: give the names of hosts/],
    [
      "a package from nowhere",
      { package: { name: "x" } },
      /rudesktop\.package: \{"name":"x"\}: give \{ apt, version\? \}/,
    ],
    [
      "a host that is not there",
      { redis: { hosts: ["redis9"] } },
      /rudesktop\.redis\.hosts: "redis9": there is no such host; there are nginx1, /,
    ],
    ["a key that is none", { balancers: {} }, /rudesktop: .*"balancers"/],
  ] as const) {
    test(what, () => assert.throws(make(wrong), message));
  }

  test("poolers without an address", () => {
    assert.throws(make({}, { pooler: { hosts: ["proxy1"] } }), /virtualIp: missing: give the address that clients use/);
  });
});

describe("the example for machines of one's own", () => {
  /** The nodes to which its balancers lead. */
  async function led(nodes: Settings = {}): Promise<string[]> {
    const file = readFileSync(join(__dirname, "../../Pulumi.rudesktop.yaml"), "utf8");
    const { config } = parse(file) as { config: Record<string, Settings> };
    const { "hastack:rudesktop": rudesktopConfig } = config;
    Object.assign(rudesktopConfig?.nodes as Settings, nodes);
    const registered = await withMocks(
      Object.fromEntries(Object.entries(config).map(([name, value]) => [name, JSON.stringify(value)])),
    );
    const { Host } = await import("../../components");
    const { rudesktop } = await import("../../stacks/rudesktop");
    const addresses = config["hastack:hosts"] as Record<string, { address: string }>;
    const hosts = Object.entries(addresses).map(([name, { address }]) => {
      return [name, new Host(name, { address, connection: { host: address, hostKey: key } })] as const;
    });
    rudesktop(Object.fromEntries(hosts), new pulumi.Config("hastack"));
    await settled();
    const texts = ["nginx1", "nginx2"].map((balancer) =>
      String(registered.find(({ name }) => name === `front-${balancer}`)?.inputs.stdin),
    );
    const [one, other] = texts.map((text) => [...text.matchAll(/^server .* # (\S+)$/gm)].map(([, node = ""]) => node));
    assert.ok(one);
    assert.deepEqual(one, other);
    return one;
  }

  test("is accepted, and the balancers lead to the nodes of its active site", async () => {
    assert.deepEqual(await led(), ["node1", "node2"]);
  });

  test("a node that is to leave gets nothing any more", async () => {
    assert.deepEqual(await led({ node1: { site: "north", serves: false } }), ["node2"]);
  });
});
