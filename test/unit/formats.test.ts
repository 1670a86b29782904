import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { describe, test } from "node:test";
import fc from "fast-check";
import { parse as parseYaml } from "yaml";
import { conninfo, hba, shell, sql, sqlIdentifier, url, yaml } from "../../components/formats";

/** Any text that a configuration file can hold, with what usually breaks quoting in the first place. */
const anyText = fc.oneof(
  fc.constantFrom(
    "jhYg/=\\F",
    "'; DROP TABLE x; --",
    'a"b',
    "пароль",
    "@{secret:x|raw}",
    "$(id)`id`",
    "😀",
    "\\",
    "a\nb",
    " ",
  ),
  fc.string({ unit: "binary" }).map((s) => s.replaceAll("\0", "").replace(/[\ud800-\udfff]/g, "")),
);

describe("a value is read back as it was, whatever it holds", () => {
  test("yaml", () => {
    fc.assert(
      fc.property(anyText, (value) => {
        assert.equal(parseYaml(yaml(value), { version: "1.1" }), value);
      }),
    );
  });

  test("yaml is plain ASCII, so that no code point is refused", () => {
    fc.assert(fc.property(anyText, (value) => assert.match(yaml(value), /^[\x20-\x7e]*$/)));
  });

  test("shell, read by a real shell", () => {
    const values = [...fc.sample(anyText, 40), "jhYg/=\\F", "'", "a'b'c", "$HOME", "-n", "%s"];
    const script = values.map((value) => `printf '%s\\0' ${shell(value)}`).join("\n");
    const printed = execFileSync("sh", ["-s"], { input: script, encoding: "utf8" }).split("\0").slice(0, -1);
    assert.deepEqual(printed, values);
  });

  test("sql: an E'' or '' constant, by PostgreSQL's rules of escaping", () => {
    fc.assert(
      fc.property(anyText, (value) => {
        const constant = sql(value);
        const escaped = constant.startsWith("E");
        const body = constant.slice(escaped ? 2 : 1, -1).replaceAll("''", "'");
        assert.equal(escaped ? body.replaceAll("\\\\", "\\") : body, value);
        assert.equal(
          /(?<!')(?:'')*'(?!')/.test(constant.slice(escaped ? 2 : 1, -1)),
          false,
          "a lone quote would end it",
        );
      }),
    );
  });

  test("sql identifier and pg_hba name: only doubled quotes inside", () => {
    fc.assert(
      fc.property(anyText, (value) => {
        for (const quoted of [sqlIdentifier(value), hba(value)]) {
          assert.equal(quoted.slice(1, -1).replaceAll('""', '"'), value);
          assert.equal(quoted.slice(1, -1).replaceAll('""', "").includes('"'), false);
        }
      }),
    );
  });

  test("url component", () => {
    fc.assert(
      fc.property(anyText, (value) => {
        assert.match(url(value), /^[A-Za-z0-9._~%-]*$/);
        assert.equal(decodeURIComponent(url(value)), value);
      }),
    );
  });

  test("conninfo: backslash and quote escaped", () => {
    assert.equal(conninfo("it's \\"), "'it\\'s \\\\'");
  });
});
