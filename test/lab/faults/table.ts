import type { Outcome } from "./drill";

/** All outcomes, a line for each fault. */
export function table(outcomes: readonly Outcome[]): string[] {
  const lines = [
    [
      "fault",
      "times",
      "rows",
      "lost",
      "twice",
      "gap s: min / median / max",
      "logins refused",
      "address away s",
      "two holders s",
    ],
  ];
  for (const fault of new Set(outcomes.map((outcome) => outcome.fault))) {
    const all = outcomes.filter((outcome) => outcome.fault === fault);
    const sum = (pick: (outcome: Outcome) => number) =>
      String(all.reduce((total, outcome) => total + pick(outcome), 0));
    lines.push([
      fault,
      String(all.length),
      sum((o) => o.acknowledged),
      sum((o) => o.lost),
      sum((o) => o.duplicated),
      spread(all.map((o) => o.gap)),
      sum((o) => o.refusals.length),
      spread(all.map((o) => o.away)),
      Math.max(0, ...all.map((o) => o.holders)).toFixed(1),
    ]);
  }
  const widths = lines[0]?.map((_, i) => Math.max(...lines.map((line) => line[i]?.length ?? 0))) ?? [];
  return lines.map((line) =>
    line
      .map((cell, i) => cell.padEnd(widths[i] ?? 0))
      .join("  ")
      .trimEnd(),
  );
}

function spread(values: readonly number[]): string {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length / 2;
  const median = ((sorted[Math.ceil(middle) - 1] ?? 0) + (sorted[Math.floor(middle)] ?? 0)) / 2;
  return [sorted[0] ?? 0, median, sorted.at(-1) ?? 0].map((value) => value.toFixed(1)).join(" / ");
}
