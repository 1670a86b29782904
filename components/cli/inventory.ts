import { z } from "zod";
import { inventoryOutput } from "../inventory";
import { engine } from "./engine";
import { Wrong } from "./wrong";

const connection = z.object({
  host: z.string(),
  port: z.number().optional(),
  user: z.string().optional(),
  password: z.string().optional(),
  privateKey: z.string().optional(),
  privateKeyPassword: z.string().optional(),
  agentSocketPath: z.string().optional(),
  hostKey: z.string().optional(),
  get proxy() {
    return connection.optional();
  },
});

const hostNames = z.array(z.string());
const entry = z.object({ address: z.string(), hosts: hostNames });
const node = z.object({ name: z.string(), address: z.string(), port: z.number() });

const schema = z.object({
  hosts: z.record(z.string(), connection),
  addresses: z.record(z.string(), z.string()),
  clusters: z.array(z.object({ scope: z.string(), members: hostNames })),
  virtualIps: z.array(entry),
  balancers: z.array(entry.extend({ nodes: z.array(node) })),
  poolers: z.array(entry),
  caches: z.array(entry),
  quorums: z.array(z.object({ members: hostNames })),
});

/** What a stack says of itself: its hosts and how they are reached, its clusters, its virtual addresses. */
export type Inventory = z.output<typeof schema>;

/** Reads the output of the stack; the engine must be on PATH and logged in to the stack's backend. */
export function readInventory(stack: string | undefined): Inventory {
  const { well, stdout, stderr } = engine(
    "stack",
    "output",
    "--json",
    "--show-secrets",
    ...(stack ? ["--stack", stack] : []),
  );
  if (!well) throw new Wrong(`pulumi stack output: ${stderr}`);
  const outputs = JSON.parse(stdout) as Record<string, unknown>;
  if (!(inventoryOutput in outputs)) {
    throw new Wrong(
      `the stack has no output "${inventoryOutput}": export it (\`export const ${inventoryOutput} = inventory({ hosts, … })\`) and run \`pulumi up\``,
    );
  }
  const read = schema.safeParse(outputs[inventoryOutput]);
  if (read.success) return read.data;
  throw new Wrong(`the stack's output "${inventoryOutput}" is of another version of hastack: run \`pulumi up\``);
}
