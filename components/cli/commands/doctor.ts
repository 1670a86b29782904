import { isHealthy } from "../check";
import { type Command, text } from "../command";
import { diagnose } from "../doctor";
import { report } from "../doctor-report";
import { colorful, progress } from "../output";

export const doctor: Command = {
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
