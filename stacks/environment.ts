import { readFileSync } from "node:fs";
import { homedir } from "node:os";
import { join, resolve } from "node:path";
import * as pulumi from "@pulumi/pulumi";
import { z } from "zod";
import { Host, type HostArgs } from "../components";
import { fault } from "../components/fault";
import { parse } from "../components/validate";
import { knownHosts } from "./known-hosts";
import { refuseOutsideLab } from "./lab-guard";
import { defined } from "./settings";

/** The part of a stack's configuration that says which machines there are and how they are reached. */
const schema = z.strictObject({
  hosts: z
    .record(
      z
        .string()
        .regex(/^[a-z][a-z0-9-]{0,30}$/, { message: "a host's name has lower-case letters, digits and dashes" }),
      z.strictObject({
        address: z.string({ message: "give the host's IPv4 address" }),
        memoryMiB: z.number().int().optional(),
        cores: z.number().int().optional(),
        gone: z.boolean().optional(),
      }),
    )
    .superRefine((hosts, context) => {
      const taken = new Map<string, string>();
      for (const [name, { address }] of Object.entries(hosts)) {
        const other = taken.get(address);
        if (other) context.addIssue({ code: "custom", path: [name, "address"], message: `is ${other}'s address` });
        taken.set(address, name);
      }
    }),
  ssh: z.strictObject({
    user: z.string().default("root"),
    port: z.number().int().default(22),
    probePublicKey: z.string().optional(),
    privateKeyFile: z.string({ message: "give the path of the private key that opens the hosts" }).optional(),
    knownHostsFile: z.string({
      message:
        "give the path of a file with the hosts' keys: `ssh-keyscan -t ed25519 ADDRESS… > known_hosts`, then check them",
    }),
    bastion: z
      .strictObject({ host: z.string(), user: z.string().default("root"), port: z.number().int().default(22) })
      .optional(),
  }),
  apt: z
    .strictObject({
      uri: z.string(),
      suite: z.string(),
      components: z.array(z.string()).default([]),
      keyFile: z.string({ message: "give the path of the ASCII-armoured key that signs the source" }),
    })
    .optional(),
  lab: z.boolean().default(false),
});

export type Environment = z.output<typeof schema>;

/** The machines of the stack, by name. Everything wrong in the configuration is said before one is touched. */
export function hostsOf(config: pulumi.Config): Record<string, Host> {
  const stack = `stack ${pulumi.getStack()}`;
  const environment = parse(stack, schema, {
    hosts: config.requireObject("hosts"),
    ssh: config.requireObject("ssh"),
    apt: config.getObject("apt"),
    lab: config.getBoolean("lab"),
  });
  if (environment.lab) refuseOutsideLab(stack);
  const { ssh } = environment;
  const keys = knownHosts(readable(stack, "ssh.knownHostsFile", ssh.knownHostsFile));
  const pinned = (where: string, port: number, ...names: string[]): string => {
    const known = names.flatMap((name) => (port === 22 ? [name] : [`[${name}]:${port}`]));
    for (const name of known) {
      const key = keys.get(name);
      if (key) return key;
    }
    throw fault(
      `${stack}: ${where}: ${known[0]} has no key in ${ssh.knownHostsFile}: add it ` +
        `(\`ssh-keyscan -t ed25519 -p ${port} ${names[0]}\`) and check that it is the host's own`,
    );
  };
  const probeUser = ssh.probePublicKey === undefined ? {} : { probeUser: { publicKey: ssh.probePublicKey } };
  const login = {
    // A run with the key of the probe has no other.
    ...(ssh.privateKeyFile &&
      config.getSecret("probeKey") === undefined && {
        privateKey: pulumi.secret(readable(stack, "ssh.privateKeyFile", ssh.privateKeyFile)),
      }),
  };
  const proxy = ssh.bastion && {
    ...ssh.bastion,
    ...login,
    hostKey: pinned("ssh.bastion", ssh.bastion.port, ssh.bastion.host),
  };
  const apt = aptOf(stack, environment);

  return Object.fromEntries(
    Object.entries(environment.hosts).map(([name, { address, memoryMiB, cores, gone }]) => {
      const connection = {
        host: address,
        user: ssh.user,
        port: ssh.port,
        hostKey: pinned(`hosts.${name}`, ssh.port, address, name),
        ...login,
        ...(proxy && { proxy }),
      };
      return [
        name,
        new Host(name, { address, connection, ...apt, ...probeUser, ...defined({ memoryMiB, cores, gone }) }),
      ];
    }),
  );
}

function aptOf(stack: string, { apt }: Environment): Pick<HostArgs, "apt"> {
  if (!apt) return {};
  const { keyFile, ...source } = apt;
  return { apt: { ...source, key: readable(stack, "apt.keyFile", keyFile) } };
}

function readable(stack: string, key: string, file: string): string {
  try {
    return readFileSync(pathOf(file), "utf8");
  } catch (error) {
    throw fault(`${stack}: ${key}: ${file}: cannot be read: ${(error as Error).message}`);
  }
}

/** A path in the configuration: relative to the project, or to the home directory after `~/`. `.lab/` is the running lab. */
function pathOf(file: string): string {
  const lab = process.env.HASTACK_LAB;
  if (lab && file.startsWith(".lab/")) return join(lab, file.slice(".lab/".length));
  return file.startsWith("~/") ? join(homedir(), file.slice(2)) : resolve(__dirname, "..", file);
}
