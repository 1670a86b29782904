import * as pulumi from "@pulumi/pulumi";
import { endingSoon, usualDays } from "../converge/certificates";
import { probe, probeInstalled } from "../converge/probe";
import { type SshConnection, Unreachable } from "../converge/ssh";
import type { Answer } from "../converge/target";
import { initialToken } from "../converge/token";
import { fault } from "../fault";
import { probeUserName, type ResolvedHost } from "./args";
import { refuse } from "./preflight";

const modes = ["required", "best-effort", "off"] as const;
export type ProbeMode = (typeof modes)[number];

/** The mode from the argument, else from the stack's `hastack:probe`, else `best-effort`. */
export function probeMode(resource: string, given: string | undefined): ProbeMode {
  const mode = given ?? new pulumi.Config("hastack").get("probe") ?? "best-effort";
  if (!(modes as readonly string[]).includes(mode)) {
    throw fault(`${resource}: probe: ${JSON.stringify(mode)}: give one of ${modes.join(", ")}`);
  }
  if (mode === "off" && !pulumi.runtime.isDryRun()) {
    // A host that was rebuilt since would get the token in the state, and with it be told again to found its cluster.
    throw fault(
      `${resource}: probe: "off": only for previews, since an update has to know what is on the host: leave it out, or ` +
        "say best-effort (in a test with mocks: setMocks with `preview` true)",
    );
  }
  return mode as ProbeMode;
}

/**
 * The key of a user that may only probe, from the stack's `hastack:probeKey`: in runs that have no other key. Such a run
 * can change nothing, so it has to be a preview.
 */
export function probeKey(resource: string): pulumi.Output<string> | undefined {
  const key = new pulumi.Config("hastack").getSecret("probeKey");
  if (key && !pulumi.runtime.isDryRun()) {
    throw fault(`${resource}: hastack:probeKey: only for previews, since its user can change nothing: leave it out`);
  }
  return key;
}

/** Asks the host once for this run. */
export async function ask(
  resource: string,
  mode: ProbeMode,
  { connection, probeUser }: Pick<ResolvedHost, "connection" | "probeUser">,
  key: string | undefined,
): Promise<Answer> {
  if (mode === "off") return {};
  try {
    const result = await (key ? probeInstalled(restricted(connection, probeUser, key)) : probe(connection));
    const ending = endingSoon(result.certificates ?? [], usualDays, new Date());
    if (ending.length > 0) await pulumi.log.warn(`${resource}: ${ending.map(({ reason }) => reason).join("; ")}`);
    return { result };
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

function restricted(connection: SshConnection, user: ResolvedHost["probeUser"], privateKey: string): SshConnection {
  const { host, port, hostKey, proxy } = connection;
  return { host, port, hostKey, proxy, user: user?.name ?? probeUserName, privateKey };
}

/**
 * Options for the commands of a host. A command that carries the initial token has no opinion about the one in the
 * state: the host was not asked, so what the state says stays.
 */
export function keepUnknownToken(mode: ProbeMode): pulumi.CustomResourceOptions {
  if (mode === "off") return { ignoreChanges: ["create"] };
  // A host that does not answer fails the run, so every token is known; a transform costs a call of the engine for each.
  if (mode === "required") return {};
  return {
    transforms: [
      async ({ props, opts }) => {
        if (!(await textOf(props.create))?.endsWith(` ${initialToken}`)) return undefined;
        return { props, opts: pulumi.mergeOptions(opts, { ignoreChanges: ["create"] }) };
      },
    ],
  };
}

/** The same where the run has no key but that of the probe: how the host is reached otherwise stays as the state has it. */
export function keepConnection(
  options: pulumi.CustomResourceOptions,
  withoutKey: boolean,
): pulumi.CustomResourceOptions {
  return withoutKey ? pulumi.mergeOptions({ ignoreChanges: ["connection"] }, options) : options;
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
