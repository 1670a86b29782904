import { spawnSync } from "node:child_process";
import { z } from "zod";
import { inventoryOutput } from "../inventory";
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

const schema = z.object({
  hosts: z.record(z.string(), connection),
  clusters: z.array(z.object({ scope: z.string(), members: z.array(z.string()) })),
  virtualIps: z.array(z.object({ address: z.string(), hosts: z.array(z.string()) })),
});

/** What a stack says of itself: its hosts and how they are reached, its clusters, its virtual addresses. */
export type Inventory = z.output<typeof schema>;

/** Reads the output of the stack; the engine must be on PATH and logged in to the stack's backend. */
export function readInventory(stack: string | undefined): Inventory {
  const args = ["stack", "output", "--json", "--show-secrets", ...(stack ? ["--stack", stack] : [])];
  const { error, status, stdout, stderr } = spawnSync("pulumi", args, { encoding: "utf8", maxBuffer: 1 << 28 });
  if (error) throw new Wrong(`pulumi cannot be started (${error.message}): install it, or add it to PATH`);
  if (status !== 0) throw new Wrong(`pulumi ${args.slice(0, 2).join(" ")}: ${stderr.trim()}`);
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
