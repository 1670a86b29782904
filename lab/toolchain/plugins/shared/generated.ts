/** Resources whose outputs are computed from their arguments alone, with no world behind them: random and tls. */
import { type Arguments, asSecret, type Failure, failures, pick, withDefaults, withSecrets } from "./arguments";
import { changes } from "./diff";
import type { ResourceType } from "./resource";
import { type Properties, unknown } from "./values";

export interface Output {
  secret?: boolean;
}

export interface Generator {
  arguments: Arguments;
  outputs: Readonly<Record<string, Output>>;
  /** Faults that no single argument shows; called with defaults filled in. */
  faults?(args: Properties): Failure[];
  generate(args: Properties): Promise<{ id: string; outputs: Properties }>;
  /** An output that turns true when the resource's time has come; from then on every run replaces the resource. */
  due?: { output: string; isDue(state: Properties): boolean };
}

export function generated(generator: Generator): ResourceType {
  const args = generator.arguments;

  const stored = Object.fromEntries(Object.entries(args).filter(([, { writeOnly }]) => !writeOnly));
  const stateOf = (inputs: Properties, outputs: Properties): Properties => ({
    ...withSecrets(stored, withDefaults(stored, inputs)),
    ...Object.fromEntries(
      Object.keys(generator.outputs).map((name) => [
        name,
        generator.outputs[name]?.secret ? asSecret(outputs[name]) : outputs[name],
      ]),
    ),
  });

  // A resource that is due is replaced, so one that is updated in place is not.
  const notDue = (outputs: Properties): Properties =>
    generator.due ? { ...outputs, [generator.due.output]: false } : outputs;

  return {
    check(inputs) {
      const found = failures(args, inputs);
      if (found.length === 0) found.push(...(generator.faults?.(withDefaults(args, inputs)) ?? []));
      return { inputs: withSecrets(args, pick(args, inputs)), failures: found };
    },

    diff({ outputs }, inputs) {
      // Against the outputs, which hold the defaults: spelling out a default is not a change.
      const planned = withDefaults(stored, inputs);
      const found = changes(withDefaults(stored, outputs), planned);
      const { due } = generator;
      if (due?.isDue({ ...outputs, ...planned })) {
        found.push({ path: due.output, property: due.output, kind: "update" });
      }
      return { changes: found, replaces: ({ property }) => args[property]?.replaces ?? true };
    },

    planCreate(inputs) {
      return stateOf(inputs, Object.fromEntries(Object.keys(generator.outputs).map((name) => [name, unknown])));
    },

    async create(inputs) {
      const { id, outputs } = await generator.generate(withDefaults(args, inputs));
      return { id, outputs: stateOf(inputs, outputs) };
    },

    planUpdate: ({ outputs }, inputs) => stateOf(inputs, notDue(outputs)),

    update: async ({ outputs }, inputs) => stateOf(inputs, notDue(outputs)),

    refresh(state) {
      const { due } = generator;
      return stateOf(state, due?.isDue(state) ? { ...state, [due.output]: true } : state);
    },
  };
}
