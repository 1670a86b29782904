import { readFileSync } from "node:fs";
import { text as textOf } from "node:stream/consumers";
import { type Command, formOf, text } from "../command";
import { write } from "../output";
import { parsePreview } from "../preview";
import { reviewOf } from "../review";
import { reviewForms } from "../review-report";
import { Wrong } from "../wrong";

export const review: Command = {
  summary: "what a change does, from the output of `pulumi preview --json`: restarts, files, drift",
  help: `usage: hastack review [OPTION…] [FILE]

Reads what \`pulumi preview --json\` printed, from FILE or standard input, and says what the change does: hosts touched,
files with their lines, services that restart or reload, the risk, and the drift that was found. Asks no host.

  --format FORM    ${Object.keys(reviewForms).join(", ")}; markdown by default, for a comment on a pull request
  --output FILE    writes it there instead, whole and at once

exit codes: 0 it was read; 2 the command line is wrong, or this is no preview

examples:
  pulumi preview --json | hastack review
  hastack review --format text preview.json
`,
  options: { format: { type: "string", default: "markdown" }, output: { type: "string" } },
  operand: "file",
  async run({ file, format, output }) {
    const render = formOf(reviewForms, text(format));
    write(render(reviewOf(parsePreview(await readText(text(file))))), text(output));
    return 0;
  },
};

async function readText(file: string | undefined): Promise<string> {
  try {
    return file === undefined ? await textOf(process.stdin) : readFileSync(file, "utf8");
  } catch (error) {
    throw new Wrong(`${file ?? "standard input"} cannot be read: ${(error as Error).message}`);
  }
}
