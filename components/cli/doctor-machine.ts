import { createDecipheriv, pbkdf2Sync } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { parse } from "yaml";
import { type Check, fail, ok, warn } from "./check";
import { engine } from "./engine";
import type { Program } from "./rehearsal";
import { Wrong } from "./wrong";

/** The program of the stack, and the stack's configuration, as the engine knows them. */
export function programOf(wanted: string | undefined, configFile: string | undefined): Program {
  const directory = projectDirectory(process.cwd());
  const { name, main, runtime } = parse(readFileSync(join(directory, "Pulumi.yaml"), "utf8")) as {
    name: string;
    main?: string;
    runtime: string | { name: string };
  };
  const language = typeof runtime === "string" ? runtime : runtime.name;
  if (language !== "nodejs") {
    throw new Wrong(
      `${directory}: doctor runs programs in Node.js, this one is for ${language}: \`pulumi preview\` tells what it can`,
    );
  }
  const stack = wanted ?? engine("stack", "--show-name").stdout.trim();
  if (!stack) throw new Wrong("no stack is selected: give --stack NAME, or `pulumi stack select NAME`");
  const where = configFile === undefined ? [] : ["--config-file", configFile];
  const { well, stdout, stderr } = engine("config", "--json", "--show-secrets", "--stack", stack, ...where);
  if (!well) throw new Wrong(`the configuration of the stack ${stack} cannot be read: ${stderr}`);
  const config = Object.entries(JSON.parse(stdout) as Record<string, { value: string }>);
  return {
    directory,
    main: main ?? ".",
    project: name,
    stack,
    configFile: configFile ?? join(directory, `Pulumi.${lastWord(stack)}.yaml`),
    config: Object.fromEntries(config.map(([key, { value }]) => [key, value])),
  };
}

/** `ORGANIZATION/PROJECT/STACK`, or the stack's name alone. */
function lastWord(stack: string): string {
  return stack.split("/").at(-1) ?? stack;
}

function projectDirectory(from: string): string {
  if (existsSync(join(from, "Pulumi.yaml"))) return from;
  const parent = dirname(from);
  if (parent === from) throw new Wrong("there is no Pulumi.yaml here or above: run it in the project of the stack");
  return projectDirectory(parent);
}

/** What `pulumi up` needs on this machine. */
export function machineChecks(program: Program, providers: readonly string[], complaints: readonly string[]): Check[] {
  return [
    ok("engine", `pulumi ${engine("version").stdout.trim()}, Node ${process.versions.node}`),
    backend(program),
    passphrase(program),
    ...plugins(program, providers),
    ...(complaints.length === 0 ? [ok("program", "comes to its end")] : []),
    ...complaints.map((complaint) =>
      fail("program", complaint, "put right what it names, in the stack's configuration or the program"),
    ),
  ];
}

function backend({ stack }: Program): Check {
  const { well, stdout, stderr } = engine("whoami", "--json");
  if (!well) return fail("backend", stderr, "`pulumi login`");
  const { user, url } = JSON.parse(stdout) as { user: string; url: string };
  const stacks = engine("stack", "ls", "--json");
  const known =
    stacks.well &&
    (JSON.parse(stacks.stdout) as { name: string }[]).some(({ name }) => lastWord(name) === lastWord(stack));
  return known
    ? ok("backend", `${url}, as ${user}; the stack ${stack} is there`)
    : fail("backend", `${url} has no stack ${stack}`, `\`pulumi stack init ${stack}\``);
}

/** Where secrets are sealed with a passphrase: whether it is there, and the right one. */
function passphrase({ configFile, stack }: Program): Check {
  const settings = existsSync(configFile)
    ? (parse(readFileSync(configFile, "utf8")) as { encryptionsalt?: string; secretsprovider?: string } | null)
    : null;
  if (!settings?.encryptionsalt) return ok("secrets", settings?.secretsprovider ?? "are the backend's business");
  const { PULUMI_CONFIG_PASSPHRASE: given, PULUMI_CONFIG_PASSPHRASE_FILE: path } = process.env;
  const phrase = given ?? (path && existsSync(path) ? readFileSync(path, "utf8").trim() : undefined);
  if (phrase === undefined) {
    return fail(
      "secrets",
      "they are sealed with a passphrase, which is not set",
      "set PULUMI_CONFIG_PASSPHRASE, or PULUMI_CONFIG_PASSPHRASE_FILE",
    );
  }
  return opens(settings.encryptionsalt, phrase)
    ? ok("secrets", "the passphrase opens them")
    : fail(
        "secrets",
        `the passphrase is not that of the stack ${stack}`,
        "set PULUMI_CONFIG_PASSPHRASE to the one with which the stack was made",
      );
}

/** `v1:SALT:v1:NONCE:SEALED`, all in base64; sealed is a known word (Pulumi, passphrase secrets manager). */
function opens(encryptionSalt: string, phrase: string): boolean {
  const [, salt = "", , nonce = "", sealed = ""] = encryptionSalt.split(":");
  const key = pbkdf2Sync(phrase, Buffer.from(salt, "base64"), 1_000_000, 32, "sha256");
  const bytes = Buffer.from(sealed, "base64");
  const decipher = createDecipheriv("aes-256-gcm", key, Buffer.from(nonce, "base64"));
  decipher.setAuthTag(bytes.subarray(-16));
  try {
    decipher.update(bytes.subarray(0, -16));
    decipher.final();
    return true;
  } catch {
    return false;
  }
}

/** The engine wants each provider in the version of its package. */
function plugins({ directory }: Program, providers: readonly string[]): Check[] {
  const load = createRequire(join(directory, "Pulumi.yaml"));
  const installed = JSON.parse(engine("plugin", "ls", "--json").stdout || "[]") as { name: string; version: string }[];
  const found: string[] = [];
  const absent: Check[] = [];
  for (const name of providers) {
    const version = versionOf(load, name);
    if (version === undefined) continue;
    if (installed.some((plugin) => plugin.name === name && plugin.version === version))
      found.push(`${name} ${version}`);
    else {
      const install = `pulumi plugin install resource ${name} ${version}`;
      absent.push(
        warn(
          "plugins",
          `${name} ${version} is not installed; \`pulumi up\` tries to download it`,
          `\`${install}\`, where there is no way to the internet with --file`,
        ),
      );
    }
  }
  return [...(found.length > 0 ? [ok("plugins", found.join(", "))] : []), ...absent];
}

function versionOf(load: NodeJS.Require, provider: string): string | undefined {
  try {
    const { version, pulumi } = load(`@pulumi/${provider}/package.json`) as {
      version: string;
      pulumi?: { resource?: boolean; version?: string };
    };
    return pulumi?.resource ? (pulumi.version ?? version).replace(/^v/, "") : undefined;
  } catch {
    return undefined; // a library of components
  }
}
