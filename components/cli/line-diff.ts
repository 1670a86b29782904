const context = 3;

/**
 * How a text became another, as the body of a unified diff: lines that begin with ` `, `-`, `+`, three of context, and
 * `@@` where some are left out.
 */
export function lineDiff(before: readonly string[], after: readonly string[]): string[] {
  const lines = edits(before, after);
  const near = lines.map((_, i) => lines.slice(Math.max(0, i - context), i + context + 1).some((l) => l[0] !== " "));
  const shown: string[] = [];
  for (const [i, line] of lines.entries()) {
    if (near[i]) shown.push(line);
    else if (near[i - 1] && near.indexOf(true, i) > 0) shown.push("@@");
  }
  return shown;
}

/** All lines, each with its sign: the longest common subsequence of what is left between a common beginning and end. */
function edits(before: readonly string[], after: readonly string[]): string[] {
  let begin = 0;
  while (begin < before.length && begin < after.length && before[begin] === after[begin]) begin++;
  let end = 0;
  const most = Math.min(before.length, after.length) - begin;
  while (end < most && before[before.length - 1 - end] === after[after.length - 1 - end]) end++;
  const old = before.slice(begin, before.length - end);
  const now = after.slice(begin, after.length - end);

  // common[i][j]: length of the longest common subsequence of old from i on and now from j on
  const common = Array.from({ length: old.length + 1 }, () => new Uint32Array(now.length + 1));
  const at = (i: number, j: number) => common[i]?.[j] ?? 0;
  for (let i = old.length - 1; i >= 0; i--) {
    for (let j = now.length - 1; j >= 0; j--) {
      const row = common[i] as Uint32Array;
      row[j] = old[i] === now[j] ? at(i + 1, j + 1) + 1 : Math.max(at(i + 1, j), at(i, j + 1));
    }
  }
  const middle: string[] = [];
  for (let i = 0, j = 0; i < old.length || j < now.length; ) {
    if (i < old.length && j < now.length && old[i] === now[j]) {
      middle.push(` ${old[i++]}`);
      j++;
    } else if (j >= now.length || (i < old.length && at(i + 1, j) >= at(i, j + 1))) middle.push(`-${old[i++]}`);
    else middle.push(`+${now[j++]}`);
  }
  const same = (line: string) => ` ${line}`;
  return [...before.slice(0, begin).map(same), ...middle, ...before.slice(before.length - end).map(same)];
}
