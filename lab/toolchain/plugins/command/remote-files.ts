/** The few file operations a copy needs, over SFTP. */
import { posix } from "node:path";
import type { Client, SFTPWrapper } from "ssh2";

const NO_SUCH_FILE = 2;

export interface RemoteFiles {
  kindOf(path: string): Promise<"file" | "directory" | undefined>;
  makeDirectories(path: string): Promise<void>;
  /** Writes over what is there, keeping its mode and owner. */
  write(path: string, content: Buffer): Promise<void>;
}

export async function remoteFiles(client: Client): Promise<RemoteFiles> {
  const sftp = await new Promise<SFTPWrapper>((resolve, reject) =>
    client.sftp((error, channel) => (error ? reject(error) : resolve(channel))),
  );

  const files: RemoteFiles = {
    kindOf: (path) =>
      new Promise((resolve, reject) =>
        sftp.stat(path, (error, stats) => {
          if (!error) resolve(stats.isDirectory() ? "directory" : "file");
          else if ((error as { code?: unknown }).code === NO_SUCH_FILE) resolve(undefined);
          else reject(new Error(`failed to stat remote path ${path}: ${error.message}`));
        }),
      ),

    async makeDirectories(path) {
      const kind = await files.kindOf(path);
      if (kind === "directory") return;
      if (kind === "file") throw new Error(`remote path ${path} exists but is not a directory`);
      const parent = posix.dirname(path);
      if (parent !== path) await files.makeDirectories(parent);
      const failure = await new Promise<Error | null | undefined>((resolve) => sftp.mkdir(path, resolve));
      // Another copy, running at the same time, may have made it first.
      if (failure && (await files.kindOf(path)) !== "directory") {
        throw new Error(`failed to create remote directory ${path}: ${failure.message}`);
      }
    },

    write: (path, content) =>
      new Promise((resolve, reject) =>
        sftp.writeFile(path, content, (error) =>
          error ? reject(new Error(`failed to write remote file ${path}: ${error.message}`)) : resolve(),
        ),
      ),
  };
  return files;
}
