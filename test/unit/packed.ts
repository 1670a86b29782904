import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

export const repository = join(__dirname, "../..");

/** The npm package, built and packed as for a release, in a folder that is gone when the tests end. */
export class PackedPackage {
  readonly folder = mkdtempSync(join(tmpdir(), "hastack-package-"));
  readonly tarball: string;

  constructor() {
    const printed = execFileSync("npm", ["pack", "--silent", "--pack-destination", this.folder], {
      cwd: repository,
      encoding: "utf8",
    });
    this.tarball = join(this.folder, printed.trim().split("\n").at(-1) ?? "");
  }

  /** Paths of the files in it. */
  files(): string[] {
    const listed = execFileSync("tar", ["--list", "--file", this.tarball], { encoding: "utf8" });
    return listed
      .trim()
      .split("\n")
      .map((path) => path.replace(/^package\//, ""));
  }

  /** Installs it into a folder's own node_modules. What it needs comes from npm's cache where that has it. */
  installInto(folder: string): void {
    execFileSync("npm", ["install", "--prefer-offline", "--no-audit", "--no-fund", "--silent", this.tarball], {
      cwd: folder,
      stdio: ["ignore", "ignore", "inherit"],
    });
  }

  /**
   * Lets the engine find the plugin of the package that is installed in a folder by its name on PATH, so that it needs no
   * language host that can start a plugin from its folder.
   *
   * @returns the plugin's program; its folder has to be on PATH
   */
  pluginOnPath(folder: string): string {
    const plugin = join(folder, "bin/pulumi-resource-hastack");
    const main = join(folder, "node_modules/hastack/dist/plugin");
    mkdirSync(join(folder, "bin"));
    writeFileSync(plugin, `#!/bin/sh\nexec '${process.execPath}' '${main}' "$@"\n`, { mode: 0o755 });
    return plugin;
  }

  dispose(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}
