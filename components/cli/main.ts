#!/usr/bin/env node
import { readFileSync, renameSync, writeFileSync } from "node:fs";
import { text } from "node:stream/consumers";
import { parseArgs } from "node:util";
import { usualDays } from "../converge/certificates";
import { driftOf, exitCodeOf } from "./drift";
import { reports } from "./drift-report";
import { readInventory } from "./inventory";
import { parsePreview } from "./preview";
import { reviewOf } from "./review";
import { reviewForms } from "./review-report";
import { isWell, statusOf } from "./status";
import { tree } from "./status-tree";
import { Wrong } from "./wrong";

const help = `usage: hastack COMMAND [OPTION…]

Asks the hosts of a stack. It reads the stack's output "hastack", so it needs no inventory of its own, and changes nothing.

  status    who leads, who follows and how far behind, who holds which address
  drift     what differs on the hosts from what was applied last
  review    what a change does, from the output of \`pulumi preview --json\`: restarts, files, drift. Asks no host.
            \`review FILE\`, or standard input
  help      this text

options:
  --stack NAME     the stack; by default the one that is selected
  --json           status as JSON
  --watch          status again every two seconds, until Ctrl-C
  --format FORM    drift as ${Object.keys(reports).join(", ")}; text by default
                   review as ${Object.keys(reviewForms).join(", ")}; markdown by default
  --certificate-days N
                   so many days before its end a certificate counts as drift; ${usualDays} by default
  --output FILE    write it there instead (at once and whole, as a node exporter needs it)

exit codes: 0 all is well; 1 a host cannot be asked, or status is not well; 2 the command line or the stack is wrong;
7 something has drifted

examples:
  hastack status --stack production --watch
  hastack drift --format markdown
  pulumi preview --json | hastack review
  hastack drift --format prometheus --output /var/lib/prometheus/node-exporter/hastack.prom
`;

interface Options {
  stack?: string | undefined;
  json?: boolean | undefined;
  watch?: boolean | undefined;
  format?: string | undefined;
  output?: string | undefined;
  "certificate-days"?: string | undefined;
}

async function main(words: readonly string[]): Promise<number> {
  const { command, file, options } = commandLine(words);
  switch (command) {
    case "help":
      process.stdout.write(help);
      return 0;
    case "status":
      return status(options);
    case "drift":
      return drift(options);
    case "review":
      return review(file, options);
    default:
      throw new Wrong(`unknown command ${JSON.stringify(command)}; there are status, drift, review, help`);
  }
}

function commandLine(words: readonly string[]): { command: string; file: string | undefined; options: Options } {
  try {
    const { values, positionals } = parseArgs({
      args: [...words],
      allowPositionals: true,
      options: {
        help: { type: "boolean", short: "h" },
        stack: { type: "string", short: "s" },
        json: { type: "boolean" },
        watch: { type: "boolean" },
        format: { type: "string" },
        output: { type: "string" },
        "certificate-days": { type: "string" },
      },
    });
    const [command = "help", file, ...rest] = positionals;
    if (rest.length > 0 || (file !== undefined && command !== "review")) {
      throw new Error(`one command at a time, not ${positionals.join(" ")}`);
    }
    return { command: values.help ? "help" : command, file, options: values };
  } catch (error) {
    throw new Wrong((error as Error).message);
  }
}

async function status({ stack, json, watch, output }: Options): Promise<number> {
  const inventory = readInventory(stack);
  for (;;) {
    const found = await statusOf(inventory);
    const colors = process.stdout.isTTY === true && output === undefined;
    const text = json ? `${JSON.stringify({ ...found, well: isWell(found) }, null, 2)}\n` : tree(found, colors);
    if (watch && colors) process.stdout.write("\x1b[2J\x1b[H");
    write(text, output);
    if (!watch) return isWell(found) ? 0 : 1;
    await new Promise((resolve) => setTimeout(resolve, 2000));
  }
}

async function drift({ stack, format, output, "certificate-days": days }: Options): Promise<number> {
  const render = formOf(reports, format, "text");
  if (days !== undefined && !/^\d+$/.test(days)) throw new Wrong(`--certificate-days ${days}: give a number of days`);
  const report = await driftOf(readInventory(stack), days === undefined ? usualDays : Number(days));
  write(render(report), output);
  return exitCodeOf(report);
}

async function review(file: string | undefined, { format, output }: Options): Promise<number> {
  const render = formOf(reviewForms, format, "markdown");
  write(render(reviewOf(parsePreview(await readText(file)))), output);
  return 0;
}

function formOf<T>(forms: Readonly<Record<string, T>>, given: string | undefined, usual: string): T {
  const form = forms[given ?? usual];
  if (!form) throw new Wrong(`--format ${given}: give one of ${Object.keys(forms).join(", ")}`);
  return form;
}

async function readText(file: string | undefined): Promise<string> {
  try {
    return file === undefined ? await text(process.stdin) : readFileSync(file, "utf8");
  } catch (error) {
    throw new Wrong(`${file ?? "standard input"} cannot be read: ${(error as Error).message}`);
  }
}

function write(text: string, file: string | undefined): void {
  if (file === undefined) process.stdout.write(text);
  else writeWhole(file, text);
}

/** Whoever reads the file meanwhile sees the old or the new one. */
function writeWhole(file: string, text: string): void {
  writeFileSync(`${file}.new`, text);
  renameSync(`${file}.new`, file);
}

main(process.argv.slice(2)).then(
  (code) => {
    process.exitCode = code;
  },
  (error: Error) => {
    process.stderr.write(`hastack: ${error instanceof Wrong ? error.message : (error.stack ?? error.message)}\n`);
    process.exitCode = error instanceof Wrong ? 2 : 1;
  },
);
