/** RandomInteger and RandomShuffle: both are repeatable when given a seed. */
import type { Arguments } from "../shared/arguments";
import { generated } from "../shared/generated";
import { containsUnknown, type Properties } from "../shared/values";
import { type Below, secureBelow, seededBelow, shuffled } from "./randomness";

const seeded: Arguments = { seed: { kind: "string" }, keepers: { kind: { mapOf: "string" } } };

function source(args: Properties): Below {
  return args.seed ? seededBelow(args.seed as string) : secureBelow;
}

export const randomInteger = generated({
  arguments: { min: { kind: "integer", required: true }, max: { kind: "integer", required: true }, ...seeded },
  outputs: { result: {} },
  faults(args) {
    if (containsUnknown([args.min, args.max]) || (args.min as number) <= (args.max as number)) return [];
    return [{ property: "max", reason: `"max" is ${args.max}, less than "min": ${args.min}` }];
  },
  async generate(args) {
    const [min, max] = [args.min as number, args.max as number];
    const result = min + source(args)(max - min + 1);
    return { id: String(result), outputs: { result } };
  },
});

export const randomShuffle = generated({
  arguments: {
    inputs: { kind: { listOf: "string" }, required: true },
    resultCount: { kind: "integer", minimum: 0 },
    ...seeded,
  },
  outputs: { results: {} },
  async generate(args) {
    const inputs = args.inputs as string[];
    const below = source(args);
    const count = (args.resultCount as number | undefined) ?? inputs.length;
    const results: string[] = [];
    // More results than inputs: every input once, then all of them again.
    while (inputs.length > 0 && results.length < count) results.push(...shuffled(inputs, below));
    return { id: "-", outputs: { results: results.slice(0, count) } };
  },
});
