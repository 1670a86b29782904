import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { blocks, documents, place, root } from "../unit/docs/blocks";
import { commandsOf } from "../unit/docs/shell";

/** Every `pulumi …` that a document gives is one of the engine that is installed. */
describe("commands of Pulumi in the documents", () => {
  const given = new Map<string, string>();
  for (const block of blocks.filter(({ language }) => ["sh", "console"].includes(language))) {
    for (const words of commandsOf(block)) {
      const from = words.indexOf("pulumi");
      if (from >= 0) given.set(words.slice(from).join(" "), place(block));
    }
  }
  assert.ok(given.size > 0, "the documents give none, or none is found");

  for (const document of documents) {
    const sentences = readFileSync(join(root, document), "utf8").replace(/^```[\s\S]*?^```$/gm, "");
    for (const [, span = ""] of sentences.matchAll(/`(pulumi [^`…]+)`/g))
      given.set(span.replaceAll("\n", " "), document);
  }

  for (const [command, where] of given) {
    test(`\`${command}\` (${where})`, () => {
      const words = command.split(" ").slice(1);
      const help = helpOf(words.filter((word) => !word.startsWith("-")));
      for (const option of words.filter((word) => word.startsWith("-"))) {
        const name = option.split("=")[0] ?? "";
        assert.match(help, new RegExp(`(^|[ ,])${name}\\b`, "m"), `${option} is unknown to the engine`);
      }
    });
  }
});

/** Of the longest beginning of the words that is a command; what comes after are its arguments. */
function helpOf(words: readonly string[]): string {
  // Options alone are those that all commands share.
  if (words.length === 0) return helpOf(["up"]);
  for (let count = words.length; count > 0; count -= 1) {
    const command = words.slice(0, count);
    const { status, stdout } = spawnSync("pulumi", [...command, "--help"], { encoding: "utf8" });
    // The engine prints the help of what it knows of the words.
    if (status === 0 && new RegExp(`^ +pulumi ${command.join(" ")}( |$)`, "m").test(stdout)) return stdout;
  }
  throw new Error(`the engine has no command ${words[0]}`);
}
