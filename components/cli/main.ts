#!/usr/bin/env node
import { type Command, commandLine } from "./command";
import { doctor } from "./commands/doctor";
import { drift } from "./commands/drift";
import { review } from "./commands/review";
import { status } from "./commands/status";
import { Wrong } from "./wrong";

const commands: Readonly<Record<string, Command>> = { doctor, status, drift, review };

const overview = `usage: hastack COMMAND [OPTION…]

Looks at the hosts of a stack, and changes nothing. It knows them from the stack itself, so it needs no inventory of its own.

${Object.entries(commands)
  .map(([name, { summary }]) => `  ${name.padEnd(8)}  ${summary}`)
  .join("\n")}

\`hastack COMMAND --help\` explains a command, with examples.
`;

async function main(words: readonly string[]): Promise<number> {
  const { command, values } = commandLine(words, commands);
  if (command && !values.help) return command.run(values);
  process.stdout.write(command?.help ?? overview);
  return 0;
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
