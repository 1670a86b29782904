import { z } from "zod";
import { Wrong } from "./wrong";

const state = z.looseObject({
  inputs: z.record(z.string(), z.unknown()).optional(),
  dependencies: z.array(z.string()).optional(),
});

const schema = z.looseObject({
  steps: z.array(
    z.looseObject({ op: z.string(), urn: z.string(), oldState: state.nullish(), newState: state.nullish() }),
  ),
  diagnostics: z.array(z.looseObject({ message: z.string().default(""), severity: z.string().default("") })).nullish(),
});

/** What `pulumi preview --json` prints; the engine has put `[secret]` in the place of every secret. */
export type Preview = z.output<typeof schema>;
export type PreviewStep = Preview["steps"][number];

export function parsePreview(text: string): Preview {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    throw new Wrong(`this is not the output of \`pulumi preview --json\`: ${(error as Error).message}`);
  }
  const read = schema.safeParse(json);
  if (read.success) return read.data;
  throw new Wrong("this is not the output of `pulumi preview --json`: it has no list of steps");
}

/** `urn:pulumi:STACK::PROJECT::PARENT$TYPE::NAME`. */
export function partsOf(urn: string): { stack: string; project: string; types: string[]; name: string } {
  const [stack = "", project = "", types = "", ...name] = urn.replace(/^urn:pulumi:/, "").split("::");
  return { stack, project, types: types.split("$"), name: name.join("::") };
}
