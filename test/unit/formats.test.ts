import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { describe, test } from "node:test";
import fc from "fast-check";
import { parse as parseYaml } from "yaml";
import { conninfo, envFile, hba, shell, sql, sqlIdentifier, toml, url, yaml } from "../../components/formats";

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

  test("toml, read by Python's tomllib", () => {
    const values = [...fc.sample(anyText, 200), "jhYg/=\\F", "\u007f", "\ue000", "\u{10ffff}"];
    const document = values.map((value, i) => `k${i} = ${toml(value)}\n`).join("");
    const program = "import json, sys, tomllib; print(json.dumps(list(tomllib.load(sys.stdin.buffer).values())))";
    assert.deepEqual(
      JSON.parse(execFileSync("python3", ["-c", program], { input: document, encoding: "utf8" })),
      values,
    );
  });

  test("envFile, read by a real shell and by systemd's rules", () => {
    const values = [
      ...fc.sample(anyText, 200),
      "jhYg/=\\F",
      "'",
      "a'b\"c",
      "$HOME `id` \\$x \\\\",
      "# no comment",
      " a ",
      "\\",
    ];
    const document = values.map((value, i) => `K${i}=${envFile(value)}\n`).join("");
    const print = values.map((_, i) => `printf '%s\\0' "$K${i}"`).join("\n");
    const printed = execFileSync("sh", ["-s"], { input: `${document}${print}\n`, encoding: "utf8" });
    assert.deepEqual(printed.split("\0").slice(0, -1), values);
    assert.deepEqual(Object.values(readBySystemd(document)), values);
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

/**
 * How systemd reads an EnvironmentFile= (systemd 252, src/basic/env-file.c, parse_env_file_internal): a value may be
 * bare, in single or in double quotes, or several of these one after the other. Once it has begun bare, quotes are
 * characters like any other; between single quotes a backslash is one; between double quotes it takes away the meaning
 * of `"`, `\`, `` ` ``, `$`, joins lines, and stays where it is before anything else.
 */
function readBySystemd(document: string): Record<string, string> {
  const variables: Record<string, string> = {};
  let at = 0;
  while (at < document.length) {
    const equals = document.indexOf("=", at);
    const name = document.slice(at, equals);
    let value = "";
    let state: "before" | "bare" | "single" | "double" = "before";
    for (at = equals + 1; at < document.length; at++) {
      const c = document.charAt(at);
      if (state === "before" && c === "'") state = "single";
      else if (state === "before" && c === '"') state = "double";
      else if (state === "single") {
        if (c === "'") state = "before";
        else value += c;
      } else if (state === "double") {
        if (c === '"') state = "before";
        else if (c === "\\") {
          const next = document.charAt(++at);
          if ('"\\`$'.includes(next)) value += next;
          else if (next !== "\n") value += `\\${next}`;
        } else value += c;
      } else if (c === "\n" || c === "\r") break;
      else if (c === "\\") {
        state = "bare";
        value += document.charAt(++at);
      } else if (state === "bare" || !/\s/.test(c)) {
        state = "bare";
        value += c;
      }
    }
    at++;
    variables[name] = value;
  }
  return variables;
}
