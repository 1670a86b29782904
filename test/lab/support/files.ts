import { renameSync, writeFileSync } from "node:fs";

/** Whoever reads the file meanwhile finds what was there before, or all of the new. */
export function replaceFile(path: string, text: string): void {
  writeFileSync(`${path}.new`, text);
  renameSync(`${path}.new`, path);
}
