/** The life of a Command, local or remote: which of create, update and delete runs when, and what state remembers. */
import { randomBytes } from "node:crypto";
import { type Arguments, failures, pick, withDefaults, withSecrets } from "../shared/arguments";
import { changes } from "../shared/diff";
import type { Operation, Prior, ResourceType } from "../shared/resource";
import { type Properties, unknown, type Value } from "../shared/values";
import { loggingValues } from "./output";

export const commandArguments: Arguments = {
  create: { kind: "string" },
  update: { kind: "string" },
  delete: { kind: "string" },
  triggers: { kind: "any", replaces: true },
  stdin: { kind: "string" },
  logging: { kind: "string", oneOf: loggingValues },
  environment: { kind: { mapOf: "string" } },
  addPreviousOutputInEnv: { kind: "boolean" },
};

/** Runs the command line with the arguments in `state`, whose stdout and stderr are those of the run before. */
export type Runner = (command: string, state: Properties, operation: Operation) => Promise<Properties>;

const nothingRan: Properties = { stdout: "", stderr: "" };

export function commandResource(args: Arguments, computed: readonly string[], run: Runner): ResourceType {
  const echo = (inputs: Properties) => withSecrets(args, pick(args, inputs));
  const isComputed = Object.fromEntries(computed.map((name) => [name, true]));
  const allUnknown = Object.fromEntries(computed.map((name): [string, Value] => [name, unknown]));
  const changed = ({ inputs: before }: Prior, inputs: Properties) => changes(pick(args, before), pick(args, inputs));

  return {
    check: (inputs) => ({ inputs: withSecrets(args, withDefaults(args, inputs)), failures: failures(args, inputs) }),

    diff: (prior, inputs) => ({
      changes: changed(prior, inputs),
      replaces: ({ property }) => args[property]?.replaces ?? false,
    }),

    planCreate: (inputs) => ({ ...echo(inputs), ...allUnknown }),

    async create(inputs, operation) {
      const command = inputs.create as string | undefined;
      const outputs = command === undefined ? nothingRan : await run(command, inputs, operation);
      return { id: operation.name + randomBytes(4).toString("hex"), outputs: { ...echo(inputs), ...outputs } };
    },

    // What a command will print is not known before it has run again.
    planUpdate: (prior, inputs) => ({
      ...echo(inputs),
      ...(changed(prior, inputs).length > 0 ? allUnknown : pick(isComputed, prior.outputs)),
    }),

    async update({ outputs: before }, inputs, operation) {
      const previous = pick(isComputed, before);
      const command = (inputs.update ?? inputs.create) as string | undefined;
      const outputs = command === undefined ? previous : await run(command, { ...inputs, ...previous }, operation);
      return { ...echo(inputs), ...outputs };
    },

    async delete(outputs, operation) {
      // From state alone: the connection, too, is the one of the last create or update.
      if (outputs.delete !== undefined) await run(outputs.delete as string, outputs, operation);
    },
  };
}

/** The variables that hand a command what the run before it printed. */
export function previousOutput(state: Properties): Record<string, string> {
  if (state.addPreviousOutputInEnv === false) return {};
  const variables: Record<string, string> = {};
  if (state.stdout) variables.PULUMI_COMMAND_STDOUT = state.stdout as string;
  if (state.stderr) variables.PULUMI_COMMAND_STDERR = state.stderr as string;
  return variables;
}
