import { readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { literal } from "./text";

/**
 * The source of a program that runs on the host, for a unit's text.
 * @param component the folder of the component, whose programs are in `host/`
 * @param path where the program is on the host; its name is that of the source
 */
export function program(component: string, path: string): string {
  return literal(readFileSync(join(component, "host", basename(path)), "utf8"));
}
