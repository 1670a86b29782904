/** A declarative description of a resource's arguments, and the checks and defaults that follow from it. */
import { isObject, type Properties, Secret, Unknown, type Value } from "./values";

export type Kind =
  | "string"
  | "number"
  | "integer"
  | "boolean"
  /** Anything, left as it is. */
  | "any"
  | { listOf: Kind }
  | { mapOf: Kind }
  | { object: Arguments };

export interface Argument {
  kind: Kind;
  required?: boolean;
  /** What an absent argument means. */
  default?: Value;
  /** Secret whatever the program says. */
  secret?: boolean;
  /** Used once and never stored; a change of it alone is not seen. */
  writeOnly?: boolean;
  /** A change of it replaces the resource. */
  replaces?: boolean;
  /** The only values allowed (of each element, for a list). */
  oneOf?: readonly string[];
  minimum?: number;
}

export type Arguments = Readonly<Record<string, Argument>>;

export interface Failure {
  property: string;
  reason: string;
}

/** Everything wrong with the inputs: each failure names the argument, the value and what is expected. */
export function failures(args: Arguments, inputs: Properties, parent = ""): Failure[] {
  return Object.entries(args).flatMap(([name, arg]) => {
    const property = parent ? `${parent}.${name}` : name;
    const value = inputs[name];
    if (value !== undefined && value !== null) return valueFailures(property, arg, arg.kind, value);
    return arg.required ? [{ property, reason: `Missing required argument "${property}"` }] : [];
  });
}

function valueFailures(property: string, arg: Argument, kind: Kind, value: Value): Failure[] {
  if (value instanceof Unknown) return [];
  if (value instanceof Secret) return valueFailures(property, arg, kind, value.value);
  if (typeof kind === "string") {
    const reason = scalarProblem(arg, kind, value);
    return reason ? [{ property, reason: `"${property}" ${reason}` }] : [];
  }
  if ("listOf" in kind) {
    if (!Array.isArray(value)) return [{ property, reason: `"${property}" must be a list` }];
    return value.flatMap((item, i) => valueFailures(`${property}[${i}]`, arg, kind.listOf, item));
  }
  if (!isObject(value)) return [{ property, reason: `"${property}" must be an object` }];
  if ("mapOf" in kind) {
    return Object.entries(value).flatMap(([key, item]) => valueFailures(`${property}.${key}`, arg, kind.mapOf, item));
  }
  return failures(kind.object, value, property);
}

function scalarProblem(arg: Argument, kind: Kind, value: Value): string | undefined {
  if (kind === "any") return undefined;
  const type = kind === "integer" ? "number" : kind;
  // The value is not quoted here: it may be a secret.
  if (typeof value !== type) return `must be a ${kind}, got ${Array.isArray(value) ? "a list" : typeof value}`;
  if (kind === "integer" && !Number.isInteger(value)) return `must be a whole number, got ${value}`;
  if (arg.oneOf && !arg.oneOf.includes(String(value))) {
    return `must be one of ${arg.oneOf.map((v) => JSON.stringify(v)).join(", ")}, got ${JSON.stringify(value)}`;
  }
  if (arg.minimum !== undefined && typeof value === "number" && value < arg.minimum) {
    return `must be at least ${arg.minimum}, got ${value}`;
  }
  return undefined;
}

/** The inputs with absent arguments filled in by their defaults; what is not an argument is dropped. */
export function withDefaults(args: Arguments, inputs: Properties): Properties {
  const result: Properties = {};
  for (const [name, arg] of Object.entries(args)) {
    const given = inputs[name];
    const value = given === undefined || given === null ? arg.default : given;
    if (value === undefined) continue;
    result[name] =
      typeof arg.kind === "object" && "object" in arg.kind && isObject(value)
        ? withDefaults(arg.kind.object, value)
        : value;
  }
  return result;
}

/** Only the named properties, as they are. */
export function pick(names: Readonly<Record<string, unknown>>, properties: Properties): Properties {
  return Object.fromEntries(Object.entries(properties).filter(([name]) => name in names));
}

/** Marks the arguments that are always secret. */
export function withSecrets(args: Arguments, inputs: Properties): Properties {
  return Object.fromEntries(
    Object.entries(inputs).map(([name, value]) => [name, args[name]?.secret ? asSecret(value) : value]),
  );
}

export function asSecret(value: Value): Value {
  return value === undefined || value instanceof Secret ? value : new Secret(value);
}
