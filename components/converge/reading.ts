/** Reads a unit's text as ./text.ts writes it: what a change of it means is found by comparing two of them. */

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

/** Lenient: the text may be of an older version of this library. */
export function directivesOf(text: string): Directive[] {
  const lines = text.split("\n");
  const found: Directive[] = [];
  let pending: string[] = [];
  for (let at = 0; at < lines.length; ) {
    const line = lines[at++] ?? "";
    if (line.trim() === "" || line.startsWith("#")) {
      if (line.startsWith("#")) pending.push(line);
      continue;
    }
    const [, head = line, mark] = /^(.*?)(?:[ \t]+<<'([A-Z0-9_]+)')?[ \t]*$/.exec(line) ?? [];
    const block: string[] = [];
    if (mark !== undefined) while (at < lines.length && lines[at++] !== mark) block.push(lines[at - 1] ?? "");
    const body = block.map((l) => `${l}\n`).join("");
    const own = mark === undefined ? [line] : [line, ...block, mark];
    const [verb = "", ...words] = wordsOf(head);
    const step = found.at(-1);
    if (continuations.has(verb) && step) {
      step.lines.push(...own);
      step.body += body;
      continue;
    }
    const comments = pending.map((comment) => comment.replace(/^# ?/, ""));
    found.push({ verb, words, lines: [...pending, ...own], comments, body });
    pending = [];
  }
  return found.filter(({ verb }) => verb !== "end");
}

function wordsOf(line: string): string[] {
  return [...line.matchAll(/"((?:[^"\\]|\\.)*)"|(\S+)/g)].map(
    ([, quoted, bare = ""]) => quoted?.replace(/\\(.)/g, "$1") ?? bare,
  );
}
