import type { Block } from "./blocks";

/** The commands of a block, as words: `FOO=1 npm test -- unit # says` is `npm`, `test`, `--`, `unit`. */
export function commandsOf({ language, text }: Block): string[][] {
  // In a console, what was typed stands after the prompt, and the rest is what was printed.
  const typed =
    language === "console" ? text.split("\n").flatMap((line) => /^[#$] (.*)$/.exec(line)?.[1] ?? []) : [text];
  return typed
    .join("\n")
    .replaceAll("\\\n", " ")
    .split("\n")
    .flatMap((line) => split(line));
}

/** Just as much of a shell's grammar as documents have: quotes, comments, and what stands between commands. */
function split(line: string): string[][] {
  const commands: string[][] = [[]];
  for (const [token] of line.matchAll(/#.*$|&&|\|\||[;|]|(?:"[^"]*"|'[^']*'|[^\s;|&"'])+/g)) {
    if (token.startsWith("#")) break;
    if (/^(&&|\|\||[;|])$/.test(token)) commands.push([]);
    else commands.at(-1)?.push(token.replace(/["']/g, ""));
  }
  return commands
    .map((words) => words.slice(words.findIndex((word) => !/^[A-Z_]+=/.test(word))))
    .filter((words) => words.length > 0);
}
