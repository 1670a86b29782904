import { parse } from "yaml";

/** Part of Pulumi's package schema. */
export interface Property {
  $ref?: string;
  type?: string;
  items?: Property;
  description?: string;
}

export interface Described {
  inputProperties?: Record<string, Property>;
  requiredInputs?: string[];
  /** Outputs of a resource, fields of a type. */
  properties?: Record<string, Property>;
  /** Of a type. */
  required?: string[];
  description?: string;
}

export interface Schema {
  resources: Record<string, Described>;
  types: Record<string, Described>;
}

interface Program {
  config: Record<string, unknown>;
  resources: Record<string, { type: string; properties?: Record<string, unknown> }>;
  outputs: Record<string, unknown>;
}

/** What of a program in YAML the schema does not know; empty if the program is right. */
export function unknownTo(schema: Schema, text: string): string[] {
  const { config, resources, outputs } = parse(text) as Program;
  const wrong: string[] = [];
  const described = (name: string) => schema.resources[resources[name]?.type.replace(":", ":index:") ?? ""];

  const fields = (at: string, given: object, known: Record<string, Property> = {}, required: string[] = []) => {
    for (const name of required) if (!(name in given)) wrong.push(`${at}: ${name} is missing`);
    for (const [name, value] of Object.entries(given)) {
      const property = known[name];
      if (property) check(`${at}.${name}`, value, property);
      else wrong.push(`${at}.${name}: there is no such property`);
    }
  };
  const check = (at: string, value: unknown, { $ref = "", type, items }: Property) => {
    const definition = schema.types[$ref.replace("#/types/", "")];
    if (typeof value === "string" && value.startsWith("${")) refer(at, value, $ref);
    else if (definition) fields(at, value as object, definition.properties, definition.required);
    else if (items) for (const one of value as unknown[]) check(at, one, items);
    else if (type !== typeof value) wrong.push(`${at}: is no ${type ?? $ref}`);
  };
  const refer = (at: string, value: string, $ref: string) => {
    const [name = "", output] = value.slice(2, -1).split(".");
    if (name in config) return;
    const known = described(name);
    if (!known) wrong.push(`${at}: there is no ${name}`);
    else if (output && !known.properties?.[output]) wrong.push(`${at}: ${name} has no output ${output}`);
    else if (!output && !$ref.endsWith(resources[name]?.type.replace(":", ":index:") ?? "")) {
      wrong.push(`${at}: ${name} is no ${$ref}`);
    }
  };

  for (const [name, { type, properties = {} }] of Object.entries(resources)) {
    const known = described(name);
    if (known) fields(name, properties, known.inputProperties, known.requiredInputs);
    else wrong.push(`${name}: there is no ${type}`);
  }
  for (const [name, value] of Object.entries(outputs)) refer(`outputs.${name}`, String(value), "");
  return wrong;
}
