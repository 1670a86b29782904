/** What every stand-in does when the engine starts it: say what it is, serve, and end with the engine. */
import { closeSync, openSync } from "node:fs";
import { join } from "node:path";
import { EngineLog } from "./engine-log";
import type { Plugin } from "./resource";
import { ProviderServer } from "./server";

/** Set when the plugin is bundled: the version of the official plugin it stands in for, from package.json. */
declare const PLUGIN_VERSION: string;

export async function main(contents: Omit<Plugin, "version">): Promise<void> {
  const plugin: Plugin = { ...contents, version: PLUGIN_VERSION };
  // The engine passes its address last, after its logging flags.
  const address = process.argv.slice(2).findLast((argument) => !argument.startsWith("-"));
  const log = new EngineLog(address);
  announce(plugin, log);
  endWithParent();
  const port = await new ProviderServer(plugin, log).listen();
  // The engine reads the first line of stdout as the port.
  process.stdout.write(`${port}\n`);
}

/**
 * The engine shows a plugin's stderr only with `--debug`, so the first start after installation also says it to the
 * user; every start would bury the diagnostics of a run under three notices.
 */
function announce(plugin: Plugin, log: EngineLog): void {
  const notice = `"${plugin.name}" ${plugin.version} is hastack's stand-in for the official plugin, for its lab only.`;
  process.stderr.write(`${notice}\n`);
  if (firstStart()) log.info(notice);
}

function firstStart(): boolean {
  try {
    closeSync(openSync(join(__dirname, "announced"), "wx"));
    return true;
  } catch (error) {
    // Anything but "it exists already" (a read-only directory, say) must not hide the notice.
    return (error as NodeJS.ErrnoException).code !== "EEXIST";
  }
}

/** An engine that is killed cannot end its plugins. */
function endWithParent(): void {
  const parent = process.ppid;
  setInterval(() => process.ppid !== parent && process.exit(0), 2000).unref();
}
