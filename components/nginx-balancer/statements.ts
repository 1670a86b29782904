/** The statements of an nginx configuration, as `nginx -T` prints it. */

/** One statement: a directive, or the beginning of a block. */
export interface Statement {
  /** Name and parameters. */
  words: readonly string[];
  /** Names of the blocks that it stands in, e.g. `["http", "server"]`. */
  within: readonly string[];
}

const token = /#[^\n]*|"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|[{};]|(?:\$\{|[^\s{};])+/g;

export function statementsIn(text: string): Statement[] {
  const found: Statement[] = [];
  const within: string[] = [];
  let words: string[] = [];
  for (const [part] of text.matchAll(token)) {
    if (part.startsWith("#")) continue;
    if (part === ";" || part === "{") {
      if (words.length > 0) found.push({ words, within: [...within] });
      if (part === "{") within.push(words[0] ?? "");
      words = [];
    } else if (part === "}") {
      within.pop();
    } else {
      words.push(/^["']/.test(part) ? part.slice(1, -1) : part);
    }
  }
  return found;
}

/** Paths of the files that `nginx -T` has printed. */
export function filesIn(text: string): string[] {
  return [...text.matchAll(/^# configuration file (.*):$/gm)].map(([, path = ""]) => path);
}
