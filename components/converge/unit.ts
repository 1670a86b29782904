import { remote } from "@pulumi/command";
import * as pulumi from "@pulumi/pulumi";
import { shell } from "../formats";
import { convergePath } from "./agent";
import { announce } from "./announce";
import { secretLines, secretsDigest } from "./secrets";
import type { Target } from "./target";
import { initialToken, tokenFor } from "./token";

export interface UnitArgs {
  host: Target;
  /** The unit's name on the host: one for every role that the host has, e.g. `etcd`. */
  role: string;
  /** What the host must look like; see ./text.ts. It names secrets and never holds one. */
  text: pulumi.Input<string>;
  /**
   * First word of the token of a host that does not know the unit yet.
   * @default "install"
   */
  first?: pulumi.Input<string>;
  /** Values of the secrets that the text names. Certificates go here too: they are not known before they are made. */
  secrets?: pulumi.Input<Record<string, pulumi.Input<string>>>;
  /**
   * Whether its data goes with it.
   * @default false
   */
  purge?: boolean;
}

/**
 * One (host, role) as a resource. The text is the plain standard input of one command, so that a preview shows
 * exactly the lines that change; secrets travel in a command of their own.
 */
export function unit(name: string, args: UnitArgs, opts: pulumi.CustomResourceOptions): remote.Command {
  const { host, role } = args;
  const text = pulumi.output(args.text);
  const converge = pulumi.interpolate`${host.sudo}${convergePath}`;
  const merged: pulumi.CustomResourceOptions = { ...opts, dependsOn: together(opts.dependsOn, host.ready) };

  let digest: pulumi.Input<string> = "-";
  if (args.secrets) {
    const lines = pulumi.all([text, pulumi.output(args.secrets)]).apply(([t, values]) => secretLines(t, values));
    // The digest tells nothing without its key: it must be readable in a preview.
    digest = pulumi.unsecret(pulumi.all([lines, host.digestKey]).apply(([l, key]) => secretsDigest(l, key)));
    const stored = command(
      `${name}-secrets`,
      {
        connection: host.connection,
        create: pulumi.interpolate`${converge} secrets ${role} ${digest} ${token(host, `${role}.secrets`)}`,
        delete: pulumi.interpolate`${converge} forget ${role}`,
        stdin: pulumi.secret(lines),
      },
      merged,
      host,
    );
    merged.dependsOn = together(merged.dependsOn, stored);
  }
  const create = pulumi.interpolate`${converge} apply ${role} ${digest} ${token(host, role, args.first)}`;
  const made = command(
    name,
    {
      connection: host.connection,
      create,
      delete: pulumi.interpolate`${converge} remove ${role}${args.purge ? " --purge" : ""}`,
      stdin: text,
    },
    merged,
    host,
  );
  announce(made, host, role, create, text);
  return made;
}

/** A remote command of ours: what it prints is progress, and free of secrets (the agent masks them). */
export function command(
  name: string,
  args: remote.CommandArgs,
  opts: pulumi.CustomResourceOptions,
  host: Pick<Target, "commandOptions">,
): remote.Command {
  const made = new remote.Command(
    name,
    { logging: remote.Logging.StdoutAndStderr, addPreviousOutputInEnv: false, ...args },
    { ...opts, ...host.commandOptions },
  );
  if (opts.parent) commands.set(opts.parent, { ...commands.get(opts.parent), [name]: made });
  return made;
}

const commands = new WeakMap<pulumi.Resource, Record<string, remote.Command>>();

/** The commands that a component has made, by name. */
export function commandsOf(component: pulumi.Resource): Record<string, remote.Command> {
  return commands.get(component) ?? {};
}

/** The token of a role, as one word of a command line. */
function token(host: Target, role: string, first?: pulumi.Input<string>): pulumi.Output<string> {
  return pulumi
    .all([host.answer, first])
    .apply(([{ result }, word]) => (result ? shell(tokenFor(role, result, word)) : initialToken));
}

function together(
  dependsOn: pulumi.CustomResourceOptions["dependsOn"],
  another: pulumi.Resource,
): pulumi.Input<pulumi.Input<pulumi.Resource>[]> {
  if (dependsOn === undefined) return [another];
  return Array.isArray(dependsOn)
    ? [another, ...dependsOn]
    : pulumi
        .output(dependsOn as pulumi.Output<pulumi.Resource | pulumi.Resource[]>)
        .apply((given) => [another, ...[given].flat()]);
}
