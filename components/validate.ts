import * as pulumi from "@pulumi/pulumi";
import type { z } from "zod";
import { fault } from "./fault";

/**
 * Checks arguments at the edge. Where all values are there already, bad input throws in the constructor; where some
 * come from other resources, it fails as soon as they are known, before anything that depends on them is touched.
 */
export function checked<S extends z.ZodType>(resource: string, schema: S, args: unknown): pulumi.Output<z.output<S>> {
  const check = (values: unknown) => parse(resource, schema, values);
  if (isPlain(args)) return pulumi.output(check(args) as z.output<S>) as pulumi.Output<z.output<S>>;
  return pulumi.output(args as object).apply(check) as pulumi.Output<z.output<S>>;
}

/** Parses plain values; the error names the resource, the argument, the value and what would be right. */
export function parse<S extends z.ZodType>(resource: string, schema: S, values: unknown): z.output<S> {
  const result = schema.safeParse(values);
  if (result.success) return result.data;
  const lines = result.error.issues.map((issue) => {
    const path = issue.path.map(String).join(".") || "arguments";
    // What is wrong with a name in a record stands one level deeper.
    const message = issue.code === "invalid_key" ? issue.issues[0]?.message : issue.message;
    return `  ${path}: ${shown(at(values, issue.path), issue.path)}: ${message}`;
  });
  throw fault(`${resource}: ${lines.length === 1 ? "an argument is" : "arguments are"} wrong\n${lines.join("\n")}`);
}

function at(values: unknown, path: readonly PropertyKey[]): unknown {
  let found = values;
  for (const key of path) found = (found as Record<PropertyKey, unknown> | undefined)?.[key];
  return found;
}

/** Arguments whose values belong into no message. */
const confidential = /password$|secretKey$|privateKey$|authPass$/i;

function shown(value: unknown, path: readonly PropertyKey[]): string {
  if (value === undefined) return "missing";
  if (value !== "" && confidential.test(String(path.at(-1)))) return "(not shown)";
  const text = JSON.stringify(value) ?? String(value);
  return text.length > 80 ? `${text.slice(0, 77)}…` : text;
}

/** Whether everything in it is known already, and so no secret. */
export function isPlain(value: unknown): boolean {
  if (pulumi.Output.isInstance(value) || value instanceof Promise) return false;
  if (Array.isArray(value)) return value.every(isPlain);
  if (typeof value === "object" && value !== null) return Object.values(value).every(isPlain);
  return true;
}
