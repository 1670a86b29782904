import { BlockList } from "node:net";
import { probe } from "../converge/probe";
import { AnotherHostKey, LoginRefused, type SshConnection, Unreachable } from "../converge/ssh";
import { openings } from "../firewall/table";
import { clockSkew } from "../host/preflight";
import { type Check, type Diagnosis, fail, ok } from "./check";
import { hostChecks, type Peer } from "./doctor-host";
import { machineChecks, programOf } from "./doctor-machine";
import { type RehearsedHost, rehearse } from "./rehearsal";

/** Looks at everything that the first `up` of a stack needs, on this machine and on all hosts at once; changes nothing. */
export async function diagnose(
  stack: string | undefined,
  configFile: string | undefined,
  progress: (text: string) => void,
): Promise<Diagnosis> {
  const program = programOf(stack, configFile);
  progress(`running the program of the stack ${program.stack}, with nothing behind it`);
  const { hosts, providers, complaints } = await rehearse(program, (connection: SshConnection) => {
    progress(`asking ${connection.host}`);
    return probe(connection);
  });
  progress(`looking at ${hosts.length} hosts: ports, packages, network, addresses`);
  const clocks = clockChecks(hosts);
  const checks = await Promise.all(
    hosts.map(async (host): Promise<[string, Check[]]> => {
      try {
        return [host.name, [...(await hostChecks(host, peersOf(host, hosts))), ...(clocks[host.name] ?? [])]];
      } catch (error) {
        const cure = "look at the host, then ask again";
        return [host.name, [fail("connection", `it broke off: ${(error as Error).message}`, cure)]];
      }
    }),
  );
  return { machine: machineChecks(program, providers, complaints), hosts: Object.fromEntries(checks) };
}

/** Each clock against the middle one, this machine's among them: where one is wrong, that one is named. */
function clockChecks(hosts: readonly RehearsedHost[]): Record<string, Check[]> {
  const asked = hosts.flatMap(({ name, answer }) =>
    answer instanceof Error ? [] : [{ name, offset: answer.clockOffset }],
  );
  const sorted = [...asked, { name: "this machine", offset: 0 }].sort((a, b) => a.offset - b.offset);
  const middle = sorted[sorted.length >> 1];
  return Object.fromEntries(
    asked.map(({ name, offset }) => {
      const apart = middle && clockSkew({ [middle.name]: middle.offset, [name]: offset });
      const [says = "", cure = ""] = apart?.split(/(?<=\.) (?=Set up)/) ?? [];
      return [name, [apart ? fail("clock", says, cure) : ok("clock", "agrees with those of the others")]];
    }),
  );
}

/**
 * What the firewalls of the other hosts will let this one reach: just that it needs to reach. A host that does not answer
 * at all is told of once, and not by each that needs it.
 */
function peersOf(host: RehearsedHost, hosts: readonly RehearsedHost[]): Peer[] {
  return hosts
    .filter((other) => other !== host && !isSilent(other))
    .flatMap((other): Peer[] => {
      const ports = other.units
        .filter(({ role }) => role.endsWith("-firewall"))
        .flatMap(({ text }) => openings(text))
        .filter(({ from }) => includes(from, host.address))
        .flatMap((opening) => opening.ports);
      return ports.length === 0 ? [] : [{ name: other.name, address: other.address, ports: [...new Set(ports)] }];
    });
}

function isSilent({ answer }: RehearsedHost): boolean {
  const spoke = [AnotherHostKey, LoginRefused].some((kind) => answer instanceof kind);
  return answer instanceof Unreachable && !spoke;
}

function includes(networks: readonly string[], address: string): boolean {
  const list = new BlockList();
  for (const network of networks) {
    const [base = "", prefix = "32"] = network.split("/");
    list.addSubnet(base, Number(prefix), "ipv4");
  }
  return list.check(address);
}
