/** Prints how large an exported state is, and which kinds of resources it is made of: parts.ts FILE */
import { readFileSync } from "node:fs";

interface Resource {
  type: string;
  urn: string;
  inputs?: Record<string, unknown>;
  outputs?: Record<string, unknown>;
}

const text = readFileSync(process.argv[2] ?? "", "utf8");
const { resources } = (JSON.parse(text) as { deployment: { resources: Resource[] } }).deployment;
const sizes = new Map<string, { count: number; bytes: number }>();
for (const resource of resources) {
  add(resource.type, resource);
  const role = /::\w+-\w+-([a-z-]+)$/.exec(resource.urn)?.[1];
  if (resource.type === "command:remote:Command")
    add(`  ${resource.type} of the kind ${role ?? "(a role of its own)"}`, resource);
  for (const [kind, properties] of Object.entries({ inputs: resource.inputs, outputs: resource.outputs })) {
    for (const [name, value] of Object.entries(properties ?? {})) add(`  ${resource.type} ${kind} ${name}`, value);
  }
}
console.log(`${resources.length} resources, ${mib(Buffer.byteLength(text))} MiB; the largest parts:`);
const largest = [...sizes].sort(([, a], [, b]) => b.bytes - a.bytes).slice(0, 12);
for (const [name, { count, bytes }] of largest)
  console.log(`  ${mib(bytes).padStart(7)} MiB in ${count}: ${name.trim()}`);

function add(name: string, value: unknown): void {
  const size = sizes.get(name) ?? { count: 0, bytes: 0 };
  sizes.set(name, { count: size.count + 1, bytes: size.bytes + Buffer.byteLength(JSON.stringify(value)) });
}

function mib(bytes: number): string {
  return (bytes / 1048576).toFixed(2);
}
