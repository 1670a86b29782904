/** RandomId, RandomBytes, and the UUIDs. */
import { randomBytes, randomUUID } from "node:crypto";
import type { Argument } from "../shared/arguments";
import { generated } from "../shared/generated";
import type { Properties } from "../shared/values";

const keepers: Argument = { kind: { mapOf: "string" } };

export const randomId = generated({
  arguments: { byteLength: { kind: "integer", required: true, minimum: 1 }, prefix: { kind: "string" }, keepers },
  outputs: { b64Url: {}, b64Std: {}, hex: {}, dec: {} },
  async generate(args) {
    const bytes = randomBytes(args.byteLength as number);
    const prefix = (args.prefix as string | undefined) ?? "";
    const hex = bytes.toString("hex");
    return {
      id: bytes.toString("base64url"),
      outputs: {
        b64Url: prefix + bytes.toString("base64url"),
        b64Std: prefix + bytes.toString("base64"),
        hex: prefix + hex,
        dec: prefix + BigInt(`0x${hex}`).toString(),
      },
    };
  },
});

export const randomBytesResource = generated({
  arguments: { length: { kind: "integer", required: true, minimum: 1 }, keepers },
  outputs: { base64: { secret: true }, hex: { secret: true } },
  async generate(args) {
    const bytes = randomBytes(args.length as number);
    const base64 = bytes.toString("base64");
    return { id: base64, outputs: { base64, hex: bytes.toString("hex") } };
  },
});

const uuid = (make: () => string) =>
  generated({
    arguments: { keepers },
    outputs: { result: {} },
    async generate(): Promise<{ id: string; outputs: Properties }> {
      const result = make();
      return { id: result, outputs: { result } };
    },
  });

export const randomUuid = uuid(randomUUID);
export const randomUuid7 = uuid(uuid7);

/** RFC 9562: 48 bits of milliseconds, then random bits under the version and variant marks. */
function uuid7(): string {
  const bytes = randomBytes(16);
  bytes.writeUIntBE(Date.now(), 0, 6);
  bytes.writeUInt8((bytes.readUInt8(6) & 0x0f) | 0x70, 6);
  bytes.writeUInt8((bytes.readUInt8(8) & 0x3f) | 0x80, 8);
  return bytes.toString("hex").replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}
