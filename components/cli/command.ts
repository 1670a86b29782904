import { type ParseArgsConfig, parseArgs } from "node:util";
import { Wrong } from "./wrong";

export type Options = NonNullable<ParseArgsConfig["options"]>;
export type Values = Readonly<Record<string, string | boolean | undefined>>;

/** A command of `hastack`. */
export interface Command {
  /** One line for the overview. */
  summary: string;
  /** What it does, its options, its exit codes, examples. */
  help: string;
  options: Options;
  /** Returns the exit code. */
  run(values: Values): Promise<number>;
}

const shared = { help: { type: "boolean", short: "h" }, stack: { type: "string", short: "s" } } as const;

/** The command and its options; whatever it does not know is refused. */
export function commandLine(
  words: readonly string[],
  commands: Readonly<Record<string, Command>>,
): { command?: Command; values: Values } {
  const [name = "help", ...rest] = words;
  if (["help", "--help", "-h"].includes(name)) {
    if (rest.length === 0) return { values: { help: true } };
    return commandLine([...rest, "--help"], commands);
  }
  const command = Object.hasOwn(commands, name) ? commands[name] : undefined;
  if (!command)
    throw new Wrong(`unknown command ${JSON.stringify(name)}; there are ${Object.keys(commands).join(", ")}, help`);
  try {
    const { values } = parseArgs({ args: rest, options: { ...shared, ...command.options } });
    return { command, values: values as Values };
  } catch (error) {
    throw new Wrong(`${name}: ${(error as Error).message}\nSee \`hastack ${name} --help\``);
  }
}

export function text(value: string | boolean | undefined): string | undefined {
  return typeof value === "string" ? value : undefined;
}
