import { type Line, linesOf } from "./reading";
import { directory, file, heredoc, literal, type Ownership } from "./text";

/** What a program adds to a unit that a component has rendered. */
export interface Additions {
  /** By path. */
  directories: Readonly<Record<string, Ownership>>;
  /** By path. */
  files: Readonly<Record<string, AddedFile>>;
  /** Lines for the end of a file, by its path. */
  lines: Readonly<Record<string, string>>;
  /** Scripts by service. */
  beforeRestart: Readonly<Record<string, string>>;
  /** Scripts by service. */
  afterRestart: Readonly<Record<string, string>>;
}

export interface AddedFile extends Ownership {
  content: string;
  /** Services that are restarted when it is another one. */
  restarts: readonly string[];
  /** Services that are reloaded when it is another one. */
  reloads: readonly string[];
}

/** What is wrong with an addition, as an error. */
export type Refusal = (path: readonly string[], message: string) => Error;

/** The unit's text with what is added to it. */
export function withAdditions(text: string, additions: Additions, refusal: Refusal): string {
  const lines = linesOf(text);
  addLines(lines, additions.lines, refusal);
  addScripts(lines, additions, refusal);
  addTriggers(lines, additions.files, refusal);
  addFiles(lines, additions, refusal);
  return lines.map(({ words, block }) => (block === undefined ? words : `${words} ${heredoc(block)}`)).join("\n");
}

/** What is configured by lines: no program, no certificate or key, no JSON. */
function isConfiguration({ words, block }: Line): boolean {
  const [, path = "", mode = ""] = /^file (\S+) (\d+) /.exec(words) ?? [];
  const executable = /[1357]/.test(mode);
  return path !== "" && !executable && !path.endsWith(".json") && !/^@\{secret:[^}]*\}\n$/.test(block ?? "");
}

function addLines(lines: Line[], added: Additions["lines"], refusal: Refusal): void {
  const files = new Map(lines.filter(isConfiguration).map((line) => [line.words.split(" ")[1] ?? "", line]));
  for (const [path, more] of Object.entries(added)) {
    const line = files.get(path);
    if (!line)
      throw refusal(["lines", path], `there is no such file; there are ${[...files.keys()].join(", ") || "none"}`);
    line.words = line.words.replace(/ no-final-newline$/, "");
    line.block = `${line.block ?? ""}${literal(more.endsWith("\n") ? more : `${more}\n`)}`;
  }
}

/** Each script runs by itself: one that exits does not keep the other from running. */
function addScripts(lines: Line[], { beforeRestart, afterRestart }: Additions, refusal: Refusal): void {
  const service = serviceOf(lines, "restart-on", refusal);
  for (const [name, script] of Object.entries(beforeRestart)) {
    const line = service(["beforeRestart", name], name);
    const own = line.block === undefined ? "" : `(\n${line.block})\n`;
    if (line.block === undefined) line.words += " before-restart";
    line.block = `${own}(\n${literal(script)}\n)\n`;
  }
  for (const [name, script] of Object.entries(afterRestart)) {
    const line = service(["afterRestart", name], name);
    lines.splice(lines.indexOf(line) + 1, 0, { words: "  after-restart", block: `${literal(script)}\n` });
  }
}

function addTriggers(lines: Line[], files: Additions["files"], refusal: Refusal): void {
  for (const [path, { restarts, reloads }] of Object.entries(files)) {
    for (const [argument, option, names] of [
      ["restarts", "restart-on", restarts],
      ["reloads", "reload-on", reloads],
    ] as const) {
      const service = serviceOf(lines, option, refusal);
      for (const name of names) {
        const line = service(["files", path, argument], name);
        line.words = line.words.replace(new RegExp(` ${option} ("?)`), ` ${option} $1${path},`);
      }
    }
  }
}

/** Finds a service's line. Others than those with the option are not restarted (or reloaded) by `converge` alone. */
function serviceOf(lines: readonly Line[], option: string, refusal: Refusal): (path: string[], name: string) => Line {
  const services = new Map<string, Line>();
  for (const line of lines) {
    const [, name] = new RegExp(`^service (\\S+) .*${option} `).exec(line.words) ?? [];
    if (name !== undefined) services.set(name.replace(/\.service$/, ""), line);
  }
  return (path, name) => {
    const found = services.get(name.replace(/\.service$/, ""));
    if (found) return found;
    const there = [...services.keys()].join(", ") || "none";
    throw refusal(path, `${JSON.stringify(name)} cannot be meant here: services that can are ${there}`);
  };
}

/** After the packages, whose users may own them, and before all services. */
function addFiles(lines: Line[], { directories, files }: Additions, refusal: Refusal): void {
  const taken = new Set(lines.map(({ words }) => /^(?:file|directory|data|generated|link) (\S+)/.exec(words)?.[1]));
  for (const [argument, paths] of Object.entries({ directories, files })) {
    for (const path of Object.keys(paths)) {
      if (taken.has(path))
        throw refusal([argument, path], "the component makes it itself: give its further lines in `lines`");
    }
  }
  const service = lines.findIndex(({ words }) => /^service .* started/.test(words));
  const before = lines.slice(0, service < 0 ? lines.length : service);
  const at = before.findLastIndex(({ words }) => /^(package|deb|require) /.test(words)) + 1;
  const added = [
    ...Object.entries(directories).map(([path, ownership]) => directory(path, ownership)),
    ...Object.entries(files).map(([path, { content, ...ownership }]) => file(path, literal(content), ownership)),
  ];
  lines.splice(at, 0, ...added.flatMap(linesOf));
}
