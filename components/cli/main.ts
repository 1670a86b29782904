#!/usr/bin/env node
import { commandLine } from "./command";
import { commands } from "./commands";
import { Wrong } from "./wrong";

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
