/**
 * Property values as the engine sends them, and their translation to and from plain JavaScript.
 * The engine marks what JSON cannot express by well-known signatures; they are part of Pulumi's wire protocol.
 */
import { Struct } from "google-protobuf/google/protobuf/struct_pb";

/** A value that is not known before the resource that produces it exists (previews only). */
export class Unknown {
  private readonly kind = "unknown";
  toString(): string {
    return this.kind;
  }
}
export const unknown = new Unknown();

/** An output the engine must encrypt in state and hide from the console. */
export class Secret {
  constructor(readonly value: Value) {}
}

export type Value =
  | undefined
  | null
  | boolean
  | number
  | string
  | Unknown
  | Secret
  | Value[]
  | { [key: string]: Value };
export type Properties = { [key: string]: Value };

export const SIGNATURE_KEY = "4dabf18193072939515e22adb298388d";
const SECRET = "1b47061264138c4ac30d75fd1eb44270";
export const ASSET = "c44067f5952c0a294b673a41bacd8c17";
export const ARCHIVE = "0def7320c3a5731c473e5ecbe6d01bc7";

const UNKNOWN_OF_ANY_TYPE = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";
const UNKNOWNS = new Set([
  UNKNOWN_OF_ANY_TYPE,
  "1c4a061d-8072-4f0a-a4cb-0ff528b18fe7", // boolean
  "3eeb2bf0-c639-47a8-9e75-3b44932eb421", // number
  "6a19a0b0-7e62-4c92-b797-7f8e31da9cc2", // array
  "030794c1-ac77-496b-92df-f27374a8bd58", // asset
  "e48ece36-62e2-4504-bad9-02848725956a", // archive
  "dd056dcd-154b-4c76-9bd3-c8f88648b5ff", // object
]);

export function isObject(value: Value): value is Properties {
  return (
    typeof value === "object" &&
    value !== null &&
    !Array.isArray(value) &&
    !(value instanceof Unknown) &&
    !(value instanceof Secret)
  );
}

export function isAsset(value: Value): value is Properties {
  return isObject(value) && value[SIGNATURE_KEY] === ASSET;
}

export function isArchive(value: Value): value is Properties {
  return isObject(value) && value[SIGNATURE_KEY] === ARCHIVE;
}

export function containsUnknown(value: Value): boolean {
  if (value instanceof Unknown) return true;
  if (value instanceof Secret) return containsUnknown(value.value);
  if (Array.isArray(value)) return value.some(containsUnknown);
  return isObject(value) && Object.values(value).some(containsUnknown);
}

/**
 * Secrets are unwrapped: these plugins answer `acceptSecrets: false`, so the engine encrypts an output again
 * whenever the input of the same name was secret, as it does for the official bridged plugins.
 */
export function fromWire(struct: Struct | undefined): Properties {
  return struct ? (plain(struct.toJavaScript() as Value) as Properties) : {};
}

function plain(value: Value): Value {
  if (typeof value === "string") return UNKNOWNS.has(value) ? unknown : value;
  if (Array.isArray(value)) return value.map(plain);
  if (!isObject(value)) return value;
  if (value[SIGNATURE_KEY] === SECRET) return plain(value.value);
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, plain(inner)]));
}

export function toWire(properties: Properties): Struct {
  return Struct.fromJavaScript(marked(properties) as Parameters<typeof Struct.fromJavaScript>[0]);
}

function marked(value: Value): Value {
  if (value instanceof Unknown) return UNKNOWN_OF_ANY_TYPE;
  if (value instanceof Secret) return { [SIGNATURE_KEY]: SECRET, value: marked(value.value) };
  if (Array.isArray(value)) return value.map((item) => marked(item ?? null));
  if (!isObject(value)) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, inner]) => inner !== undefined)
      .map(([key, inner]) => [key, marked(inner)]),
  );
}
