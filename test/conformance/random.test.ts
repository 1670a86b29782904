import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { after, before, describe, test } from "node:test";
import * as random from "@pulumi/random";
import { isEncrypted, type Run, TestStack } from "./stack";

const SPECIAL = "!@#$%&*()-_=+[]{}<>:?";

function count(text: string, set: RegExp): number {
  return [...text].filter((character) => set.test(character)).length;
}

describe("random", () => {
  let stack: TestStack;
  before(async () => {
    stack = await TestStack.create();
  });
  after(() => stack.dispose());

  describe("RandomPassword and RandomString", () => {
    let run: Run;
    let texts: Record<string, string>;
    const argumentSets: Record<string, random.RandomPasswordArgs> = {
      plain: { length: 64 },
      another: { length: 64 },
      shortest: { length: 1 },
      long: { length: 3000 },
      noUpper: { length: 200, upper: false },
      noLower: { length: 200, lower: false },
      noNumeric: { length: 200, numeric: false },
      oldNumber: { length: 200, number: false },
      noSpecial: { length: 200, special: false },
      onlyNumeric: { length: 200, upper: false, lower: false, special: false },
      minimums: { length: 10, minUpper: 1, minLower: 2, minNumeric: 3, minSpecial: 4 },
      override: { length: 200, upper: false, lower: false, numeric: false, overrideSpecial: "/=\\ж" },
      minOverride: { length: 12, overrideSpecial: "/", minSpecial: 5 },
    };
    const program = () =>
      Object.fromEntries(
        Object.entries(argumentSets).flatMap(([name, args]) => [
          [`password-${name}`, new random.RandomPassword(`password-${name}`, args).result],
          [`string-${name}`, new random.RandomString(`string-${name}`, args).result],
        ]),
      );

    before(async () => {
      run = await stack.up(program);
      texts = run.outputs as Record<string, string>;
    });

    for (const kind of ["password", "string"]) {
      const text = (name: string) => texts[`${kind}-${name}`] ?? "";

      test(`${kind}: has the length asked for`, () => {
        for (const [name, { length }] of Object.entries(argumentSets)) {
          assert.equal([...text(name)].length, length, `${name}: ${text(name)}`);
        }
      });

      test(`${kind}: draws from every class by default, and only from them`, () => {
        assert.match(text("long"), /^[A-Za-z0-9!@#$%&*()\-_=+[\]{}<>:?]+$/);
        for (const set of [/[A-Z]/, /[a-z]/, /[0-9]/, /[^A-Za-z0-9]/]) assert.match(text("long"), set);
        assert.equal(new Set(text("long")).size, 62 + SPECIAL.length, "3000 characters show the whole alphabet");
      });

      test(`${kind}: leaves out a class that is switched off`, () => {
        assert.doesNotMatch(text("noUpper"), /[A-Z]/);
        assert.doesNotMatch(text("noLower"), /[a-z]/);
        assert.doesNotMatch(text("noNumeric"), /[0-9]/);
        assert.doesNotMatch(text("oldNumber"), /[0-9]/);
        assert.match(text("noSpecial"), /^[A-Za-z0-9]+$/);
        assert.match(text("onlyNumeric"), /^[0-9]+$/);
      });

      test(`${kind}: keeps every minimum`, () => {
        const minimums = text("minimums");
        const counts = [/[A-Z]/, /[a-z]/, /[0-9]/, /[^A-Za-z0-9]/].map((set) => count(minimums, set));
        assert.deepEqual(counts, [1, 2, 3, 4]);
        assert.ok(count(text("minOverride"), /\//) >= 5);
      });

      test(`${kind}: takes special characters from overrideSpecial alone`, () => {
        assert.match(text("override"), /^[/=\\ж]+$/u);
        assert.equal(new Set(text("override")).size, 4);
      });

      test(`${kind}: no two are alike`, () => assert.notEqual(text("plain"), text("another")));
    }

    test("a password and its hash are secret, in state and on the console; a string is not", async () => {
      const state = await stack.state();
      const password = state.resource("password-plain")?.outputs;
      assert.ok(isEncrypted(password?.result));
      assert.ok(isEncrypted(password?.bcryptHash));
      assert.equal(state.text.includes(texts["password-plain"] as string), false);
      assert.equal(run.text.includes(texts["password-plain"] as string), false);
      assert.equal(state.resource("string-plain")?.outputs?.result, texts["string-plain"]);
      assert.equal(state.resource("string-plain")?.id, texts["string-plain"]);
    });

    test("the state says what was left to default", async () => {
      const outputs = (await stack.state()).resource("password-plain")?.outputs;
      const { length, upper, lower, numeric, number, special, minUpper, minLower, minNumeric, minSpecial } =
        outputs ?? {};
      assert.deepEqual([length, upper, lower, numeric, number, special], [64, true, true, true, true, true]);
      assert.deepEqual([minUpper, minLower, minNumeric, minSpecial], [0, 0, 0, 0]);
    });

    test("an unchanged program changes nothing, and neither does spelling out a default", async () => {
      const again = await stack.preview(() => {
        program();
      });
      for (const name of Object.keys(argumentSets)) assert.deepEqual(again.stepsOf(`password-${name}`), ["same"], name);
      const spelled = await stack.preview(
        () => new random.RandomPassword("password-plain", { length: 64, special: true, minUpper: 0 }),
      );
      assert.equal(spelled.stepsOf("password-plain").includes("replace"), false);
    });

    test("any other argument replaces", async () => {
      const changed = await stack.preview(() => {
        new random.RandomPassword("password-plain", { length: 65 });
        new random.RandomPassword("password-another", { length: 64, special: false });
        new random.RandomPassword("password-minimums", {
          length: 10,
          minUpper: 2,
          minLower: 2,
          minNumeric: 3,
          minSpecial: 3,
        });
        new random.RandomPassword("password-override", { length: 200, overrideSpecial: "/" });
      });
      for (const name of ["plain", "another", "minimums", "override"]) {
        assert.ok(changed.stepsOf(`password-${name}`).includes("replace"), name);
      }
    });

    test("required characters do not always stand in the same place", async () => {
      const many = await stack.up(() => ({
        texts: Array.from({ length: 12 }, (_, i) => {
          const args = { length: 12, special: false, minSpecial: 1, overrideSpecial: "#" };
          return new random.RandomString(`place-${i}`, args).result;
        }),
      }));
      const places = (many.outputs.texts as string[]).map((text) => text.indexOf("#"));
      assert.equal(places.includes(-1), false);
      assert.ok(new Set(places).size > 2, `always at ${places}`);
    });

    test("no character is likelier than another", async () => {
      const drawn = await stack.up(() => {
        // 10 of 256 byte values: a remainder would favour the first six by 4 %.
        const args = { length: 400_000, upper: false, lower: false, special: false };
        return { text: new random.RandomString("fair", args).result };
      });
      const counts = new Map<string, number>();
      for (const character of drawn.outputs.text as string) counts.set(character, (counts.get(character) ?? 0) + 1);
      const deviation = Math.sqrt(400_000 * 0.1 * 0.9);
      for (const [character, n] of counts) {
        assert.ok(Math.abs(n - 40_000) < 6 * deviation, `${character} was drawn ${n} times of 400000`);
      }
    });
  });

  test("bcryptHash is the bcrypt hash of the password", async () => {
    const run = await stack.up(() => {
      const short = new random.RandomPassword("short", { length: 12 });
      const wide = new random.RandomPassword("wide", { length: 20, overrideSpecial: "жф", minSpecial: 5 });
      // bcrypt reads 72 bytes.
      const long = new random.RandomPassword("long", { length: 100 });
      return { pairs: [short, wide, long].map(({ result, bcryptHash }) => [result, bcryptHash]) };
    });
    for (const [password, hash] of run.outputs.pairs as [string, string][]) {
      assert.match(hash, /^\$2[ab]\$10\$[./A-Za-z0-9]{53}$/);
      const read = Buffer.from(password).subarray(0, 72);
      // The system's crypt(3) knows bcrypt.
      const computed = execFileSync("perl", ["-e", "print crypt($ARGV[0], $ARGV[1])", "--", read.toString(), hash], {
        encoding: "utf8",
      });
      assert.equal(computed, hash, `for a password of ${password.length} characters`);
    }
  });

  test("keepers replace: with new ones a new value, with the same ones the old", async () => {
    const program = (keeper: string) => () => {
      const keepers = { rotation: keeper };
      return {
        password: new random.RandomPassword("kept-password", { length: 20, keepers }).result,
        string: new random.RandomString("kept-string", { length: 20, keepers }).result,
        id: new random.RandomId("kept-id", { byteLength: 8, keepers }).hex,
        bytes: new random.RandomBytes("kept-bytes", { length: 8, keepers }).hex,
        uuid: new random.RandomUuid("kept-uuid", { keepers }).result,
      };
    };
    const first = await stack.up(program("1"));
    const same = await stack.up(program("1"));
    assert.deepEqual(same.outputs, first.outputs);
    const rotated = await stack.up(program("2"));
    assert.match(rotated.diffOf("kept-password").join(), /keepers/);
    for (const name of Object.keys(first.outputs)) {
      assert.ok(rotated.stepsOf(`kept-${name}`).includes("replace"), name);
      assert.notEqual(rotated.outputs[name], first.outputs[name], name);
    }
  });

  test("RandomId gives one number in four forms, each with the prefix", async () => {
    const run = await stack.up(() => {
      const id = new random.RandomId("id", { byteLength: 9 });
      const prefixed = new random.RandomId("prefixed", { byteLength: 4, prefix: "pre-" });
      const forms = ({ id: own, hex, dec, b64Std, b64Url }: random.RandomId) => ({ id: own, hex, dec, b64Std, b64Url });
      return { id: forms(id), prefixed: forms(prefixed) };
    });
    const expected = (hex: string, prefix: string) => {
      const bytes = Buffer.from(hex, "hex");
      return {
        id: bytes.toString("base64url"),
        hex: prefix + hex,
        dec: prefix + BigInt(`0x${hex}`),
        b64Std: prefix + bytes.toString("base64"),
        b64Url: prefix + bytes.toString("base64url"),
      };
    };
    const { id, prefixed } = run.outputs as Record<string, { hex: string }>;
    assert.match(id?.hex ?? "", /^[0-9a-f]{18}$/);
    assert.deepEqual(id, expected(id?.hex ?? "", ""));
    assert.match(prefixed?.hex ?? "", /^pre-[0-9a-f]{8}$/);
    assert.deepEqual(prefixed, expected(prefixed?.hex.slice("pre-".length) ?? "", "pre-"));
  });

  test("RandomBytes are secret; RandomUuid, RandomInteger and RandomShuffle keep to their form", async () => {
    const run = await stack.up(() => {
      const bytes = new random.RandomBytes("bytes", { length: 33 });
      const inputs = ["a", "b", "c", "d", "e"];
      return {
        bytes: [bytes.base64, bytes.hex],
        uuid: new random.RandomUuid("uuid").result,
        integers: Array.from(
          { length: 40 },
          (_, i) => new random.RandomInteger(`int-${i}`, { min: -1, max: 1 }).result,
        ),
        only: new random.RandomInteger("only", { min: 7, max: 7 }).result,
        seeded: ["x", "y"].map((name) => new random.RandomInteger(name, { min: 0, max: 1e6, seed: "same" }).result),
        shuffled: new random.RandomShuffle("shuffled", { inputs }).results,
        some: new random.RandomShuffle("some", { inputs, resultCount: 2 }).results,
        more: new random.RandomShuffle("more", { inputs, resultCount: 12 }).results,
      };
    });
    const { bytes, uuid, integers, only, seeded, shuffled, some, more } = run.outputs as Record<string, unknown[]>;
    assert.equal(Buffer.from(String(bytes?.[1]), "hex").toString("base64"), bytes?.[0]);
    assert.equal(String(bytes?.[1]).length, 66);
    const state = (await stack.state()).resource("bytes")?.outputs;
    assert.ok(isEncrypted(state?.base64) && isEncrypted(state?.hex));
    assert.match(String(uuid), /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/);
    assert.deepEqual([...new Set(integers)].sort(), [-1, 0, 1].sort());
    assert.equal(only, 7);
    assert.equal(seeded?.[0], seeded?.[1]);
    assert.deepEqual([...(shuffled ?? [])].sort(), ["a", "b", "c", "d", "e"]);
    assert.equal(new Set(some).size, 2);
    assert.equal(more?.length, 12);
  });

  test("impossible arguments are refused before anything is made, by name", async () => {
    const refused = async (
      type: typeof random.RandomPassword | typeof random.RandomString,
      args: random.RandomStringArgs,
    ) => (await stack.previewFailing(() => new type("refused", args))).text;
    assert.match(await refused(random.RandomPassword, { length: 0 }), /length/);
    assert.match(await refused(random.RandomString, { length: 3, minUpper: 2, minSpecial: 2 }), /length/);
    assert.match(await refused(random.RandomPassword, { length: 8, minLower: -1 }), /minLower|min_lower/);
    const none = { length: 8, upper: false, lower: false, numeric: false, special: false };
    assert.match(await refused(random.RandomPassword, none), /special/);
  });
});
