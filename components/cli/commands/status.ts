import { type Command, text } from "../command";
import { readInventory } from "../inventory";
import { colorful, progress, write, writeWhole } from "../output";
import { isWell, statusOf } from "../status";
import { page } from "../status-page";
import { tree } from "../status-tree";

const secondsBetweenLooks = 5;

export const status: Command = {
  summary: "who leads, who follows and how far behind, who holds which address, what has drifted",
  help: `usage: hastack status [OPTION…]

Asks all hosts of a stack at once and shows what there is: balancers, nodes, poolers, PostgreSQL, etcd, Redis, drift.

  --stack NAME     the stack; by default the one that is selected
  --json           as JSON
  --html FILE      writes a page with a picture of it, which asks nothing of any server
  --watch          again every ${secondsBetweenLooks} seconds, until Ctrl-C; an HTML page is read again by the browser, too
  --output FILE    writes what would be printed there, whole and at once

exit codes: 0 all is well; 1 something is not, or a host does not answer; 2 the command line or the stack is wrong

examples:
  hastack status
  hastack status --stack production --watch
  hastack status --html topology.html
  hastack status --json
`,
  options: {
    json: { type: "boolean" },
    html: { type: "string" },
    watch: { type: "boolean" },
    output: { type: "string" },
  },
  async run({ stack, json, html, watch, output }) {
    const file = text(output);
    const inventory = readInventory(text(stack));
    for (;;) {
      progress(`asking ${Object.keys(inventory.hosts).length} hosts`);
      const found = await statusOf(inventory);
      if (typeof html === "string") {
        const refresh = watch ? { refresh: secondsBetweenLooks } : {};
        writeWhole(
          html,
          page(found, { stack: text(stack) ?? "the stack that is selected", at: new Date(), ...refresh }),
        );
      }
      const colors = colorful(process.stdout) && file === undefined;
      const shown = json ? `${JSON.stringify({ ...found, well: isWell(found) }, null, 2)}\n` : tree(found, colors);
      if (watch && colors) process.stdout.write("\x1b[2J\x1b[H");
      write(shown, file);
      if (!watch) return isWell(found) ? 0 : 1;
      await new Promise((resolve) => setTimeout(resolve, 1000 * secondsBetweenLooks));
    }
  },
};
