import { readdirSync, readFileSync } from "node:fs";
import { join, relative, resolve } from "node:path";

export const root = resolve(__dirname, "../../..");

/** A fenced block of a document. */
export interface Block {
  /** Path in the repository. */
  file: string;
  line: number;
  /** The heading above it. */
  heading: string;
  language: string;
  text: string;
}

/** Every document of the repository. */
export const documents: readonly string[] = [
  ...["README.md", "CONTRIBUTING.md"],
  ...readdirSync(join(root, "docs"), { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".md"))
    .map((name) => join("docs", name))
    .sort(),
];

export function blocksIn(file: string): Block[] {
  const found: Block[] = [];
  let heading = "";
  let open: Block | undefined;
  for (const [i, line] of readFileSync(join(root, file), "utf8").split("\n").entries()) {
    const fence = /^\s*```(.*)$/.exec(line);
    if (fence && open) {
      found.push(open);
      open = undefined;
    } else if (fence)
      open = { file: relative(root, join(root, file)), line: i + 1, heading, language: fence[1] ?? "", text: "" };
    else if (open) open.text += `${line}\n`;
    else heading = /^#+ (.*)$/.exec(line)?.[1] ?? heading;
  }
  if (open) throw new Error(`${file}:${open.line}: the block has no end`);
  return found;
}

export const blocks: readonly Block[] = documents.flatMap(blocksIn);

export function place({ file, line }: Block): string {
  return `${file}:${line}`;
}
