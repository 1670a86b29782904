import { type Risk, sentence } from "../converge/effects";
import type { Review, SharedChange } from "./review";

/** The review in each of its forms. */
export const reviewForms: Readonly<Record<string, (review: Review) => string>> = {
  markdown,
  text,
  json: (review) => `${JSON.stringify(review, null, 2)}\n`,
};

/** The first line of a comment, by which a later run finds it again. */
export function marker(stack: string): string {
  return `<!-- hastack-review: ${stack.replaceAll("--", "-")} -->`;
}

/** GitHub takes comments of up to 65,536 characters, GitLab of more. */
const longest = 60_000;

const meanings: Readonly<Record<Risk, string>> = {
  none: "none",
  reload: "reload",
  "rolling restart": "rolling restart",
  restart: "restart",
  failover: "failover",
  removal: "high: something is deleted or replaced",
};

function summary(review: Review): string[] {
  const { effects, removals, programs } = review;
  const lost = removals.map(
    ({ op, type, name, purge }) => `${op}s ${type} ${name}${purge ? ", and its data with it" : ""}`,
  );
  const replaced = programs.map(({ from, to, hosts }) => `converge ${from} -> ${to} on ${hosts.join(", ")}`);
  return [...lost, ...effects.map(sentence), ...replaced];
}

function isEmpty({ hosts, removals, programs, others, drift }: Review): boolean {
  return [Object.keys(hosts), removals, programs, others, drift].every(({ length }) => length === 0);
}

function text(review: Review): string {
  const { stack, risk, hosts, changes, drift, others, warnings } = review;
  const lines = [
    `${stack}: ${isEmpty(review) ? "nothing would change" : `risk ${meanings[risk]}`}`,
    ...summary(review).map((line) => `  ${line}`),
    ...drift.flatMap(({ host, role, reasons }) => reasons.map((reason) => `  drift on ${host}, ${role}: ${reason}`)),
    ...Object.entries(hosts).map(([host, roles]) => `  changes ${host}: ${roles.join(", ")}`),
    ...others.map(({ op, type, names }) => `  ${op} ${type}: ${names.join(", ")}`),
    ...warnings.map((warning) => `  ${warning.replaceAll("\n", "\n    ")}`),
    ...changes.flatMap(({ role, hosts: on, what, diff }) => ["", `${what} (${role} on ${on.join(", ")})`, ...diff]),
  ];
  return `${lines.join("\n")}\n`;
}

function markdown(review: Review): string {
  const { stack, risk, hosts, drift, others, warnings } = review;
  if (isEmpty(review)) {
    return document([marker(stack), `### ${code(stack)}: nothing would change`, list(warnings.map(code))]);
  }
  const head = [
    marker(stack),
    `### ${code(stack)}: risk ${risk === "none" ? "none" : `**${meanings[risk]}**`}`,
    list(summary(review).map(escaped)),
    warnings.length > 0 ? `**The engine says**\n\n${list(warnings.map(code))}` : "",
    table(
      "**Drift found**, which an `up` puts right",
      ["host", "unit", "what differs"],
      drift.map(({ host, role, reasons }) => [host, role, reasons.map(code).join("<br>")]),
    ),
    table(
      "**Hosts touched**",
      ["host", "units"],
      Object.entries(hosts).map(([host, roles]) => [host, roles.map(code).join(", ")]),
    ),
    table(
      "**Besides**",
      ["operation", "type", "names"],
      others.map(({ op, type, names }) => [op, code(type), names.map(code).join(", ")]),
    ),
  ];
  return document([...head, ...diffs(review.changes, longest - document(head).length)]);
}

function document(blocks: readonly string[]): string {
  return `${blocks.filter((block) => block !== "").join("\n\n")}\n`;
}

/** As many of them as there is room for. */
function diffs(changes: readonly SharedChange[], room: number): string[] {
  let left = room;
  return changes.map((change) => {
    const title = `${code(change.what)} (${code(change.role)} on ${change.hosts.map(escaped).join(", ")})`;
    const body = folded(title, change.diff);
    const block = body.length < left ? body : `${title}: ${change.diff.length} lines, see \`pulumi preview --diff\``;
    left -= block.length + 2;
    return block;
  });
}

function folded(title: string, diff: readonly string[]): string {
  const backticks = diff.join("\n").match(/`+/g) ?? [];
  const fence = "`".repeat(Math.max(3, ...backticks.map((run) => run.length + 1)));
  return `<details><summary>${title}</summary>\n\n${fence}diff\n${diff.join("\n")}\n${fence}\n\n</details>`;
}

function list(lines: readonly string[]): string {
  return lines.map((line) => `- ${line}`).join("\n");
}

function table(title: string, head: readonly string[], rows: readonly (readonly string[])[]): string {
  if (rows.length === 0) return "";
  const line = (cells: readonly string[]) => `| ${cells.join(" | ")} |`;
  return [title, "", line(head), line(head.map(() => "---")), ...rows.map(line)].join("\n");
}

/** Names and reasons come from hosts and from whoever wrote the change: nothing in them is markup, link or mention. */
function escaped(value: string): string {
  return value.replace(/[&<>|`*_[\]@#\\~\n\r]/g, (c) => `&#${c.charCodeAt(0)};`);
}

function code(value: string): string {
  return `<code>${escaped(value)}</code>`;
}
