import { isHealthy } from "./check";
import { type Command, text } from "./command";
import { diagnose } from "./doctor";
import { report } from "./doctor-report";
import { driftOf, exitCodeOf } from "./drift";
import { reports } from "./drift-report";
import { readInventory } from "./inventory";
import { colorful, progress, write, writeWhole } from "./output";
import { isWell, statusOf } from "./status";
import { page } from "./status-page";
import { tree } from "./status-tree";
import { Wrong } from "./wrong";

const secondsBetweenLooks = 5;

const status: Command = {
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

const doctor: Command = {
  summary: "whether the machines are ready for the first `pulumi up`",
  help: `usage: hastack doctor [OPTION…]

Runs the program of a stack with nothing behind it, asks each host that it names what the program asks of it, and says how
to cure what is wrong. Nothing is changed: no host, no state.

On this machine: engine, backend, passphrase, plugins, the program itself. On each host: connection, host key, login,
sudo, system, memory, disk, address, clock, ports, packages and where they come from, virtual addresses and router ids,
and whether the hosts reach each other on the ports that they need.

  --stack NAME     the stack; by default the one that is selected
  --config-file F  its configuration, if it is not Pulumi.STACK.yaml
  --json           as JSON

exit codes: 0 nothing stands in the way; 1 something does; 2 the command line or the project is wrong

examples:
  hastack doctor
  hastack doctor --stack production
  hastack doctor --json
`,
  options: { json: { type: "boolean" }, "config-file": { type: "string" } },
  async run({ stack, json, "config-file": file }) {
    const found = await diagnose(text(stack), text(file), progress);
    const healthy = isHealthy(found);
    process.stdout.write(
      json ? `${JSON.stringify({ ...found, healthy }, null, 2)}\n` : report(found, colorful(process.stdout)),
    );
    return healthy ? 0 : 1;
  },
};

const drift: Command = {
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
    const render = reports[String(format)];
    if (!render) throw new Wrong(`--format ${format}: give one of ${Object.keys(reports).join(", ")}`);
    const hosts = await driftOf(readInventory(text(stack)));
    write(render(hosts), text(output));
    return exitCodeOf(hosts);
  },
};

/** In the order in which they are needed. */
export const commands: Readonly<Record<string, Command>> = { doctor, status, drift };
