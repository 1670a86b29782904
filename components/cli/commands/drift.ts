import { usualDays } from "../../converge/certificates";
import { type Command, formOf, text } from "../command";
import { driftOf, exitCodeOf } from "../drift";
import { reports } from "../drift-report";
import { readInventory } from "../inventory";
import { write } from "../output";
import { Wrong } from "../wrong";

export const drift: Command = {
  summary: "what differs on the hosts from what was applied last",
  help: `usage: hastack drift [OPTION…]

Asks all hosts of a stack at once what differs on them from what was applied last. A virtual address that nobody holds, or
several hosts, counts as drift, and so does a certificate that is about to end. Nothing is changed.

  --stack NAME     the stack; by default the one that is selected
  --format FORM    ${Object.keys(reports).join(", ")}; text by default
  --certificate-days N
                   so many days before its end a certificate counts; ${usualDays} by default
  --output FILE    writes it there instead, whole and at once, as a node exporter needs it

exit codes: 0 nothing differs; 1 a host cannot be asked; 2 the command line or the stack is wrong; 7 something differs

examples:
  hastack drift --format markdown
  hastack drift --format prometheus --output /var/lib/prometheus/node-exporter/hastack.prom
`,
  options: {
    format: { type: "string", default: "text" },
    "certificate-days": { type: "string", default: String(usualDays) },
    output: { type: "string" },
  },
  async run({ stack, format, "certificate-days": days, output }) {
    const render = formOf(reports, text(format));
    if (!/^\d+$/.test(String(days))) throw new Wrong(`--certificate-days ${days}: give a number of days`);
    const report = await driftOf(readInventory(text(stack)), Number(days));
    write(render(report), text(output));
    return exitCodeOf(report);
  },
};
