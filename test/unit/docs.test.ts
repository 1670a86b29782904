import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, test } from "node:test";
import { parse } from "yaml";
import { pages } from "../../docs/build/component-pages";
import { exported } from "../../docs/build/docstrings";
import { rudesktopSettings } from "../../stacks/rudesktop";
import { blocks, documents, place, root } from "./docs/blocks";
import { accepted } from "./docs/commands";
import { runs } from "./docs/runs";
import { commandsOf } from "./docs/shell";
import { typeErrors } from "./docs/typescript";

const read = (path: string) => readFileSync(join(root, path), "utf8");
const of = (...languages: string[]) => blocks.filter(({ language }) => languages.includes(language));
const commandBlocks = of("sh", "console");

describe("blocks of the documents", () => {
  test("each says what it is", () => {
    const known = ["ts", "sh", "console", "yaml", "json", "unit", "text", "mermaid"];
    for (const block of blocks)
      assert.ok(known.includes(block.language), `${place(block)}: ${block.language || "no language"}`);
  });

  test("TypeScript fits the package's types", () => {
    assert.ok(of("ts").length > 15);
    assert.deepEqual(typeErrors(of("ts")), []);
  });

  for (const block of commandBlocks) {
    test(`${place(block)}: its commands are there, and take what they are given`, () => {
      const commands = commandsOf(block);
      assert.ok(commands.length > 0, "there is no command in it");
      for (const words of commands) accepted(words);
      if (block.language === "sh") {
        const { status, stderr } = spawnSync("bash", ["-n"], { input: block.text, encoding: "utf8" });
        assert.equal(status, 0, stderr);
      }
    });
  }

  test("commands within sentences are there, too", () => {
    let count = 0;
    for (const document of documents) {
      // A span may be broken over two lines; what has "…" in it is not meant to be typed.
      for (const [, span = ""] of read(document)
        .replace(/^```[\s\S]*?^```$/gm, "")
        .matchAll(/`([^`]+)`/g)) {
        if (!/^(npm|lab\/lab|lab\/setup|test\/run|hastack) /.test(span) || /…|COMMAND|STAGE/.test(span)) continue;
        for (const words of commandsOf({
          file: document,
          line: 0,
          heading: "",
          language: "sh",
          text: span.replaceAll("\n", " "),
        })) {
          assert.doesNotThrow(() => accepted(words), `${document}: ${span}`);
          count += 1;
        }
      }
    }
    assert.ok(count > 20, `${count} were found`);
  });

  test("JSON and YAML are read, and settings of a stack are known to the stacks", () => {
    for (const block of of("json")) assert.doesNotThrow(() => JSON.parse(block.text), place(block));
    const program = ["index", "environment", "postgres", "rudesktop", "dev", "redis", "entry"]
      .map((name) => join("stacks", `${name}.ts`))
      .filter((path) => existsSync(join(root, path)))
      .map(read)
      .join("\n");
    for (const block of of("yaml")) {
      const settings = parse(block.text) as Record<string, object>;
      for (const [key, value] of Object.entries(settings)) {
        if (key === "hastack:rudesktop") {
          const { config } = parse(read("Pulumi.rudesktop.yaml")) as { config: Record<string, object> };
          assert.deepEqual(
            rudesktopSettings.safeParse({ ...config[key], ...value }).error?.issues ?? [],
            [],
            place(block),
          );
        }
        if (!key.startsWith("hastack:")) continue;
        const name = key.slice("hastack:".length);
        assert.match(
          program,
          new RegExp(`(get|require)\\w*(<\\w+>)?\\("${name}"\\)`),
          `${place(block)}: nothing reads ${key}`,
        );
      }
    }
  });
});

describe("how commands are known to work", () => {
  const name = (block: (typeof blocks)[number]) => {
    const commands = commandsOf(block).map((words) => words.join(" "));
    return [block.file, block.heading, commands[0] ?? ""].join(" | ");
  };

  test("each block of commands has an entry in test/unit/docs/runs.ts, and each entry a block", () => {
    assert.deepEqual(Object.keys(runs).sort(), [...new Set(commandBlocks.map(name))].sort());
  });

  for (const [block, run] of Object.entries(runs)) {
    test(`${block}: the test that does it is there`, () => {
      const said = "not" in run ? run.not : run.test;
      assert.ok(said.length > 10, "say more exactly which");
      if ("not" in run) return;
      assert.ok(read(run.by).includes(run.test), `${run.by} has no "${run.test}"`);
    });
  }
});

describe("pages of the components", () => {
  const api = exported();
  const all = pages(api);

  test("are what `npm run docs` writes", () => {
    for (const [path, { is, shouldBe }] of all) assert.equal(is, shouldBe, `${path} is stale: run \`npm run docs\``);
  });

  test("each component has one, with its arguments, ports, restarts and recipes", () => {
    const texts = [...all.values()].map(({ is }) => is);
    for (const { name, isClass } of api.values()) {
      if (!isClass || !api.has(`${name}Args`) || name === "DataProtectionCertificate") continue;
      const page = texts.find((text) => text.startsWith(`# ${name}\n`));
      assert.ok(page, `there is no page for ${name}`);
      for (const heading of ["Arguments", "Ports", "What restarts on which change", "Day 2"]) {
        assert.ok(page.includes(`\n## ${heading}\n`), `${name}: ${heading}`);
      }
    }
  });

  test("name in their tables of changes no argument that is none", () => {
    for (const [path, { is }] of all) {
      const [given = ""] = is.split("\n## Ports\n");
      const changes = is.split("\n## What restarts on which change\n")[1]?.split("\n## ")[0] ?? "";
      for (const [, cell = ""] of changes.matchAll(/^\| ([^|]+) \|/gm)) {
        for (const [, word = ""] of cell.matchAll(/`([a-zA-Z]+)`/g)) {
          assert.ok(given.includes(`\n| \`${word}\` | `) || word === "max_connections", `${path}: ${word}`);
        }
      }
    }
  });

  test("every argument has a description", () => {
    for (const { name, isClass, arguments: list } of api.values()) {
      if (isClass || !name.endsWith("Args")) continue;
      for (const argument of list) assert.ok(argument.text.length > 0, `${name}.${argument.name}`);
    }
  });
});

describe("links of the documents", () => {
  test("lead to files that are there", () => {
    let count = 0;
    for (const document of documents) {
      for (const [, target = ""] of read(document).matchAll(/\]\(([^)#\s]+)(?:#[^)]*)?\)/g)) {
        if (/^[a-z]+:/.test(target)) continue;
        assert.ok(existsSync(join(root, dirname(document), target)), `${document}: ${target}`);
        count += 1;
      }
    }
    assert.ok(count > 40, `${count} were found`);
  });

  test("docs/README.md names every document", () => {
    const index = read("docs/README.md");
    for (const document of documents.filter((path) => path.startsWith("docs/") && path !== "docs/README.md")) {
      assert.ok(index.includes(`(${document.slice("docs/".length)})`), document);
    }
  });
});
