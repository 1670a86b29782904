import assert from "node:assert/strict";
import { before, describe, test } from "node:test";
import { key, type Registered, settled, withMocks } from "./mocks";

const caCertificate = "-----BEGIN CERTIFICATE-----\nMII\n-----END CERTIFICATE-----\n";
const database = {
  host: "192.168.1.200",
  port: 6432,
  database: "workspad",
  user: "workspad",
  password: "jhYg/=\\F",
  caCertificate,
};

type Api = typeof import("../../components");

function hostsOf(api: Api, ...names: string[]) {
  return names.map(
    (name, i) => new api.Host(name, { address: `192.168.1.12${i}`, connection: { host: "h", hostKey: key } }),
  );
}

describe("the resources of WorksPad on three nodes", () => {
  let registered: Registered[];
  const nodes = ["n1", "n2", "n3"];
  const command = (name: string) => registered.find((r) => r.type === "command:remote:Command" && r.name === name);
  const stdin = (name: string) => value(command(name)?.inputs.stdin);

  before(async () => {
    registered = await withMocks();
    const api = await import("../../components");
    new api.WorksPadCluster("wp", {
      hosts: hostsOf(api, ...nodes),
      package: api.PackageSource.apt("workspad", "1.0"),
      database,
      activeDirectory: { hosts: ["msad"], ldaps: false },
      exchange: { host: "exchange" },
    });
    await settled();
  });

  test("all nodes have the same text, and the same data-protection certificate and key", () => {
    assert.match(
      stdin("wp-n1"),
      /^package workspad=1\.0 hold through \/usr\/local\/lib\/hastack\/workspad\/terminal\.py$/m,
    );
    assert.equal(new Set(nodes.map((n) => stdin(`wp-${n}`))).size, 1);
    const stores = nodes.map((n) => stdin(`wp-${n}-secrets`));
    assert.match(
      stores[0] ?? "",
      new RegExp(`^data-protection\\.key\\|raw ${btoa("KEY-wp-data-protection-key")}$`, "m"),
    );
    assert.equal(new Set(stores).size, 1);
  });

  test("a unit's text is plain and holds no secret", () => {
    const texts = registered.filter((r) => r.inputs.create && r.inputs.stdin && !r.name.endsWith("-secrets"));
    assert.ok(texts.length > nodes.length);
    for (const { name, inputs } of texts) {
      assert.equal(typeof inputs.stdin, "string", name);
      for (const secret of ["jhYg", "KEY-", "SECRET-"])
        assert.equal(String(inputs.stdin).includes(secret), false, name);
    }
  });

  test("each node looks for the systems outside that are named, and for no other port of theirs", () => {
    for (const node of nodes) {
      assert.equal(
        stdin(`wp-${node}-outside`),
        [
          "tcp msad 389 Active Directory (LDAP)",
          "tcp msad 88 Active Directory (Kerberos)",
          "https exchange 443 /EWS/Exchange.asmx Exchange (EWS)",
          "",
        ].join("\n"),
      );
    }
  });

  test("no firewall unless balancers are named", () => {
    assert.deepEqual(
      registered.filter((r) => r.name.includes("firewall")),
      [],
    );
  });
});

describe("WorksPad on one node", () => {
  test("it needs nothing but a host, a database and a package, and makes a certificate of its own", async () => {
    const registered = await withMocks();
    const api = await import("../../components");
    for (const host of hostsOf(api, "n1", "n2")) {
      new api.WorksPadNode(host.hostName, { host, database, package: api.PackageSource.apt("workspad") });
    }
    await settled();
    const keys = registered.filter((r) => r.type === "tls:index/privateKey:PrivateKey").map((r) => r.name);
    assert.deepEqual(keys, ["n1-data-protection-key", "n2-data-protection-key"]);
    assert.equal(
      registered.some((r) => r.name.endsWith("-outside")),
      false,
    );
  });

  test("with the certificate of an existing installation none is made", async () => {
    const registered = await withMocks();
    const api = await import("../../components");
    const [host] = hostsOf(api, "n1") as [InstanceType<Api["Host"]>];
    const dataProtection = new api.DataProtectionCertificate("wp", {
      certificate: caCertificate,
      privateKey: "-----BEGIN RSA PRIVATE KEY-----\nMII\n-----END RSA PRIVATE KEY-----\n",
    });
    new api.WorksPadNode("n1", { host, database, package: api.PackageSource.apt("workspad"), dataProtection });
    await settled();
    assert.equal(
      registered.some((r) => r.type.startsWith("tls:")),
      false,
    );
    const stored = value(registered.find((r) => r.name === "n1-secrets")?.inputs.stdin);
    assert.ok(stored.includes(`data-protection.crt|raw ${btoa(caCertificate)}\n`), stored);
  });
});

describe("WorksPad's arguments are refused before any host is touched, naming argument, value and cure", () => {
  let api: Api;
  let make: (args: object) => () => unknown;

  before(async () => {
    await withMocks();
    api = await import("../../components");
    const [host] = hostsOf(api, "n1");
    const args = { host, package: api.PackageSource.apt("workspad"), database };
    make = (wrong) => () => new api.WorksPadNode("n1", { ...args, ...wrong } as never);
  });

  for (const [what, args, message] of [
    ["a line break in an answer", { database: { ...database, database: "a\nb" } }, /database\.database: .*line break/],
    ["no password", { database: { ...database, password: "" } }, /database\.password: "": it cannot be empty/],
    ["another way of TLS", { sslMode: "verify-full" }, /sslMode: "verify-full": give VerifyFull, VerifyCA or Require/],
    ["a keyword with an argument", { connectionSettings: { "User ID": "x" } }, /User ID: .*argument of its own/],
    ["a prompt that is no pattern", { prompts: { host: "(" } }, /prompts\.host: "\(": not a regular expression/],
    ["half of the questions", { debconf: { host: "workspad/host" } }, /debconf\.name: missing/],
    ["a path that is none", { healthPath: "health" }, /healthPath: "health": give a path, e\.g\. "\/health"/],
    ["a balancer by name", { balancers: ["nginx1"] }, /balancers\.0: "nginx1": give an address or a network/],
    ["a directory without hosts", { activeDirectory: { hosts: [] } }, /activeDirectory\.hosts: \[\]/],
    ["a source without its key", { runtimeSource: { uri: "https://x", suite: "./" } }, /runtimeSource\.key: missing/],
  ] as [string, object, RegExp][]) {
    test(what, () => assert.throws(make(args), message));
  }

  test("one node, and a host that is named twice", () => {
    const [a] = hostsOf(api, "a");
    const cluster = (hosts: unknown[]) => () =>
      new api.WorksPadCluster("wp", { hosts, package: api.PackageSource.apt("workspad"), database } as never);
    assert.throws(cluster([a]), /WorksPadCluster wp: .*hosts: \["a"\]: .*give 2 or more/s);
    assert.throws(cluster([a, a]), /a host is named twice/);
  });

  test("a certificate without its key", () => {
    assert.throws(
      () => new api.DataProtectionCertificate("wp", { certificate: caCertificate, privateKey: caCertificate }),
      /DataProtectionCertificate wp: .*privateKey: .*give a key in PEM/s,
    );
  });
});

/** The plain value of an input, which may be marked secret. */
function value(input: unknown): string {
  return String((input as { value?: unknown } | undefined)?.value ?? input);
}
