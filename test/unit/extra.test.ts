import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { before, describe, test } from "node:test";
import type { ExtraArgs } from "../../components";
import { type Additions, withAdditions } from "../../components/converge/additions";
import { fault } from "../../components/fault";
import { key, type Registered, settled, withMocks } from "./mocks";

const rendered = (name: string) => readFileSync(join(__dirname, "golden", `${name}.txt`), "utf8");
const none: Additions = { directories: {}, files: {}, lines: {}, beforeRestart: {}, afterRestart: {} };
const ownership = { mode: "0644", owner: "root:root" };
const extend = (text: string, additions: Partial<Additions>) =>
  withAdditions(text, { ...none, ...additions }, (where, message) => fault(`x: ${where.join(".")}: ${message}`));

/** The block of the first line that begins so. */
const blockOf = (text: string, line: string) =>
  new RegExp(`^${line}[^\\n]* <<'(EOF\\d*)'\\n([\\s\\S]*?)^\\1$`, "m").exec(text)?.[2] ?? assert.fail(`no ${line}`);

const units = ["host-base", "etcd", "patroni", "pooler", "redis", "redis-alone", "balancer", "rudesktop", "workspad"];

describe("what a program adds to a unit", () => {
  for (const unit of units) {
    test(`nothing: the text of ${unit} stays as it is`, () => assert.equal(extend(rendered(unit), {}), rendered(unit)));
  }

  test("lines land at the end of their file, and nowhere else", () => {
    const text = extend(rendered("etcd"), { lines: { "/etc/default/etcd": "ETCD_LOG_LEVEL=warn" } });
    assert.match(blockOf(text, "file /etc/default/etcd"), /\nETCD_ELECTION_TIMEOUT=.*\nETCD_LOG_LEVEL=warn\n$/);
    assert.equal(text.replace("ETCD_LOG_LEVEL=warn\n", ""), rendered("etcd"));
  });

  test("lines that look like the end of a block, or like a secret, are what they are", () => {
    const text = extend(rendered("etcd"), { lines: { "/etc/default/etcd": "EOF\nX=@{secret:root.key}" } });
    assert.match(
      text,
      /file \/etc\/default\/etcd 0644 root:root <<'EOF2'\n[^@]*\nEOF\nX=@\{at\}\{secret:root\.key\}\nEOF2\n/,
    );
  });

  test("a file comes after the packages and before the services, and is a reason to restart or reload", () => {
    const path = "/etc/systemd/system/etcd.service.d/nice.conf";
    const added = { content: "[Service]\nNice=-5\n", ...ownership, restarts: ["etcd"], reloads: [] };
    const text = extend(rendered("etcd"), { files: { [path]: added } });
    const at = (pattern: RegExp) => text.search(pattern);
    assert.ok(at(/^package etcd-server/m) < at(/^file \S+nice\.conf 0644 root:root <</m));
    assert.ok(at(/^file \S+nice\.conf/m) < at(/^service etcd/m));
    assert.match(text, new RegExp(`^service etcd .*restart-on ${path},/etc/default/etcd,`, "m"));

    const reloaded = extend(rendered("pooler"), {
      files: { "/etc/pgbouncer/more.ini": { ...added, restarts: [], reloads: ["pgbouncer.service"] } },
    });
    assert.match(reloaded, /^service pgbouncer .*reload-on \/etc\/pgbouncer\/more\.ini,/m);
  });

  test("a directory comes before the files in it", () => {
    const file = { content: "a", ...ownership, restarts: [], reloads: [] };
    const text = extend(rendered("etcd"), { directories: { "/etc/more": ownership }, files: { "/etc/more/a": file } });
    assert.match(
      text,
      /^directory \/etc\/more 0644 root:root\nfile \/etc\/more\/a 0644 root:root no-final-newline <</m,
    );
  });

  test("scripts stand around the restart; the component's own one goes first, and cannot end the other", () => {
    const text = extend(rendered("etcd"), {
      beforeRestart: { etcd: "echo soon" },
      afterRestart: { etcd: "echo done" },
    });
    const own = blockOf(rendered("etcd"), "service etcd");
    assert.equal(blockOf(text, "service etcd"), `(\n${own})\n(\necho soon\n)\n`);
    assert.match(text, /^service etcd .* before-restart <<[\s\S]*^ {2}after-restart <<'EOF'\necho done\nEOF$/m);
    const alone = extend(rendered("redis"), { beforeRestart: { "redis-sentinel": "echo soon" } });
    assert.match(alone, /^service redis-sentinel .* before-restart <<'EOF'\n\(\necho soon\n\)\nEOF$/m);
  });

  const refused: [what: string, unit: string, additions: Partial<Additions>, message: RegExp][] = [
    [
      "a file that is not there, naming those that are, and no key, program or JSON",
      "etcd",
      { lines: { "/etc/default/etd": "X=1" } },
      /lines\.\/etc\/default\/etd: there is no such file; there are \/etc\/etcd\/etcdctl\.env, \/etc\/default\/etcd, \S+hastack\.conf$/,
    ],
    ["a key", "etcd", { lines: { "/etc/etcd/tls/server.key": "x" } }, /no such file/],
    ["a program", "balancer", { lines: { "/usr/local/lib/hastack/balancer/live": "x" } }, /no such file/],
    [
      "a service that does not exist, naming those that do",
      "pooler",
      { beforeRestart: { bouncer: "true" } },
      /beforeRestart\.bouncer: "bouncer" cannot be meant here: services that can are haproxy, pgbouncer, keepalived/,
    ],
    [
      "a service that is restarted by a step of the component: Redis with replicas",
      "redis",
      { afterRestart: { "redis-server": "true" } },
      /"redis-server" cannot be meant here: services that can are redis-sentinel, haproxy, keepalived/,
    ],
    [
      "a path that the component makes",
      "etcd",
      { files: { "/etc/default/etcd": { content: "", ...ownership, restarts: [], reloads: [] } } },
      /files\.\/etc\/default\/etcd: the component makes it itself: give its further lines in `lines`/,
    ],
  ];
  for (const [what, unit, additions, message] of refused) {
    test(`refused: ${what}`, () => assert.throws(() => extend(rendered(unit), additions), message));
  }
});

describe("every component takes extras for its unit, and shows its commands", () => {
  let registered: Registered[];
  let api: typeof import("../../components");
  let commands: string[];
  const file = "/etc/hastack-extra.conf";
  const extra = { files: { [file]: { content: "extra\n" } } };
  const certificate = "-----BEGIN CERTIFICATE-----\n…\n-----END CERTIFICATE-----\n";

  const host = (name: string, last: number, given: { extra?: ExtraArgs } = {}) =>
    new api.Host(name, { address: `192.168.1.${last}`, connection: { host: "h", hostKey: key }, ...given });

  before(async () => {
    registered = await withMocks();
    api = await import("../../components");
    const ca = new api.CertificateAuthority("ca");
    const members = [1, 2, 3].map((n) => host(`psql${n}`, n, { extra }));
    const [one, two] = members as [(typeof members)[0], (typeof members)[0]];
    const etcd = new api.EtcdQuorum("etcd", { members, ca, extra });
    const pg = new api.PostgresPatroniCluster("pg", {
      members,
      etcd,
      databases: [{ name: "app" }],
      poolers: [one, two],
      extra,
    });
    new api.PgBouncerVipPair("db", { hosts: [one, two], cluster: pg, virtualIp: "192.168.1.200/24", extra });
    new api.RedisSecured("cache", { hosts: [one], ca, extra });
    const upstreams = [{ name: "node1", address: "192.168.1.122", port: 4430 }];
    new api.NginxBalancer("front", { hosts: [one], ca, serverNames: ["app.example.com"], upstreams, extra });
    const database = { host: "d", port: 5432, database: "d", user: "u", password: "p", caCertificate: certificate };
    new api.RuDesktopCluster("rd", {
      hosts: [one, two],
      ca,
      package: api.PackageSource.apt("rudesktop"),
      database,
      redis: { host: "r", port: 6379, password: "p" },
      extra,
    });
    const package_ = api.PackageSource.apt("workspad");
    new api.WorksPadCluster("wp", { hosts: [one, two], package: package_, database, extra });
    commands = Object.keys(etcd.commands);
    await settled();
  });

  const main = [
    "psql1-base",
    "etcd-psql2",
    "pg-psql3",
    "db-psql1",
    "cache-psql1",
    "front-psql1",
    "rd-psql2",
    "wp-psql1",
  ];
  for (const name of main) {
    test(name, () => {
      const text = registered.find((r) => r.type === "command:remote:Command" && r.name === name)?.inputs.stdin;
      assert.match(String(text), /^file \/etc\/hastack-extra\.conf 0644 root:root <<'EOF'\nextra\nEOF$/m);
    });
  }

  test("and no other unit has them", () => {
    const others = registered.filter(
      ({ name, inputs }) =>
        String(inputs.stdin).includes(file) && /-(install|firewall|cluster|ready|access)$/.test(name),
    );
    assert.deepEqual(others, []);
  });

  test("the commands of a component by name", () => {
    assert.deepEqual(
      commands.filter((name) => name.includes("psql1")).sort(),
      ["access", "firewall", "install", "ready", "secrets"]
        .map((role) => `etcd-psql1-${role}`)
        .concat("etcd-psql1")
        .sort(),
    );
  });

  test("wrong extras are refused in the constructor, naming argument, value and cure", () => {
    const wrong = (name: string, given: object, message: RegExp) =>
      assert.throws(() => host(name, 9, { extra: given as ExtraArgs }), message);
    wrong("a", { files: { "etc/x": { content: "" } } }, /Host a: .*extra\.files\.etc\/x: .*give an absolute path/s);
    wrong(
      "b",
      { files: { "/x": { content: "", mode: "644" } } },
      /extra\.files\.\/x\.mode: "644": give four octal digits/,
    );
    wrong("c", { lines: { "/x": " " } }, /extra\.lines\.\/x: " ": there is nothing in it/);
    wrong("d", { line: {} }, /extra: .*line/);
  });
});
