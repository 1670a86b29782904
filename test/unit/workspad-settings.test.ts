/** What `database.py` makes of a service's settings. It runs with the paths of a scratch directory. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import fc from "fast-check";
import { adoNet, formats } from "../../components/formats";
import { nodeSchema } from "../../components/workspad-node/args";
import { connectionString } from "../../components/workspad-node/connection";

const program = join(__dirname, "../../components/workspad-node/host");

/** Anything that a name or a password may be, with what usually breaks quoting in the first place. */
const anyText = fc.oneof(
  fc.constantFrom("jhYg/=\\F", "'", "''", "a;b", ';Host="evil"', '"', "a'b\"c;", " a ", "=", "{0}", "пароль", "😀"),
  fc.string({ unit: "binary", minLength: 1 }).map((s) => s.replace(/[\p{Cc}\p{Cs}\p{Noncharacter_Code_Point}]/gu, "x")),
);

/** Settings that hold anything, in a layout of any kind. */
const anySettings = fc
  .record({
    others: fc.dictionary(
      fc.string().filter((name) => !/^connectionstrings$/i.test(name)),
      fc.jsonValue(),
      { maxKeys: 4 },
    ),
    strings: fc.option(
      fc.dictionary(
        fc.string().filter((name) => !/^workspaddatabase$/i.test(name)),
        fc.string(),
        { maxKeys: 3 },
      ),
    ),
    setting: fc.option(fc.string()),
    indent: fc.constantFrom(0, 2, "\t"),
    first: fc.boolean(),
  })
  .map(({ others, strings, setting, indent, first }) => {
    const section = strings && {
      ConnectionStrings: { ...strings, ...(setting !== null && { WorksPadDatabase: setting }) },
    };
    return JSON.stringify(first ? { ...section, ...others } : { ...others, ...section }, undefined, indent);
  });

/** Python with the program loaded, cases on standard input, answers on standard output. */
function python<T>(code: string, cases: unknown): T {
  const script = `import json, sys\nsys.path.insert(0, ${JSON.stringify(program)})\nimport database\ncases = json.load(sys.stdin)\n${code}`;
  return JSON.parse(execFileSync("python3", ["-Bc", script], { input: JSON.stringify(cases), encoding: "utf8" })) as T;
}

describe("a connection string", () => {
  test("is read back as it was, whatever a name or the password holds", () => {
    const cases = fc.sample(fc.tuple(anyText, anyText, anyText), 200);
    const rendered = cases.map(([database, user, password]) => {
      const args = { host: "192.168.1.200", port: 6432, database, user, password, caCertificate: "" };
      const { database: _, ...defaults } = nodeSchema.parse({ database: { ...args, caCertificate: pem } });
      const config = { ...defaults, database: args, install: "", packageName: "workspad", ownServerCertificate: false };
      const text = connectionString(config).replaceAll("@{at}{", "@{");
      return text.replace("@{secret:database-password|adoNet}", () => adoNet(password));
    });
    const read = python<Record<string, [string, string]>[]>(
      "print(json.dumps([database.parts(text) for text in cases]))",
      rendered,
    );
    for (const [i, [name, user, password]] of cases.entries()) {
      const values = Object.fromEntries(Object.values(read[i] ?? {}));
      assert.deepEqual(values, {
        Host: "192.168.1.200",
        Port: "6432",
        Database: name,
        "User Id": user,
        Password: password,
        "SSL Mode": "VerifyFull",
        "Root Certificate": "/etc/hastack/workspad/database-ca.crt",
      });
    }
  });

  test("has the format that a secret may be written in", () => {
    assert.equal(formats.adoNet("it's"), "'it''s'");
  });

  test("without verification says so to every version of Npgsql", () => {
    const config = nodeSchema.parse({
      database: { host: "h", port: 1, database: "d", user: "u", password: "p", caCertificate: pem },
      sslMode: "Require",
      connectionSettings: { "Maximum Pool Size": "50" },
    });
    assert.equal(
      connectionString({ ...config, install: "", packageName: "workspad", ownServerCertificate: false }),
      "Host='h';Port=1;Database='d';User Id='u';Password=@{secret:database-password|adoNet};SSL Mode=Require;" +
        "Trust Server Certificate=true;Maximum Pool Size='50'",
    );
  });
});

describe("a settings file", () => {
  test("has the connection string afterwards, and all else as it was", () => {
    const cases = fc.sample(fc.tuple(anySettings, anyText), 300);
    const changed = python<{ text: string; again: string }[]>(
      `
class Text(database.Document):
    def __init__(self, text):
        self.path, self.text = "x", text
        self.tokens = self.split()
        self.root = self.value()
def change(text, wanted):
    once = Text(text).with_setting(wanted)
    assert Text(once).setting() == wanted
    return {"text": once, "again": Text(once).with_setting(wanted)}
print(json.dumps([change(*case) for case in cases]))`,
      cases,
    );
    for (const [i, [before, wanted]] of cases.entries()) {
      const { text, again } = changed[i] as { text: string; again: string };
      const expected = JSON.parse(before);
      expected.ConnectionStrings = { ...expected.ConnectionStrings, WorksPadDatabase: wanted };
      assert.deepEqual(JSON.parse(text), expected);
      assert.equal(again, text, "a second time changes nothing");
    }
  });
});

describe("database.py on files", () => {
  const root = mkdtempSync(join(tmpdir(), "hastack-workspad-"));
  const wanted = "Host='192.168.1.200';Port=6432;Database='workspad';User Id='workspad';Password='jhYg/=\\F'";
  const fileOf = (service: string) => join(root, service, "appsettings.json");
  const run = (command: string) => {
    const code = `database.ROOT, database.GATEWAY = ${JSON.stringify(root)}, ${JSON.stringify(fileOf("GatewayService"))}
database.WANTED = ${JSON.stringify(join(root, "wanted"))}
import io, contextlib
said = io.StringIO()
try:
    with contextlib.redirect_stdout(said): code = database.main(cases)
except database.Failed as error:
    code = str(error)
print(json.dumps([code, said.getvalue()]))`;
    return python<[number | string, string]>(code, command);
  };
  const write = (service: string, text: string) => {
    mkdirSync(join(root, service), { recursive: true });
    writeFileSync(fileOf(service), text, { mode: 0o640 });
  };

  before(() => writeFileSync(join(root, "wanted"), `${wanted}\n`));
  after(() => rmSync(root, { recursive: true }));

  test("comments, layout, a mark at the beginning, line ends and the mode stay", () => {
    const text = (value: string) =>
      `\ufeff{\r\n  // by hand, don't touch: "ConnectionStrings"\r\n  "connectionStrings" : {\r\n    /* old */ "WorksPadDatabase":  ${value},\r\n  },\r\n  "url": "https://x//y", "n": 1.0e3,\r\n}\r\n`;
    write("GatewayService", text("\"Host=psql2;Database=workspad;User Id=workspad;Password='geheim';\""));
    const path = fileOf("GatewayService");
    assert.deepEqual(run("check"), [
      1,
      `${path}: Host is psql2 instead of 192.168.1.200, Port is missing, another Password\n`,
    ]);
    assert.deepEqual(run("write"), [0, ""]);
    assert.equal(readFileSync(path, "utf8"), text(JSON.stringify(wanted)));
    assert.equal(statSync(path).mode & 0o777, 0o640);
    assert.deepEqual(run("check"), [0, ""]);
  });

  test("other services have it where they had it, and not where they had none", () => {
    write("AdminApiService", '{ "ConnectionStrings": { "WorksPadDatabase": "old", "Other": "x" } }');
    write("AssistantService", '{ "Logging": {} }');
    assert.match(run("check")[1], /AdminApiService\/appsettings\.json: Host is missing/);
    run("write");
    assert.deepEqual(JSON.parse(readFileSync(fileOf("AdminApiService"), "utf8")), {
      ConnectionStrings: { WorksPadDatabase: wanted, Other: "x" },
    });
    assert.equal(readFileSync(fileOf("AssistantService"), "utf8"), '{ "Logging": {} }');
  });

  test("what is no JSON, and a setting that is there twice, are refused with file and line", () => {
    write("GatewayService", '{\n  "a": 1,\n  "b" 2\n}');
    assert.match(String(run("write")[0]), /GatewayService\/appsettings\.json is not JSON: line 3/);
    write("GatewayService", '{ "ConnectionStrings": {}, "connectionstrings": {} }');
    assert.match(String(run("write")[0]), /ConnectionStrings is there twice/);
    write("GatewayService", "");
    assert.match(String(run("check")[0]), /is not JSON: line 1/);
  });
});

const pem = "-----BEGIN CERTIFICATE-----\nMII\n-----END CERTIFICATE-----\n";
