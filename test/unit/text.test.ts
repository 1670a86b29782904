import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { secret, secretLines, secretsDigest, secretsNamedIn } from "../../components/converge/secrets";
import { ensure, file, literal, packages, service, unitText, waitFor } from "../../components/converge/text";

const owner = { mode: "0644", owner: "root:root" };

describe("unit text", () => {
  test("a file's content is verbatim between its terminators", () => {
    assert.equal(file("/etc/a", "x = 1\n", owner), "file /etc/a 0644 root:root <<'EOF'\nx = 1\nEOF");
  });

  test("content that holds the terminator gets another one", () => {
    assert.equal(file("/etc/a", "EOF\nEOF2\n", owner), "file /etc/a 0644 root:root <<'EOF3'\nEOF\nEOF2\nEOF3");
  });

  test("a missing final newline is said", () => {
    assert.equal(file("/etc/a", "x", owner), "file /etc/a 0644 root:root no-final-newline <<'EOF'\nx\nEOF");
  });

  test("a path with blanks and quotes is one word", () => {
    assert.match(file('/etc/a "b" \\c', "", owner), /^file "\/etc\/a \\"b\\" \\\\c" 0644/);
  });

  test("a line break in a word is refused", () => {
    assert.throws(() => waitFor("two\nlines", 1, "true"), /line break/);
  });

  test("services and packages say only what is asked", () => {
    assert.equal(packages(["etcd-server", "etcd-client"], { hold: true }), "package etcd-server etcd-client hold");
    assert.equal(
      service("etcd", { enabled: true, started: true, restartOn: ["/etc/a", "package:etcd-server"], noBlock: true }),
      "service etcd enabled started restart-on /etc/a,package:etcd-server no-block",
    );
    assert.equal(service("postgresql", { enabled: false, started: false }), "service postgresql disabled stopped");
  });

  test("a step has its check and its remedy", () => {
    assert.equal(
      unitText(ensure("role a", { check: "true", fix: "false", timeout: 5 })),
      "ensure \"role a\" timeout 5\n  check <<'EOF'\ntrue\nEOF\n  do <<'EOF'\nfalse\nEOF\nend\n",
    );
  });
});

describe("secrets", () => {
  test("a text names them, sorted and once, and never holds them", () => {
    const text = `a: ${secret("pw", "yaml")}\nb: ${secret("pw", "yaml")}\nc: ${secret("key")}\n`;
    assert.deepEqual(secretsNamedIn(text), ["key|raw", "pw|yaml"]);
    const lines = secretLines(text, { pw: 'x"y', key: "k", unused: "z" });
    assert.equal(lines, `key|raw ${btoa("k")}\npw|yaml ${btoa('"x\\"y"')}\nend\n`);
  });

  test("a name that nobody gives is an error", () => {
    assert.throws(() => secretLines(secret("pw"), {}), /names the secret pw/);
  });

  test("text from outside cannot name a secret", () => {
    assert.deepEqual(secretsNamedIn(literal("@{secret:pw|raw}")), []);
    assert.equal(literal("@{secret:pw}"), "@{at}{secret:pw}");
  });

  test("the digest changes with a value and with the key, and shows neither", () => {
    const digest = secretsDigest("a YQ==\n", "key");
    assert.match(digest, /^[0-9a-f]{16}$/);
    assert.notEqual(digest, secretsDigest("a Yg==\n", "key"));
    assert.notEqual(digest, secretsDigest("a YQ==\n", "other key"));
  });
});
