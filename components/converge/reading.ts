/** Reads a unit's text as ./text.ts writes it: what a change of it means is found by comparing two of them. */
import { heredoc } from "./text";

export interface Directive {
  verb: string;
  /** The words after the verb, without their quotes. */
  words: string[];
  /** Its lines as they stand in the text, the comments above it included. */
  lines: string[];
  /** Comment lines above it, without `# `. */
  comments: string[];
  /** The block of text of a line that has one; of a step, or of a service, the blocks of both of its scripts. */
  body: string;
}

/** Lines that go on what stands above them. */
const continuations = new Set(["check", "do", "after-restart"]);

/** A line of a unit's text, and its block if it has one. */
export interface Line {
  words: string;
  block?: string;
}

/** Lenient: the text may be of an older version of this library. */
export function linesOf(text: string): Line[] {
  const lines = text.split("\n");
  const found: Line[] = [];
  for (let at = 0; at < lines.length; ) {
    const line = lines[at++] ?? "";
    const [, words = "", mark] = /^(.*?)[ \t]+<<'([A-Z0-9_]+)'[ \t]*$/.exec(line) ?? [];
    if (mark === undefined || line.startsWith("#")) {
      found.push({ words: line });
      continue;
    }
    const block: string[] = [];
    while (at < lines.length && lines[at++] !== mark) block.push(`${lines[at - 1]}\n`);
    found.push({ words, block: block.join("") });
  }
  return found;
}

export function directivesOf(text: string): Directive[] {
  const found: Directive[] = [];
  let pending: string[] = [];
  for (const { words: head, block } of linesOf(text)) {
    if (head.trim() === "" || head.startsWith("#")) {
      if (head.startsWith("#")) pending.push(head);
      continue;
    }
    const own = block === undefined ? [head] : `${head} ${heredoc(block)}`.split("\n");
    const [verb = "", ...words] = wordsOf(head);
    const step = found.at(-1);
    if (continuations.has(verb) && step) {
      step.lines.push(...own);
      step.body += block ?? "";
      continue;
    }
    const comments = pending.map((comment) => comment.replace(/^# ?/, ""));
    found.push({ verb, words, lines: [...pending, ...own], comments, body: block ?? "" });
    pending = [];
  }
  return found.filter(({ verb }) => verb !== "end");
}

function wordsOf(line: string): string[] {
  return [...line.matchAll(/"((?:[^"\\]|\\.)*)"|(\S+)/g)].map(
    ([, quoted, bare = ""]) => quoted?.replace(/\\(.)/g, "$1") ?? bare,
  );
}
