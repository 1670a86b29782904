import { structuredPatch } from "diff";

/**
 * How a text became another, as the body of a unified diff: lines that begin with ` `, `-`, `+`, three of context, and
 * `@@` where some are left out.
 */
export function lineDiff(before: readonly string[], after: readonly string[]): string[] {
  const text = (lines: readonly string[]) => lines.map((line) => `${line}\n`).join("");
  const { hunks } = structuredPatch("", "", text(before), text(after), "", "", { context: 3 });
  return hunks.flatMap(({ lines }, i) => (i === 0 ? lines : ["@@", ...lines]));
}
