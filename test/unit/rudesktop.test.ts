import assert from "node:assert/strict";
import { before, describe, test } from "node:test";
import { key, type Registered, settled, withMocks } from "./mocks";

const caCertificate = "-----BEGIN CERTIFICATE-----\nMII\n-----END CERTIFICATE-----\n";
const database = {
  host: "192.168.1.200",
  port: 6432,
  database: "desk",
  user: "desk",
  password: "PW-PG",
  caCertificate,
};
const redis = { host: "192.168.1.201", port: 6379, password: "PW-REDIS" };

type Api = typeof import("../../components");

function hostsOf(api: Api, ...names: string[]) {
  return names.map(
    (name, i) => new api.Host(name, { address: `192.168.1.12${i}`, connection: { host: "h", hostKey: key } }),
  );
}

describe("the resources of RuDesktop on three nodes", () => {
  let registered: Registered[];
  const stdin = (name: string) => String(registered.find((r) => r.name === name && r.inputs.create)?.inputs.stdin);

  before(async () => {
    registered = await withMocks();
    const api = await import("../../components");
    const { CertificateAuthority, PackageSource, RuDesktopCluster } = api;
    new RuDesktopCluster("rd", {
      hosts: hostsOf(api, "n1", "n2", "n3"),
      ca: new CertificateAuthority("ca"),
      package: PackageSource.apt("rudesktop", "2.7"),
      database,
      redis,
    });
    await settled();
  });

  test("all nodes have the same files, but for their own address", () => {
    const texts = ["n1", "n2", "n3"].map((n, i) => stdin(`rd-${n}`).replace(`192.168.1.12${i}:443`, "ADDRESS:443"));
    assert.match(texts[0] ?? "", /SECRET_KEY=@\{secret:secret-key\|envFile\}/);
    assert.equal(new Set(texts).size, 1);
    const stores = ["n1", "n2", "n3"].map((n) =>
      value(registered.find((r) => r.name === `rd-${n}-secrets`)?.inputs.stdin),
    );
    const shared = stores.map((lines) =>
      lines
        .split("\n")
        .filter((line) => !line.startsWith("server."))
        .join("\n"),
    );
    assert.match(shared[0] ?? "", new RegExp(`^secret-key\\|envFile ${base64('"SECRET-rd-secret-key"')}$`, "m"));
    assert.equal(new Set(shared).size, 1);
  });

  test("every node compares the same keyed digests, and none of the values is shown", () => {
    const wanted = ["n1", "n2", "n3"].map((n) => /want="(SECRET_KEY=[^"]*)"/.exec(stdin(`rd-${n}-shared`))?.[1]);
    assert.match(
      wanted[0] ?? "",
      /^SECRET_KEY=[0-9a-f]{12} REDIS_URL=[0-9a-f]{12} RELAY_ARGS=[0-9a-f]{12} redis_server=/,
    );
    assert.equal(new Set(wanted).size, 1);
  });

  test("a unit's text is plain and holds no secret", () => {
    for (const { name, inputs } of registered.filter((r) => r.inputs.create && !r.name.endsWith("-secrets"))) {
      if (inputs.stdin === undefined) continue;
      assert.equal(typeof inputs.stdin, "string", name);
      for (const secret of ["PW-PG", "PW-REDIS", "SECRET-"]) assert.equal(String(inputs.stdin).includes(secret), false);
    }
  });

  test("no firewall unless balancers are named", () => {
    assert.deepEqual(
      registered.filter((r) => r.name.includes("firewall")),
      [],
    );
  });
});

describe("RuDesktop's arguments are refused before any host is touched, naming argument, value and cure", () => {
  let api: Api;
  let make: (args: object) => () => unknown;

  before(async () => {
    await withMocks();
    api = await import("../../components");
    const ca = new api.CertificateAuthority("ca");
    const [host] = hostsOf(api, "n1");
    const source = api.PackageSource.apt("rudesktop");
    const args = { host, ca, package: source, database, redis, secretKey: "0123456789abcdef" };
    make = (wrong) => () => new api.RuDesktopNode("n1", { ...args, ...wrong } as never);
  });

  for (const [what, args, message] of [
    [
      "a value that systemd would drop",
      { redis: { ...redis, password: "a\u0007b" } },
      /redis\.password: .*control character/,
    ],
    ["no password", { database: { ...database, password: "" } }, /database\.password: "": it cannot be empty/],
    ["a missing password", { database: { ...database, password: undefined } }, /database\.password: missing/],
    [
      "a Redis with TLS",
      { redis: { ...redis, tls: true } },
      /redis\.tls: true: RuDesktop's documentation knows redis:\/\//,
    ],
    ["a short key", { secretKey: "short" }, /secretKey: \(not shown\): .*give 16 characters or more/],
    ["another way of TLS", { sslMode: "prefer" }, /sslMode: "prefer": give verify-ca or require/],
    ["a relay without its file", { relayArgs: "-v" }, /relayArgs: "-v": .*-C \/etc\/rudesktop-relay\.toml/],
    ["a variable with an argument", { variables: { SECRET_KEY: "x" } }, /variables\.SECRET_KEY: .*argument of its own/],
    [
      "a second redis_server",
      { relaySettings: 'a = 1\nredis_server = "x"' },
      /relaySettings: .*made from the argument redis/,
    ],
    ["a file out of its directory", { tomlFiles: { "../x.toml": "" } }, /tomlFiles\.\.\.\/x\.toml: .*ends in "\.toml"/],
    ["two ports that are one", { webPort: 443 }, /httpsPort: .*give three different ones/],
    [
      "balancers that are no addresses",
      { balancers: ["front"] },
      /balancers\.0: "front": give an address or a network/,
    ],
  ] as const) {
    test(what, () => assert.throws(make(args), message));
  }

  test("one host, and a host that is named twice", () => {
    const [a, b] = hostsOf(api, "a", "b");
    const cluster = (hosts: unknown[]) => () =>
      new api.RuDesktopCluster("rd", { hosts, package: api.PackageSource.apt("x1"), database, redis } as never);
    assert.throws(cluster([a]), /RuDesktopCluster rd: .*hosts: \["a"\]: .*give 2 or more/s);
    assert.throws(cluster([a, b, a]), /a host is named twice/);
  });

  test("packages that cannot be", () => {
    const { PackageSource } = api;
    const deb = { name: "rudesktop", version: "2.7", sha256: "a".repeat(64) };
    assert.throws(() => PackageSource.apt("Ru Desktop"), /PackageSource: .*name: "Ru Desktop": not the name/s);
    assert.throws(
      () => PackageSource.url({ ...deb, url: "ftp://x/y.deb" }),
      /url: "ftp:.*give an address, e\.g\. https/,
    );
    assert.throws(() => PackageSource.path({ ...deb, path: "x.deb" }), /path: "x\.deb": give an absolute path/);
    assert.throws(() => PackageSource.path({ ...deb, sha256: "abc", path: "/x.deb" }), /sha256: "abc": .*sha256sum/);
  });

  test("packages that are given without a factory are refused by the component, naming it", () => {
    const deb = { name: "rudesktop", version: "2.7", sha256: "a".repeat(64) };
    for (const [wrong, message] of [
      [{ ...deb, name: "Ru" }, /RuDesktopNode n1: .*package\.name: "Ru": not the name/s],
      [{ ...deb, url: "https://x/y.deb", path: "/y.deb" }, /package\.path: .*either a url or a path/],
      [{ name: "rudesktop", path: "/y.deb" }, /package\.version: missing: .*package\.sha256: missing: give what/s],
      [deb, /package\.sha256: .*its url or path too/],
    ] as const) {
      assert.throws(make({ package: wrong }), message);
    }
  });

  test("what installs a package: the package sources, or a file of a known digest", async () => {
    const { installationOf } = await import("../../components/package-source");
    const installs = (args: object): Promise<{ install: string }> =>
      new Promise((resolve) => void installationOf("x", args as never).apply(resolve));
    const deb = { name: "rudesktop", version: "2.7", sha256: "a".repeat(64) };
    const digest = `sha256:${"a".repeat(64)}`;
    const install = async (args: object) => (await installs(args)).install;
    assert.equal(await install({ name: "rudesktop" }), "package rudesktop hold");
    assert.equal(await install({ name: "rudesktop", version: "2.7" }), "package rudesktop=2.7 hold");
    assert.equal(await install({ ...deb, path: "/var/tmp/x.deb" }), `deb rudesktop 2.7 ${digest} /var/tmp/x.deb`);
    assert.equal(await install({ ...deb, url: "https://x/y.deb" }), `deb rudesktop 2.7 ${digest} https://x/y.deb`);
  });
});

function base64(text: string): string {
  return Buffer.from(text).toString("base64");
}

/** What a secret input holds. */
function value(input: unknown): string {
  return String((input as { value?: unknown }).value);
}
