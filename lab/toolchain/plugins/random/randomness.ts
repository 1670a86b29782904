/** Uniform random numbers: from the system's generator, or repeatable from a seed where a resource has one. */
import { createHmac, randomBytes, randomInt } from "node:crypto";

/** A uniform integer in [0, bound). */
export type Below = (bound: number) => number;

/** `crypto.randomInt` rejects instead of taking a remainder, so that no value is likelier than another. */
export const secureBelow: Below = (bound) => {
  const MAX_RANGE = 2 ** 48 - 1;
  if (bound <= MAX_RANGE) return randomInt(bound);
  return fromWords(bound, () => randomBytes(8).readBigUInt64BE());
};

/** The same seed gives the same numbers; not those the official plugin makes of it. */
export function seededBelow(seed: string): Below {
  let counter = 0;
  const word = () => createHmac("sha256", seed).update(String(counter++)).digest().readBigUInt64BE();
  return (bound) => fromWords(bound, word);
}

function fromWords(bound: number, word: () => bigint): number {
  const limit = 2n ** 64n - (2n ** 64n % BigInt(bound));
  for (;;) {
    const candidate = word();
    if (candidate < limit) return Number(candidate % BigInt(bound));
  }
}

export function shuffled<T>(items: readonly T[], below: Below): T[] {
  const result = [...items];
  for (let last = result.length - 1; last > 0; last--) {
    const other = below(last + 1);
    [result[last], result[other]] = [result[other] as T, result[last] as T];
  }
  return result;
}
