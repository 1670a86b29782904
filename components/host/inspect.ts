import * as pulumi from "@pulumi/pulumi";
import { defaultLimits, type SshConnection, session } from "../converge/ssh";
import type { Host } from ".";
import { probeKey } from "./ask";
import { refuse } from "./preflight";

/**
 * Runs a program on a host that changes nothing there, while nothing has been changed yet; what it printed.
 * @param command reads the program from its standard input, e.g. `python3 -`
 */
export function inspect(resource: string, host: Host, command: string, program: string): pulumi.Output<string> {
  const printed = host.connection.apply(async (connection) => {
    try {
      return await session(connection as SshConnection, defaultLimits, (run) => run(command, { stdin: program }));
    } catch (error) {
      return refuse(`${resource}: ${host.hostName} cannot be looked at before it is taken over: ${String(error)}`);
    }
  });
  return pulumi.unsecret(printed);
}

/** Whether no host knows a unit yet; all of them must answer. */
export function unknownEverywhere(resource: string, hosts: readonly Host[], role: string): pulumi.Output<boolean> {
  return pulumi.all(hosts.map((host) => host.answer)).apply(async (answers) => {
    const silent = hosts.filter((_, i) => !answers[i]?.result).map((host) => host.hostName);
    const known = answers.some(({ result }) => result?.units[role]?.token);
    if (known || silent.length === 0) return !known;
    return refuse(
      `${resource}: ${silent.join(", ")} cannot be asked, so that it is not known what would be taken over: bring it back, ` +
        "or run without hastack:probe off",
    );
  });
}

/**
 * What a host has that was set up by hand: what the program prints where the host answers and has never heard of the role,
 * and else nothing. A run that may only probe cannot look.
 */
export function foundBefore(
  resource: string,
  host: Host,
  role: string,
  command: pulumi.Input<string>,
  program: string,
): pulumi.Output<string> {
  return pulumi.all([host.answer, command]).apply(([{ result }, line]) => {
    // Since a first apply began, what is there is no longer somebody else's.
    const known = !result || role in result.units;
    return known || probeKey(resource) ? pulumi.output("") : inspect(resource, host, line, program);
  });
}

/**
 * Ends the program with the reasons why what a host has cannot be taken over; where there are none, it is said what will
 * become of it.
 */
export async function refusedOrAnnounced(
  resource: string,
  component: pulumi.Resource,
  host: Host,
  reasons: readonly string[],
  announcement: string,
): Promise<void> {
  const lines = reasons.map((reason) => `\n  ${host.hostName}: ${reason}`);
  if (lines.length > 0) return refuse(`${resource} cannot take over what is there:${lines.join("")}`);
  await pulumi.log.info(`${host.hostName}: ${announcement}`, component);
}
