import { renameSync, writeFileSync } from "node:fs";
import type { WriteStream } from "node:tty";

/** Whether somebody sees colours there (NO_COLOR: no-color.org). */
export function colorful(stream: WriteStream | NodeJS.WriteStream): boolean {
  return stream.isTTY === true && !process.env.NO_COLOR && process.env.TERM !== "dumb";
}

/** What goes on, for whoever waits at a terminal; a log has no use for it. */
export function progress(text: string): void {
  if (process.stderr.isTTY) process.stderr.write(`${text}\n`);
}

export function write(text: string, file: string | undefined): void {
  if (file === undefined) process.stdout.write(text);
  else writeWhole(file, text);
}

/** Whoever reads the file meanwhile sees the old or the new one. */
export function writeWhole(file: string, text: string): void {
  writeFileSync(`${file}.new`, text);
  renameSync(`${file}.new`, file);
}
