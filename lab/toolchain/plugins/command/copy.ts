/** CopyToRemote and its deprecated forerunner CopyFile: local files to a host by SFTP, overwritten in place. */
import { randomBytes } from "node:crypto";
import { readdirSync, readFileSync, statSync } from "node:fs";
import { basename, join, posix } from "node:path";
import { type Arguments, type Failure, failures, pick, withDefaults, withSecrets } from "../shared/arguments";
import { changes } from "../shared/diff";
import type { Operation, ResourceType } from "../shared/resource";
import { isArchive, isAsset, type Properties, Unknown, type Value } from "../shared/values";
import { connected, connectionArguments } from "./connection";
import { type RemoteFiles, remoteFiles } from "./remote-files";

const common: Arguments = {
  connection: { kind: { object: connectionArguments }, required: true, secret: true },
  remotePath: { kind: "string", required: true },
};

type Copy = (files: RemoteFiles, inputs: Properties) => Promise<void>;

function copyResource(
  args: Arguments,
  copy: Copy,
  {
    faults = () => [],
    updatable,
  }: { faults?: (inputs: Properties) => Failure[]; updatable: (path: string) => boolean },
): ResourceType {
  const echo = (inputs: Properties) => withSecrets(args, pick(args, inputs));
  const perform = (inputs: Properties, operation: Operation) =>
    connected(inputs.connection as Properties, operation, async (client) => copy(await remoteFiles(client), inputs));
  return {
    check: (inputs) => ({
      inputs: withSecrets(args, withDefaults(args, inputs)),
      failures: [...failures(args, inputs), ...faults(inputs)],
    }),
    diff: ({ inputs: before }, inputs) => ({
      changes: changes(pick(args, before), pick(args, inputs)),
      replaces: ({ property }) => !updatable(property),
    }),
    planCreate: echo,
    async create(inputs, operation) {
      await perform(inputs, operation);
      return { id: randomBytes(4).toString("hex"), outputs: echo(inputs) };
    },
    planUpdate: (_prior, inputs) => echo(inputs),
    async update({ outputs: before }, inputs, operation) {
      // A new connection alone copies nothing.
      const { connection: _old, ...was } = pick(args, before);
      const { connection: _new, ...is } = pick(args, inputs);
      if (changes(was, is).length > 0) await perform(inputs, operation);
      return echo(inputs);
    },
  };
}

export const copyToRemote = copyResource(
  { ...common, source: { kind: "any", required: true }, triggers: { kind: "any" } },
  async (files, { source, remotePath }) => {
    const target = remotePath as string;
    const { text, path } = source as Properties;
    if (typeof text === "string") await copyText(files, text, target);
    else await copyPath(files, path as string, target);
  },
  { faults: ({ source }) => sourceFaults(source), updatable: (property) => property !== "triggers" },
);

export const copyFile = copyResource(
  { ...common, localPath: { kind: "string", required: true }, triggers: { kind: "any" } },
  (files, { localPath, remotePath }) => files.write(remotePath as string, readFileSync(localPath as string)),
  { updatable: () => false },
);

function sourceFaults(source: Value): Failure[] {
  if (source === undefined || source === null || source instanceof Unknown) return [];
  if (isAsset(source)) {
    if (typeof source.path === "string" || typeof source.text === "string") return [];
    return [{ property: "source", reason: "asset must be a path-based file asset or a text asset" }];
  }
  if (isArchive(source)) {
    if (typeof source.path === "string") return [];
    return [{ property: "source", reason: "archive must be a path to a file or directory" }];
  }
  return [{ property: "source", reason: "either asset or archive must be set" }];
}

async function copyText(files: RemoteFiles, text: string, target: string): Promise<void> {
  if ((await files.kindOf(target)) === "directory") {
    throw new Error(`remote path ${target} is a directory; when using a text asset, remotePath must be a file path`);
  }
  await files.makeDirectories(posix.dirname(target));
  await files.write(target, Buffer.from(text, "utf8"));
}

/** A file goes to the path, or into the directory there; a directory goes into it, its contents if it ends in a slash. */
async function copyPath(files: RemoteFiles, source: string, target: string): Promise<void> {
  const there = await files.kindOf(target);
  if (statSync(source).isDirectory()) {
    if (there === "file") throw new Error(`remote path ${target} exists but is not a directory`);
    await files.makeDirectories(target);
    await copyDirectory(files, source, source.endsWith("/") ? target : posix.join(target, basename(source)));
    return;
  }
  if (there === undefined) await files.makeDirectories(posix.dirname(target));
  const path = there === "directory" ? posix.join(target, basename(source)) : target;
  await files.write(path, readFileSync(source));
}

async function copyDirectory(files: RemoteFiles, source: string, target: string): Promise<void> {
  await files.makeDirectories(target);
  for (const name of readdirSync(source)) {
    const [from, to] = [join(source, name), posix.join(target, name)];
    if (statSync(from).isDirectory()) await copyDirectory(files, from, to);
    else await files.write(to, readFileSync(from));
  }
}
