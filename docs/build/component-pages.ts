/** What `npm run docs` runs: writes what the components' pages have from the components themselves. */
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Argument, type Documented, exported, root } from "./docstrings";

const folder = join(root, "docs/components");

/** Between these lines stands what is made from the docstrings of NAME; all else on a page is written by hand. */
const generated = /<!-- from (\w+): .*? -->\n[\s\S]*?<!-- end -->/g;

/** By path: the page as it is, and as it should be. */
export function pages(known: ReadonlyMap<string, Documented>): Map<string, { is: string; shouldBe: string }> {
  return new Map(
    readdirSync(folder)
      .filter((name) => name.endsWith(".md"))
      .map((name) => {
        const path = join(folder, name);
        const is = readFileSync(path, "utf8");
        return [path, { is, shouldBe: is.replace(generated, (_, subject: string) => section(subject, known, path)) }];
      }),
  );
}

function section(subject: string, known: ReadonlyMap<string, Documented>, page: string): string {
  const found = known.get(subject);
  if (!found) throw new Error(`${page}: the package exports no ${subject}`);
  const body = found.isClass ? found.text : tables(found, known);
  return [`<!-- from ${subject}: \`npm run docs\` writes this -->`, "", body.trim(), "", "<!-- end -->"].join("\n");
}

/** A table of the arguments, and one for each interface that they use. */
function tables(first: Documented, known: ReadonlyMap<string, Documented>): string {
  const listed = [first];
  for (const one of listed) {
    for (const name of one.uses) {
      const used = known.get(name);
      if (used && !listed.includes(used)) listed.push(used);
    }
  }
  return listed
    .map((one, i) => `${i === 0 ? "" : `### ${one.name}\n\n${one.text ? `${one.text}\n\n` : ""}`}${table(one)}`)
    .join("\n\n");
}

function table({ arguments: list }: Documented): string {
  return ["| argument | type | default | what |", "|---|---|---|---|", ...list.map(row)].join("\n");
}

function row(argument: Argument): string {
  const what = [argument.text, argument.example && `Example: ${code(argument.example)}`].filter(Boolean).join(" ");
  const cells = [
    `\`${argument.name}\``,
    code(argument.type),
    argument.required ? "**required**" : value(argument.default),
    what,
  ];
  return `| ${cells.map(cell).join(" | ")} |`;
}

/** Literals are shown as code, words as words. */
function value(text: string): string {
  return /^("[^"]*"|\[[^\]]*\]|\{.*\}|-?[\d.]+|true|false)$/.test(text) ? code(text) : text;
}

function code(text: string): string {
  return text === "" ? "" : `\`${text}\``;
}

/** One line, and no border of the table in it. */
function cell(text: string): string {
  return text
    .replace(/\s*\n\s*/g, " ")
    .replaceAll("|", "\\|")
    .trim();
}

if (require.main === module) {
  for (const [path, { is, shouldBe }] of pages(exported())) if (is !== shouldBe) writeFileSync(path, shouldBe);
}
