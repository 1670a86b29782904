import assert from "node:assert/strict";
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { commandLine } from "../../../components/cli/command";
import { commands } from "../../../components/cli/commands";
import { root } from "./blocks";

/** What runs on a host, or belongs to the machine; a document may name no other program. */
const programs = [
  ...["apt", "bash", "git", "journalctl", "systemctl", "ssh-keyscan", "set", ".", "runuser"],
  ...["etcdctl", "patronictl", "redis", "sentinel", "converge", "/usr/local/lib/hastack/rudesktop/check.py"],
];

/** A command that a document gives has to be there, and to accept what the document gives it. */
export function accepted(words: readonly string[]): void {
  const [program = "", ...rest] = words;
  const own = checks[program];
  if (own) own(rest);
  else
    assert.ok(
      programs.includes(program),
      `${words.join(" ")}: what is ${program}? Name it in test/unit/docs/commands.ts`,
    );
}

const checks: Readonly<Record<string, (rest: readonly string[]) => void>> = {
  npm: ([command = "", ...rest]) => {
    const { scripts } = JSON.parse(read("package.json")) as { scripts: Record<string, string> };
    if (["ci", "install", "pack"].includes(command)) return;
    const [name = "", ...given] = command === "run" ? rest : [command, ...rest];
    assert.ok(scripts[name], `package.json has no script ${name}`);
    const passed = given[0] === "--" ? given.slice(1) : given;
    assert.ok(given.length === 0 || given[0] === "--", `npm keeps ${given.join(" ")} for itself: put -- before`);
    if (name === "test") stages(passed);
    if (name === "dev")
      for (const word of passed) assert.match(read("lab/dev"), new RegExp(`^  ${word}\\) `, "m"), `lab/dev ${word}`);
    if (name === "switch-site") options(read("stacks/switch-site.ts"), passed);
  },
  "test/run": stages,
  "lab/lab": ([command = "", ...rest]) => {
    const known = readdirSync(join(root, "lab/lib"))
      .map((name) => read(join("lab/lib", name)))
      .join("\n");
    assert.match(
      known,
      new RegExp(`^cmd_${command.replaceAll("-", "_")}\\(\\)`, "m"),
      `lab/lab has no command ${command}`,
    );
    if (command === "exec") accepted(rest[0] === "--" ? rest.slice(1) : rest);
    if (command === "ssh" && rest.length > 1) accepted(rest.slice(1));
    if (command === "up") assert.ok(isFile(`lab/topologies/${rest[0]}.json`), `there is no topology ${rest[0]}`);
  },
  "lab/setup": () => assert.ok(isFile("lab/setup")),
  "lab/toolchain/install": () => assert.ok(isFile("lab/toolchain/install")),
  hastack,
  node: (rest) => {
    const at = rest.findIndex((word) => word.endsWith(".ts"));
    assert.ok(isFile(rest[at] ?? ""), `node ${rest.join(" ")}: there is no such file`);
    if (rest[at] === "components/cli/main.ts") hastack(rest.slice(at + 1));
  },
  // Its subcommands and options are checked where the engine is there: test/conformance/documents.test.ts.
  pulumi: ([command]) => assert.ok(command, "pulumi alone does nothing"),
};

function hastack(words: readonly string[]): void {
  commandLine(words, commands);
}

function stages(words: readonly string[]): void {
  const script = read("test/run");
  const known = [/STAGES=\((.*)\)/, /DRILLS=\((.*)\)/].flatMap(
    (pattern) => pattern.exec(script)?.[1]?.split(" ") ?? [],
  );
  for (const word of words) assert.ok([...known, "drills"].includes(word), `test/run has no stage ${word}`);
}

/** Options that a program's source does not name are refused by it. */
function options(source: string, words: readonly string[]): void {
  for (const word of words.filter((one) => one.startsWith("--"))) {
    assert.match(source, new RegExp(`^\\s+"?${word.slice(2)}"?: \\{ type:`, "m"), `${word} is not known`);
  }
}

function read(path: string): string {
  return readFileSync(join(root, path), "utf8");
}

function isFile(path: string): boolean {
  return statSync(join(root, path), { throwIfNoEntry: false })?.isFile() ?? false;
}
