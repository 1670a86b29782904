import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { describe, test } from "node:test";
import * as pulumi from "@pulumi/pulumi";
import type { Host } from "../../components/host";
import { foundBefore } from "../../components/host/inspect";
import * as nginx from "../../components/nginx-balancer/adoption";
import * as pooler from "../../components/pgbouncer-vip-pair/adoption";
import { pairSchema } from "../../components/pgbouncer-vip-pair/args";
import * as node from "../../components/workspad-node/adoption";
import { placesSchema } from "../../components/workspad-node/args";

const [first, second] = [certificateOf("first"), certificateOf("second")];

function certificateOf(name: string): { certificate: string; privateKey: string } {
  const printed = execFileSync(
    "openssl",
    ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"].concat([
      "-subj",
      `/CN=${name}`,
      "-keyout",
      "-",
      "-out",
      "-",
    ]),
    { stdio: ["ignore", "pipe", "ignore"] },
  ).toString();
  const block = (kind: string) =>
    new RegExp(`-----BEGIN ${kind}-----[\\s\\S]+-----END ${kind}-----\\n`).exec(printed)?.[0];
  return { certificate: block("CERTIFICATE") ?? "", privateKey: block("PRIVATE KEY") ?? "" };
}

function base64(text: string): string {
  return Buffer.from(text).toString("base64");
}

describe("a host is looked at before a first apply", () => {
  const look = (units: Record<string, { token: string | null; drift: string[] }>) => {
    const host = {
      answer: pulumi.output({ result: { units } }),
      connection: { apply: () => pulumi.output("what it has") },
    };
    return new Promise((resolve) => {
      foundBefore("it", host as unknown as Host, "workspad", "sh -s", "").apply(resolve);
    });
  };

  test("and never again, be it that the apply failed", async () => {
    assert.equal(await look({ workspad: { token: "install:1", drift: [] } }), "");
    assert.equal(await look({ workspad: { token: null, drift: ["last apply failed"] } }), "");
    assert.equal(await look({ "workspad-install": { token: "install:1", drift: [] } }), "what it has");
  });
});

describe("a WorksPad that was installed by hand", () => {
  const places = { ...placesSchema.parse({}), packageName: "workspad" };
  const given = { dataProtection: first, ownServerCertificate: true };
  const digest = createHash("sha256").update(first.privateKey.replace(/\s/g, "")).digest("hex");
  const connection = JSON.stringify(
    String.raw`Host=192.168.1.200:6432;Database=workspad;User Id=workspad;Password='jhYg/=\F';`,
  );
  const lines = [
    "package 1.0",
    `certificate ${base64(first.certificate)}`,
    `key ${digest}`,
    `server ${base64(second.certificate)}`,
    `settings ${base64(`${connection.slice(1, -1)}\n`)}`,
  ];
  const found = node.parseFound(lines.join("\n")) as node.FoundNode;

  test("is read from what the host prints, without the password", () => {
    assert.deepEqual(found.database, { Host: "192.168.1.200:6432", Database: "workspad", "User Id": "workspad" });
    assert.equal(found.certificate, first.certificate);
    assert.equal(node.parseFound(""), undefined);
  });

  test("is taken over with its data-protection certificate, and with no other", () => {
    assert.deepEqual(node.refusals(places, given, found), []);
    assert.match(
      node.refusals(places, { ...given, dataProtection: undefined }, found).join(),
      /^it has a data-protection certificate \(SHA-256 .*everybody would be signed out\. .*dataprotection\.crt and .* as `dataProtection`$/,
    );
    assert.match(
      node.refusals(places, { ...given, dataProtection: second }, found).join(),
      /^its data-protection certificate is SHA-256 .*, and the one that is given SHA-256 .*copy those of the first node/,
    );
    const otherKey = { ...given, dataProtection: { ...first, privateKey: second.privateKey } };
    assert.match(
      node.refusals(places, otherKey, found).join(),
      /^the key of its data-protection certificate is not the one/,
    );
  });

  test("is refused where its services have other names", () => {
    const reasons = node.refusals(places, given, { ...found, missing: ["workspad-assistant"] });
    assert.match(reasons.join(), /^it has no service workspad-assistant: give the names .* as `services`$/);
  });

  test("is announced with what changes", () => {
    const text = node.announcement(given, found);
    assert.match(text, /^its WorksPad 1\.0 is taken over where it is/);
    assert.match(text, /sessions stay valid: its data-protection certificate is the one that is given/);
    assert.match(text, /now Host=192\.168\.1\.200:6432;Database=workspad;User Id=workspad: what the program says/);
    assert.match(
      text,
      /the certificate of its HTTPS port \(CN=second, until .*\): replaced by one of the stack's authority/,
    );
    const { certificate: _, ...bare } = found;
    const broken = "-----BEGIN CERTIFICATE-----\nMII\n-----END CERTIFICATE-----\n";
    const refused = node.refusals(places, { ...given, dataProtection: { ...first, certificate: broken } }, found);
    assert.match(refused.join(), /and the one that is given unreadable, \w+…/);
    assert.match(node.announcement(given, bare), /it has no data-protection certificate where one is expected/);
  });
});

describe("an nginx that was set up by hand", () => {
  const configuration = [
    "# configuration file /etc/nginx/nginx.conf:",
    "events { worker_connections 768; }",
    "http {",
    '  log_format main "$remote_addr; {$request}";',
    "# configuration file /etc/nginx/conf.d/workspad.conf:",
    "  upstream cluster { ip_hash; server 192.168.1.122:4430; server 192.168.1.123:4430 max_fails=3; # node2",
    "  }",
    "  server { listen 443 ssl; listen [::]:443 ssl; server_name workspad.company.com _;",
    "    ssl_certificate ssl/workspad.crt;",
    "    location / { proxy_pass https://cluster; proxy_read_timeout 300s; }",
    "    location /admin { allow 10.0.0.0/8; deny all; proxy_pass https://cluster/admin; }",
    "  }",
    "  server { listen 127.0.0.1:8080; listen 80 default_server; root /var/www/html; }",
    "}",
    "",
  ];
  const printed = `certificate ssl/workspad.crt ${base64(first.certificate)}\n${configuration.join("\n")}`;
  const found = nginx.parseFound(printed) as nginx.FoundNginx;
  const wanted: nginx.Wanted = {
    serverNames: ["workspad.company.com"],
    ports: [443, 80],
    upstreams: ["192.168.1.122", "192.168.1.123"],
  };

  test("is read from what the host prints", () => {
    assert.deepEqual(found, {
      files: ["/etc/nginx/nginx.conf", "/etc/nginx/conf.d/workspad.conf"],
      names: ["workspad.company.com"],
      ports: [443, 80],
      upstreams: ["192.168.1.122:4430", "192.168.1.123:4430"],
      certificates: [first.certificate],
      rules: ["location /admin", "allow 10.0.0.0/8", "deny all"],
    });
    assert.equal(nginx.parseFound(""), undefined);
  });

  test("is taken over when the program serves what it serves", () => {
    assert.deepEqual(nginx.refusals(wanted, first.certificate, found), []);
    assert.deepEqual(nginx.refusals({ ...wanted, serverNames: ["*.company.com"] }, first.certificate, found), []);
  });

  const differences: [what: string, changes: Partial<nginx.FoundNginx>, reason: RegExp][] = [
    [
      "another name",
      { names: ["mail.company.com"] },
      /^it serves mail\.company\.com, which would be refused: add that to/,
    ],
    ["a pattern of names", { names: ["*.company.com"] }, /^it serves \*\.company\.com, which would be refused/],
    [
      "another node",
      { upstreams: ["192.168.1.124:4430"] },
      /^it sends requests to 192\.168\.1\.124:4430, which is none of/,
    ],
    ["another port", { ports: [8443] }, /^it listens on port 8443, where nobody would answer/],
    [
      "a configuration that it refuses itself",
      { refused: "unknown directive" },
      /^nginx does not accept its own .*: mend it/,
    ],
  ];
  for (const [what, changes, reason] of differences) {
    test(`is refused for ${what}`, () => {
      assert.match(nginx.refusals(wanted, first.certificate, { ...found, ...changes }).join("\n"), reason);
    });
  }

  test("is refused where its clients would see a certificate that they do not trust", () => {
    assert.match(
      nginx.refusals(wanted, undefined, found).join(),
      /^its clients trust CN=first, until .* as `certificate`, or/,
    );
  });

  test("is announced with what changes", () => {
    assert.match(
      nginx.announcement(first.certificate, found),
      /^its nginx is taken over; users' address and names \(workspad\.company\.com\) stay\n(.*\n)+.*that they know \(CN=first/,
    );
    assert.match(
      nginx.announcement(second.certificate, found),
      /see another certificate: CN=second.* instead of CN=first/,
    );
  });
});

describe("a pooler that was set up by hand", () => {
  const keepalived =
    "vrrp_instance VIP {\n  state MASTER # ! {\n  virtual_router_id 70\n  virtual_ipaddress {\n    192.168.1.200/24\n  }\n}\n";
  const ini =
    "[databases]\nworkspad = host=192.168.1.131\n* = host=other\n\n[pgbouncer]\n; listen_port = 1\nlisten_port = 6432\nauth_type = md5\n";
  const found = pooler.parseFound(`keepalived ${base64(keepalived)}\npgbouncer ${base64(ini)}\n`) as pooler.FoundPooler;
  const settings = pairSchema.parse({ virtualIp: "192.168.1.200/24" });
  const config = {
    settings,
    pools: ["workspad", "workspad_ro"].map((alias) => ({ alias })) as never,
    virtualIp: { virtualIp: settings.virtualIp, routerId: 70 },
  };

  test("is read from what the host prints", () => {
    assert.deepEqual(found, {
      addresses: [{ address: "192.168.1.200", routerId: 70 }],
      pgbouncer: { port: 6432, databases: ["workspad", "*"], authType: "md5" },
    });
    assert.equal(pooler.parseFound("\n"), undefined);
  });

  test("is taken over with its address, router id, port and databases, and with no other", () => {
    assert.deepEqual(pooler.refusals(config, found), []);
    const own = { ...config.virtualIp, routerId: 200 };
    assert.match(
      pooler.refusals({ ...config, virtualIp: own }, found).join(),
      /virtual_router_id 70, and not 200: .* `vrrp.routerId`$/,
    );
    const more = { addresses: [{ address: "192.168.1.201", routerId: 70 }] };
    assert.match(
      pooler.refusals(config, more).join(),
      /^its keepalived has the address 192\.168\.1\.201, which nobody would have/,
    );
    const other = { addresses: [], pgbouncer: { port: 5432, databases: ["crm"], authType: "md5" } };
    assert.match(
      pooler.refusals(config, other)[0] ?? "",
      /^its PgBouncer listens on port 5432, and not 6432: give that as `port`$/,
    );
    assert.match(
      pooler.refusals(config, other)[1] ?? "",
      /^its PgBouncer has the database crm, .* `databases` of the cluster/,
    );
  });

  test("is announced with what changes", () => {
    assert.match(
      pooler.announcement(found),
      /^what leads .*\n {2}PgBouncer \(workspad, \*; auth_type md5\): .*\n {2}keepalived \(192/,
    );
  });
});
