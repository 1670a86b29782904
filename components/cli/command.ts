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
  /** Name among the values for the one word that may follow, if one may. */
  operand?: string;
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
    const options = { ...shared, ...command.options };
    const { values, positionals } = parseArgs({ args: rest, options, allowPositionals: command.operand !== undefined });
    if (positionals.length > 1) throw new Error(`one ${command.operand} at a time, not ${positionals.join(" ")}`);
    const operand = command.operand === undefined ? {} : { [command.operand]: positionals[0] };
    return { command, values: { ...(values as Values), ...operand } };
  } catch (error) {
    throw new Wrong(`${name}: ${(error as Error).message}\nSee \`hastack ${name} --help\``);
  }
}

export function text(value: string | boolean | undefined): string | undefined {
  return typeof value === "string" ? value : undefined;
}

export function formOf<Form>(forms: Readonly<Record<string, Form>>, wanted: string | undefined): Form {
  const form = Object.hasOwn(forms, wanted ?? "") ? forms[wanted ?? ""] : undefined;
  if (!form) throw new Wrong(`--format ${wanted}: give one of ${Object.keys(forms).join(", ")}`);
  return form;
}
