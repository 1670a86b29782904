import { stringify } from "yaml";
import { secret } from "../converge/secrets";
import { literal } from "../converge/text";

/** Stands for a secret in a YAML document. */
class SecretScalar {
  constructor(readonly reference: string) {}
}

export function secretScalar(name: string): SecretScalar {
  return new SecretScalar(secret(name, "yaml"));
}

/** YAML 1.1, which Patroni reads: text is quoted wherever that version could take it for something else. */
export function stringifyYaml(document: unknown): string {
  const references: string[] = [];
  const text = stringify(prepare(document, references), { version: "1.1", lineWidth: 0, aliasDuplicateObjects: false });
  // No text of the document can hold such a mark: `literal` writes its beginning another way.
  return text.replace(/"@\{(\d+)\}"/g, (_, index: string) => references[Number(index)] ?? "");
}

function prepare(value: unknown, references: string[]): unknown {
  if (value instanceof SecretScalar) return `@{${references.push(value.reference) - 1}}`;
  if (typeof value === "string") return literal(value);
  if (Array.isArray(value)) return value.map((item) => prepare(item, references));
  if (typeof value === "object" && value !== null) {
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, prepare(item, references)]));
  }
  return value;
}
