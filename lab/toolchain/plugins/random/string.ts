/** RandomString and RandomPassword: the same arguments and rules; a password is secret and comes with its bcrypt hash. */
import type { Arguments, Failure } from "../shared/arguments";
import { type Generator, generated } from "../shared/generated";
import type { ResourceType } from "../shared/resource";
import { containsUnknown, type Properties } from "../shared/values";
import { bcrypt } from "./bcrypt";
import { secureBelow, shuffled } from "./randomness";

const stringArguments: Arguments = {
  length: { kind: "integer", required: true, minimum: 1 },
  upper: { kind: "boolean", default: true },
  minUpper: { kind: "integer", default: 0, minimum: 0 },
  lower: { kind: "boolean", default: true },
  minLower: { kind: "integer", default: 0, minimum: 0 },
  numeric: { kind: "boolean" },
  /** The deprecated name of `numeric`. */
  number: { kind: "boolean" },
  minNumeric: { kind: "integer", default: 0, minimum: 0 },
  special: { kind: "boolean", default: true },
  minSpecial: { kind: "integer", default: 0, minimum: 0 },
  overrideSpecial: { kind: "string" },
  keepers: { kind: { mapOf: "string" } },
};

interface CharacterClass {
  characters: string[];
  enabled: boolean;
  minimum: number;
}

function classes(args: Properties): CharacterClass[] {
  const special = (args.overrideSpecial as string | undefined) || "!@#$%&*()-_=+[]{}<>:?";
  const of = (characters: string, enabled: boolean, minimum: string): CharacterClass => ({
    characters: [...characters],
    enabled,
    minimum: args[minimum] as number,
  });
  return [
    of("ABCDEFGHIJKLMNOPQRSTUVWXYZ", args.upper as boolean, "minUpper"),
    of("abcdefghijklmnopqrstuvwxyz", args.lower as boolean, "minLower"),
    of("0123456789", numeric(args), "minNumeric"),
    of(special, args.special as boolean, "minSpecial"),
  ];
}

function numeric(args: Properties): boolean {
  return (args.numeric ?? args.number ?? true) as boolean;
}

function faults(args: Properties): Failure[] {
  if (containsUnknown(args)) return [];
  const found: Failure[] = [];
  if (args.numeric !== undefined && args.number !== undefined && args.numeric !== args.number) {
    const reason = `"numeric" is ${args.numeric} and its old name "number" is ${args.number}: give one, or the same value`;
    found.push({ property: "numeric", reason });
  }
  const minimums = classes(args).reduce((sum, { minimum }) => sum + minimum, 0);
  if ((args.length as number) < minimums) {
    const reason = `"length" is ${args.length}, less than the sum of minUpper, minLower, minNumeric and minSpecial: ${minimums}`;
    found.push({ property: "length", reason });
  }
  if (!classes(args).some(({ enabled }) => enabled)) {
    found.push({ property: "special", reason: 'at least one of "special", "upper", "lower", "numeric" must be true' });
  }
  return found;
}

export function randomText(args: Properties): string {
  const all = classes(args);
  const pick = (from: string[]) => from[secureBelow(from.length)] as string;
  const take = (count: number, from: string[]) => Array.from({ length: count }, () => pick(from));
  const required = all.flatMap(({ characters, minimum }) => take(minimum, characters));
  const allowed = all.filter(({ enabled }) => enabled).flatMap(({ characters }) => characters);
  const rest = take((args.length as number) - required.length, allowed);
  return shuffled([...required, ...rest], secureBelow).join("");
}

/** `number` and `numeric` are one argument with two names: state holds both, whichever the program gave. */
function withBothNames(generator: Generator): ResourceType {
  const base = generated(generator);
  const both = (inputs: Properties): Properties => {
    const value = inputs.numeric ?? inputs.number ?? true;
    return { ...inputs, numeric: value, number: value };
  };
  return {
    ...base,
    diff: (prior, inputs) => base.diff(prior, both(inputs)),
    planCreate: (inputs) => base.planCreate(both(inputs)),
    create: (inputs, operation) => base.create(both(inputs), operation),
    planUpdate: (prior, inputs) => base.planUpdate(prior, both(inputs)),
    update: (prior, inputs, operation) => base.update(prior, both(inputs), operation),
  };
}

export const randomString = withBothNames({
  arguments: stringArguments,
  outputs: { result: {} },
  faults,
  async generate(args) {
    const result = randomText(args);
    return { id: result, outputs: { result } };
  },
});

export const randomPassword = withBothNames({
  arguments: stringArguments,
  outputs: { result: { secret: true }, bcryptHash: { secret: true } },
  faults,
  async generate(args) {
    const result = randomText(args);
    return { id: "none", outputs: { result, bcryptHash: bcrypt(result) } };
  },
});
