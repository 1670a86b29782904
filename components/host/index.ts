import type { remote, types } from "@pulumi/command";
import * as pulumi from "@pulumi/pulumi";
import * as random from "@pulumi/random";
import { agentVersion } from "../converge/agent";
import type { HostFacts } from "../converge/probe";
import { programRan } from "../converge/program-ran";
import type { Answer, Target } from "../converge/target";
import { initialToken, tokenFor } from "../converge/token";
import { command, commandsOf, unit } from "../converge/unit";
import { type ExtraArgs, extended } from "../extra";
import { shell } from "../formats";
import { Internals } from "../internals";
import { checked } from "../validate";
import { hostSchema, type ResolvedHost } from "./args";
import { ask, keepConnection, keepUnknownToken, type ProbeMode, probeKey, probeMode, untouched } from "./ask";
import { renderHost } from "./config";
import { install, installation } from "./installation";
import { refuse, unsuitable } from "./preflight";

/** A signed Debian package source, e.g. an air-gapped mirror. */
export interface AptSourceArgs {
  /** Where it is, e.g. `https://mirror.example.com/debian`. */
  uri: pulumi.Input<string>;
  /** Suite, e.g. `bookworm`; a path that ends in `/` for a flat repository. */
  suite: pulumi.Input<string>;
  /** Components, e.g. `["main"]`; none for a flat repository. */
  components?: pulumi.Input<pulumi.Input<string>[]>;
  /** The key that signs it: ASCII-armoured OpenPGP public key. */
  key: pulumi.Input<string>;
}

export interface HostArgs {
  /**
   * IPv4 address at which the other hosts reach it; services listen on it.
   * @example "192.168.1.130"
   */
  address: pulumi.Input<string>;
  /**
   * How to reach it over SSH. `host` is the address if not given otherwise; `hostKey` must be pinned
   * (`ssh-keyscan -t ed25519 psql1`); the user is root or may run anything by `sudo -n`.
   */
  connection: pulumi.Input<types.input.remote.ConnectionArgs>;
  /**
   * Accept whatever key the host presents. Whoever answers at the address then gets every secret of this host.
   * @default false
   */
  insecureIgnoreHostKey?: pulumi.Input<boolean>;
  /**
   * Where the host's packages come from, instead of the sources that it has.
   * @default the host's own sources
   */
  apt?: pulumi.Input<AptSourceArgs>;
  /**
   * Memory in MiB that the host's services share: what their defaults are computed from.
   * @default what the host has
   */
  memoryMiB?: pulumi.Input<number>;
  /**
   * Processor cores that the host's services share.
   * @default what the host has
   */
  cores?: pulumi.Input<number>;
  /**
   * Make a user for runs that only look: whoever has its key gets the answer of `converge probe`, whatever command is
   * sent, and no shell, no other command, no forwarding. A preview uses it with `hastack:probeKey`.
   * @default there is none
   */
  probeUser?: pulumi.Input<ProbeUserArgs>;
  /**
   * The machine is lost for good: nothing on it is asked or changed any more, and what stands on it may be taken out of
   * the program although it cannot be removed there. Say so, run `pulumi up`, then take the host out (docs/operations.md).
   * @default false
   */
  gone?: boolean;
  /**
   * Whether a run asks the host first for its facts and for drift: `required` (an unreachable host fails the run),
   * `best-effort` (it is a warning), `off` (only in a preview).
   * @default "best-effort", or what the stack's config says in `hastack:probe`
   */
  probe?: string;
  /** What the component does not foresee: files, lines, scripts around restarts. @default none */
  extra?: ExtraArgs;
}

/** A user whose SSH key can ask a host what differs on it, and nothing else. */
export interface ProbeUserArgs {
  /** The key, as in a `.pub` file, e.g. `ssh-ed25519 AAAA…`. Its other half goes to `hastack:probeKey`. */
  publicKey: pulumi.Input<string>;
  /**
   * The user's name.
   * @default "hastack-probe"
   */
  name?: pulumi.Input<string>;
}

/** What a host is, as far as the configuration of its services depends on it. */
export interface HostTraits {
  memoryMiB: number;
  cores: number;
  /** Operating system: `ID` and `VERSION_ID` of os-release(5), e.g. `debian 12`. */
  os: string;
  /** IPv4 addresses in CIDR notation, by network interface. */
  interfaces: Record<string, string[]>;
}

interface HostInternals extends Target {
  traits: pulumi.Output<HostTraits>;
}

const internals = new Internals<Host, HostInternals>("Host");

/**
 * A Debian or Astra host that is reached over SSH.
 *
 * ```ts
 * const psql1 = new Host("psql1", {
 *   address: "192.168.1.130",
 *   connection: { host: "192.168.1.130", user: "deploy", privateKey: key, hostKey: "ssh-ed25519 AAAA…" },
 * });
 * ```
 *
 * Operations: it installs `/usr/local/lib/hastack/converge`, the program that makes the host what the other components
 * say, and the package source. It starts nothing, opens no port, and changes no account.
 */
export class Host extends pulumi.ComponentResource {
  /** Its name: the resource's name. */
  readonly hostName: string;
  /** Address at which other hosts reach it. */
  readonly address: pulumi.Output<string>;
  constructor(name: string, args: HostArgs, opts?: pulumi.ComponentResourceOptions) {
    // Arguments are not repeated as inputs of the component: they hold secrets, and resources it would wait for.
    super("hastack:index:Host", name, {}, opts);
    const child = { parent: this };
    const resource = `Host ${name}`;
    const { probe, gone = false, extra, ...inputs } = args;
    const mode: ProbeMode = gone ? "off" : probeMode(resource, probe);
    const host = checked(resource, hostSchema, inputs);

    this.hostName = name;
    this.address = pulumi.unsecret(host.apply((h) => h.address));
    const key = gone ? undefined : probeKey(resource);
    const reached = {
      hostName: name,
      // A wrong address or a host that is off must not hold a run for the default of ten times fifteen seconds.
      connection: pulumi.all([host, programRan()]).apply(([h]) => {
        const connection = { dialErrorLimit: 3, perDialTimeout: 10, ...h.connection };
        return connection as types.input.remote.ConnectionArgs;
      }),
      sudo: pulumi.unsecret(host.apply((h) => ((h.connection.user ?? "root") === "root" ? "" : "sudo -n "))),
      digestKey: new random.RandomPassword(`${name}-digest-key`, { length: 64 }, child).result,
      commandOptions: gone ? untouched : keepConnection(keepUnknownToken(mode), key !== undefined),
      answer: pulumi.unsecret(
        pulumi.all([host, key]).apply(async ([h, restrictedKey]) => {
          const answer = await ask(resource, mode, h, restrictedKey);
          const reasons = answer.result ? unsuitable(h, answer.result.facts) : [];
          return reasons.length > 0 ? refuse(`${resource} cannot be used:\n  ${reasons.join("\n  ")}`) : answer;
        }),
      ),
    };

    const agent = command(
      `${name}-agent`,
      {
        connection: reached.connection,
        create: pulumi.interpolate`${reached.sudo}sh -c '${install}' sh ${agentToken(reached.answer)}`,
        stdin: installation(),
      },
      // A preview shows the version in `create`, of a host that was asked; `hastack review` always.
      { ...child, hideDiffs: ["stdin"] },
      reached,
    );
    // The base unit comes after the agent, and all others after the base unit.
    const ready = unit(
      `${name}-base`,
      {
        host: { ...reached, ready: agent },
        role: "base",
        text: extended(resource, extra, pulumi.unsecret(host.apply(renderHost))),
      },
      child,
    );
    const traits = traitsOf(pulumi.unsecret(host), reached.answer, agent.stdout);
    internals.keep(this, { ...reached, ready, traits });
    this.registerOutputs({ address: this.address });
  }

  /** The commands that it is made of, by name. */
  get commands(): Record<string, remote.Command> {
    return commandsOf(this);
  }

  /** @internal The resource after which roles can be put on the host. */
  get ready(): remote.Command {
    return internals.of(this).ready;
  }

  /** @internal */
  get connection(): pulumi.Output<types.input.remote.ConnectionArgs> {
    return internals.of(this).connection;
  }

  /** @internal `sudo -n `, or nothing for root. */
  get sudo(): pulumi.Output<string> {
    return internals.of(this).sudo;
  }

  /** @internal */
  get digestKey(): pulumi.Output<string> {
    return internals.of(this).digestKey;
  }

  /** @internal */
  get answer(): pulumi.Output<Answer> {
    return internals.of(this).answer;
  }

  /** @internal What the defaults of its services depend on. */
  get traits(): pulumi.Output<HostTraits> {
    return internals.of(this).traits;
  }

  /** @internal Options of every command on the host. */
  get commandOptions(): pulumi.CustomResourceOptions {
    return internals.of(this).commandOptions;
  }
}

/** The token of the agent itself: an agent of another version than this library's is drift, too. */
function agentToken(answer: pulumi.Output<Answer>): pulumi.Output<string> {
  return answer.apply(({ result }) => {
    if (!result) return initialToken;
    const own = result.units.agent;
    if (!own || result.agent === agentVersion) return shell(tokenFor("agent", result));
    const drift = [...own.drift, `agent ${result.agent || "missing"} instead of ${agentVersion}`];
    return shell(tokenFor("agent", { ...result, units: { agent: { ...own, drift } } }));
  });
}

/** As declared; else as the probe says; else as the agent's installation said, which is in the stack's state. */
function traitsOf(
  host: pulumi.Output<ResolvedHost>,
  answer: pulumi.Output<Answer>,
  printed: pulumi.Output<string>,
): pulumi.Output<HostTraits> {
  return pulumi.all([host, answer]).apply(([{ memoryMiB, cores }, { result }]) => {
    const found = result ? pulumi.output(traitsIn(result.facts)) : printed.apply(traitsPrinted);
    return found.apply((traits) => ({
      ...traits,
      memoryMiB: memoryMiB ?? traits.memoryMiB,
      cores: cores ?? traits.cores,
    }));
  });
}

function traitsIn(facts: HostFacts): HostTraits {
  return {
    memoryMiB: facts.memory_mib,
    cores: facts.cores,
    os: `${facts.os.id} ${facts.os.version_id}`,
    interfaces: Object.fromEntries(
      facts.interfaces.map(({ name, addresses }) => [name, addresses.filter((address) => !address.includes(":"))]),
    ),
  };
}

function traitsPrinted(text: string): HostTraits {
  const found = (pattern: RegExp): string => {
    const value = pattern.exec(text)?.[1];
    if (value === undefined) throw new Error(`the agent's installation did not print the host's traits: ${text}`);
    return value;
  };
  return {
    memoryMiB: Math.floor(Number(found(/^MemTotal:\s+(\d+) kB$/m)) / 1024),
    cores: Number(found(/^(\d+)$/m)),
    os: `${found(/^ID="?([^"\n]*)/m)} ${found(/^VERSION_ID="?([^"\n]*)/m)}`,
    interfaces: interfacesPrinted(text),
  };
}

/** Lines of `ip -oneline address`: `2: eth0    inet 192.168.1.130/24 brd …`. */
function interfacesPrinted(text: string): Record<string, string[]> {
  const found: Record<string, string[]> = {};
  for (const [, name = "", address = ""] of text.matchAll(/^\d+: ([^\s@]+)\S*\s+inet (\S+)/gm)) {
    found[name] = [...(found[name] ?? []), address];
  }
  return found;
}
