import * as pulumi from "@pulumi/pulumi";
import { probe } from "../converge/probe";
import { type SshConnection, Unreachable } from "../converge/ssh";
import type { Answer } from "../converge/target";
import { initialToken } from "../converge/token";
import { fault } from "../fault";
import { refuse } from "./preflight";

const modes = ["required", "best-effort", "off"] as const;
export type ProbeMode = (typeof modes)[number];

/** The mode from the argument, else from the stack's `hastack:probe`, else `best-effort`. */
export function probeMode(resource: string, given: string | undefined): ProbeMode {
  const mode = given ?? new pulumi.Config("hastack").get("probe") ?? "best-effort";
  if (!(modes as readonly string[]).includes(mode)) {
    throw fault(`${resource}: probe: ${JSON.stringify(mode)}: give one of ${modes.join(", ")}`);
  }
  return mode as ProbeMode;
}

/** Asks the host once for this run. */
export async function ask(resource: string, mode: ProbeMode, connection: SshConnection): Promise<Answer> {
  if (mode === "off") return {};
  try {
    return { result: await probe(connection) };
  } catch (error) {
    if (!(error instanceof Unreachable)) return refuse(`${resource}: the probe failed: ${String(error)}`);
    if (mode === "required") {
      return refuse(
        `${resource}: cannot be asked for drift: ${error.message}. Bring it back, or run with hastack:probe best-effort.`,
      );
    }
    await pulumi.log.warn(`${resource} cannot be asked, its drift is not known: ${error.message}`);
    return {};
  }
}

/**
 * Options for the commands of a host. A command that carries the initial token has no opinion about the one in the
 * state: the host was not asked, so what the state says stays.
 */
export function keepUnknownToken(mode: ProbeMode): pulumi.CustomResourceOptions {
  if (mode === "off") return { ignoreChanges: ["create"] };
  return {
    transforms: [
      async ({ props, opts }) => {
        if (!(await textOf(props.create))?.endsWith(` ${initialToken}`)) return undefined;
        return { props, opts: pulumi.mergeOptions(opts, { ignoreChanges: ["create"] }) };
      },
    ],
  };
}

/**
 * Options for the commands of a host that is lost for good: they stay as the state has them, and go from the state
 * alone. What is lost needs no protection.
 */
export const untouched: pulumi.CustomResourceOptions = { ignoreChanges: ["*"], retainOnDelete: true, protect: false };

/** What stands in a property, which is an output where it depends on another resource; undefined while it is unknown. */
async function textOf(property: unknown): Promise<string | undefined> {
  if (!pulumi.Output.isInstance(property)) return typeof property === "string" ? property : undefined;
  // Not in the SDK's types: `apply` alone cannot tell that nothing will come.
  const output = property as unknown as { isKnown: Promise<boolean>; promise(): Promise<unknown> };
  return (await output.isKnown) ? String(await output.promise()) : undefined;
}
