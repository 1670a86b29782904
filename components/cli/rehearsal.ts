import { createRequire } from "node:module";
import { extname, join } from "node:path";
import type * as sdk from "@pulumi/pulumi";
import type { HostFacts, ProbeResult } from "../converge/probe";
import type { SshConnection } from "../converge/ssh";
import { inventoryOutput } from "../inventory";

/** A host as the program wants it. */
export interface RehearsedHost {
  name: string;
  connection: SshConnection;
  /** Address at which other hosts reach it. */
  address: string;
  /** What it answered when it was asked, or why it did not. */
  answer: ProbeResult | Error;
  /** What would be applied on it. */
  units: { role: string; text: string }[];
}

export interface Rehearsal {
  hosts: RehearsedHost[];
  /** First words of its resources' types: providers, e.g. `command`, and libraries of components. */
  providers: string[];
  /** Why the program did not come to its end, as its author is told by the engine. */
  complaints: string[];
}

export interface Program {
  /** Folder of Pulumi.yaml. */
  directory: string;
  /** What the engine would start, relative to it. */
  main: string;
  project: string;
  stack: string;
  /** File of the stack's configuration, and what it says, secrets in clear. */
  configFile: string;
  config: Record<string, string>;
}

/**
 * Runs the program of a stack with nothing behind it: no engine, no provider, no state. What it would put on its hosts is
 * noted, and where it would install itself on a host, the host is asked instead, so that what depends on the host's
 * memory or network is as it will be.
 */
export async function rehearse(
  program: Program,
  ask: (connection: SshConnection) => Promise<ProbeResult>,
): Promise<Rehearsal> {
  const load = createRequire(join(program.directory, "Pulumi.yaml"));
  // The very SDK that the program loads: another copy of it would go for the engine.
  const pulumi = load("@pulumi/pulumi") as typeof sdk;
  const hosts = new Map<string, RehearsedHost>();
  const commands: { connection: SshConnection; role: string; text: string }[] = [];
  const providers = new Set<string>();
  const complaints = new Set<string>();

  const newResource = async ({ type, name, inputs: given }: sdk.runtime.MockResourceArgs) => {
    const inputs = revealed(given) as Record<string, unknown>;
    providers.add(type.split(":")[0] ?? "");
    const { create, stdin, connection } = inputs as { create?: string; stdin?: string; connection?: SshConnection };
    if (type === "command:remote:Command" && connection && / apply agent /.test(create ?? "")) {
      const host = name.replace(/-agent$/, "");
      // Noted first: hosts keep the order of the program, whoever answers first.
      const noted: RehearsedHost = {
        name: host,
        connection,
        address: connection.host,
        answer: new Error("not asked"),
        units: [],
      };
      hosts.set(host, noted);
      const answer = await ask(connection).catch((error: Error) => error);
      noted.answer = answer;
      return { id: name, state: { ...inputs, stdout: traitsPrinted(answer) } };
    }
    const role = /\/converge apply (\S+) /.exec(create ?? "")?.[1];
    if (connection && role && stdin !== undefined) commands.push({ connection, role, text: stdin });
    return { id: name, state: { ...inputs, ...made(type, name) } };
  };
  const noted = (error: unknown) => {
    complaints.add(said(error));
  };
  process.on("unhandledRejection", noted);
  // A preview: no component takes it for a run that changes something.
  await pulumi.runtime.setMocks({ newResource, call: ({ inputs }) => inputs }, program.project, program.stack, true);
  pulumi.runtime.setAllConfig({ ...program.config, "hastack:probe": "off" });
  const addresses: Record<string, string> = {};
  try {
    readTypeScript(load, program.main);
    const outputs = load(join(program.directory, program.main)) as Record<string, unknown> | undefined;
    const inventory = pulumi.output(outputs?.[inventoryOutput]) as sdk.Output<
      { addresses?: Record<string, string> } | undefined
    >;
    inventory.apply((said) => Object.assign(addresses, said?.addresses));
  } catch (error) {
    noted(error);
  }
  // As for the engine, a program is at its end when nothing is left that it waits for.
  await new Promise((resolve) => process.once("beforeExit", resolve));
  process.off("unhandledRejection", noted);

  for (const host of hosts.values()) {
    host.address = addresses[host.name] ?? host.address;
    host.units = commands.filter(({ connection }) => same(connection, host.connection));
  }
  return { hosts: [...hosts.values()], providers: [...providers].sort(), complaints: [...complaints] };
}

/** The SDK reports a failure once more for all that depends on it, with a prefix each time. */
function said(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  return message.replace(/^(error serializing property "[^"]*": |failed to register new resource [^:]*: )+/, "");
}

function same(one: SshConnection, other: SshConnection): boolean {
  return one.host === other.host && (one.port ?? 22) === (other.port ?? 22) && one.proxy?.host === other.proxy?.host;
}

/** As Pulumi's own Node host does it: with the project's TypeScript, if nothing else reads it already. */
function readTypeScript(load: NodeJS.Require, main: string): void {
  if (load.extensions[".ts"] || ![".ts", ""].includes(extname(main))) return;
  const names = load("@pulumi/pulumi/tsutils") as {
    typeScriptRequireStrings(): Record<"tsnodeRequire" | "typescriptRequire", string>;
  };
  const { tsnodeRequire, typescriptRequire } = names.typeScriptRequireStrings();
  (load(tsnodeRequire) as { register(options: object): void }).register({
    compiler: typescriptRequire,
    transpileOnly: true,
  });
}

/** What the agent's installation prints of a host; of one that does not answer, something that any program accepts. */
function traitsPrinted(answer: ProbeResult | Error): string {
  const { os, memory_mib, cores, interfaces } = answer instanceof Error ? unknown : answer.facts;
  return [
    `MemTotal: ${memory_mib * 1024} kB`,
    `ID=${os.id}`,
    `VERSION_ID="${os.version_id}"`,
    String(cores),
    ...interfaces.flatMap(({ name, addresses }, i) =>
      addresses
        .filter((address) => !address.includes(":"))
        .map((address) => `${i + 1}: ${name}    inet ${address} scope global ${name}`),
    ),
    "",
  ].join("\n");
}

const unknown: Pick<HostFacts, "os" | "memory_mib" | "cores" | "interfaces"> = {
  os: { id: "debian", version_id: "12", codename: "", pretty: "" },
  memory_mib: 4096,
  cores: 2,
  interfaces: [{ name: "eth0", addresses: ["0.0.0.0/0"] }],
};

/** What providers would compute; none of it reaches a host. */
function made(type: string, name: string): Record<string, unknown> {
  switch (type) {
    case "random:index/randomPassword:RandomPassword":
    case "random:index/randomString:RandomString":
      return { result: `rehearsed-${name}` };
    case "tls:index/privateKey:PrivateKey":
      return {
        privateKeyPem: pem("PRIVATE KEY"),
        privateKeyPemPkcs8: pem("PRIVATE KEY"),
        publicKeyPem: pem("PUBLIC KEY"),
      };
    case "tls:index/certRequest:CertRequest":
      return { certRequestPem: pem("CERTIFICATE REQUEST") };
    case "tls:index/selfSignedCert:SelfSignedCert":
    case "tls:index/locallySignedCert:LocallySignedCert":
      return { certPem: pem("CERTIFICATE") };
    case "command:remote:Command":
    case "command:local:Command":
      return { stdout: "", stderr: "" };
    default:
      return {};
  }
}

/** Something of that form, with nothing in it. */
function pem(label: string): string {
  return `-----BEGIN ${label}-----\nAAAA\n-----END ${label}-----\n`;
}

/** Mark of a secret on the engine's wire (Pulumi, property values). */
const signature = "4dabf18193072939515e22adb298388d";

function revealed(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(revealed);
  if (typeof value !== "object" || value === null) return value;
  if (signature in value && "value" in value) return revealed(value.value);
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, revealed(inner)]));
}
