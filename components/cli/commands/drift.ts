import { type Command, formOf, text } from "../command";
import { driftOf, exitCodeOf } from "../drift";
import { reports } from "../drift-report";
import { readInventory } from "../inventory";
import { write } from "../output";

export const drift: Command = {
  summary: "what differs on the hosts from what was applied last",
  help: `usage: hastack drift [OPTION…]

Asks all hosts of a stack at once what differs on them from what was applied last. Nothing is changed.

  --stack NAME     the stack; by default the one that is selected
  --format FORM    ${Object.keys(reports).join(", ")}; text by default
  --output FILE    writes it there instead, whole and at once, as a node exporter needs it

exit codes: 0 nothing differs; 1 a host cannot be asked; 2 the command line or the stack is wrong; 7 something differs

examples:
  hastack drift --format markdown
  hastack drift --format prometheus --output /var/lib/prometheus/node-exporter/hastack.prom
`,
  options: { format: { type: "string", default: "text" }, output: { type: "string" } },
  async run({ stack, format, output }) {
    const render = formOf(reports, text(format));
    const hosts = await driftOf(readInventory(text(stack)));
    write(render(hosts), text(output));
    return exitCodeOf(hosts);
  },
};
