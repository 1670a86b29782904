/** Active-passive: hands the service to another site, and takes it back if that fails. See docs/rudesktop.md. */
import { spawnSync } from "node:child_process";
import { parseArgs } from "node:util";
import { type Inventory, readInventory } from "../components/cli/inventory";
import { Wrong } from "../components/cli/wrong";
import { defaultLimits, session, Unreachable } from "../components/converge/ssh";
import { nodesOf, notServedBy, type Sites, siteState, sitesSchema, stateText, unready } from "./site-state";

const help = `usage: npm run switch-site -- [OPTION…] SITE

Hands RuDesktop to the nodes of SITE. The stack must have "scheme: active-passive"; its sites are those that its nodes name.

  1. shows both sites, and who answers at the entry; goes no further unless every node of SITE is ready
  2. sets hastack:rudesktop.activeSite and runs \`pulumi up\`: the balancers send new requests to SITE
  3. drains the site that served: its nginx ends what it has begun (5 seconds), and the devices connect to SITE
  4. asks through the entry until nobody but SITE answers, and shows both sites again
If 2, 3 or 4 fails, the setting is put back and applied. To go back later, run it with the other site's name.

options:
  --stack NAME          the stack; by default the one that is selected
  --config-file FILE    its settings; by default Pulumi.NAME.yaml
  --show                only show both sites, and who answers; no SITE
  --help                this text

exit codes: 0 SITE serves; 1 it does not, and what served before serves; 2 the command line or the stack is wrong;
3 it does not, and going back has failed, too

example: npm run switch-site -- --stack rudesktop south
`;

const setting = "hastack:rudesktop.activeSite";
/** Longest time until nobody but the new site answers. */
const verifySeconds = 30;

/** How the engine is called for the stack that is meant. */
interface Engine {
  stack: string | undefined;
  file: string | undefined;
}

async function main(words: readonly string[]): Promise<number> {
  const { site, show, ...engine } = commandLine(words);
  if (site === undefined && !show) {
    process.stdout.write(help);
    return 0;
  }
  const inventory = readInventory(engine.stack);
  const before = readSites(engine);
  const state = await siteState(before, inventory);
  say(stateText(before, state));
  if (site === undefined) return 0;

  refuse(before, site);
  const reasons = unready(before, state, site);
  if (reasons.length > 0) throw new Wrong(`${site} is not ready, so nothing was changed:\n${list(reasons)}`);
  const old = before.activeSite ?? "";
  if (await hasTaken(site, old, engine, inventory)) return 0;
  if (old === site) return 1;
  say(`== back to ${old}\n`);
  return (await hasTaken(old, site, engine, inventory)) ? 1 : 3;
}

function commandLine(words: readonly string[]): Engine & { site: string | undefined; show: boolean } {
  try {
    const { values, positionals } = parseArgs({
      args: [...words],
      allowPositionals: true,
      options: {
        help: { type: "boolean", short: "h" },
        show: { type: "boolean", default: false },
        stack: { type: "string", short: "s" },
        "config-file": { type: "string" },
      },
    });
    if (positionals.length > 1) throw new Error(`one site at a time, not ${positionals.join(" ")}`);
    if (values.show && positionals.length > 0) throw new Error("--show changes nothing: give it without a site");
    if (!values.help && !values.show && positionals.length === 0) throw new Error("give the site that is to serve");
    const wanted = values.help ? { site: undefined, show: false } : { site: positionals[0], show: values.show };
    return { ...wanted, stack: values.stack, file: values["config-file"] };
  } catch (error) {
    throw new Wrong((error as Error).message);
  }
}

function refuse({ scheme, nodes }: Sites, site: string): void {
  if (scheme !== "active-passive") {
    throw new Wrong(`the stack is ${scheme}: all sites serve; to have one serve, give it scheme: active-passive`);
  }
  const sites = [...new Set(Object.values(nodes).map((node) => node.site))];
  if (!sites.includes(site))
    throw new Wrong(`${JSON.stringify(site)}: there is no such site; give ${sites.join(" or ")}`);
}

/** Has `site` serve and `old` drained; whether that has come true. What went wrong is said. */
async function hasTaken(site: string, old: string, engine: Engine, inventory: Inventory): Promise<boolean> {
  try {
    pulumi(engine, ["config", "set", "--path", setting, site], "ignore");
    say(`== ${setting} is ${site}: pulumi up\n`);
    pulumi(
      engine,
      ["up", "--yes", "--skip-preview", "--suppress-progress", "--suppress-outputs", "--non-interactive"],
      "inherit",
    );
    const sites = readSites(engine);
    const leaving = Object.keys(sites.nodes).filter((node) => !nodesOf(sites, site).includes(node));
    for (const node of leaving) await drain(node, inventory);
    await verified(sites, site, inventory);
    say(`== ${site} serves\n`);
    return true;
  } catch (error) {
    process.stderr.write(`switch-site: ${site} has not taken over from ${old}: ${(error as Error).message}\n`);
    return false;
  }
}

/** A balancer keeps the WebSockets that it has when it is told to lead elsewhere: they end with the node's nginx. */
async function drain(node: string, inventory: Inventory): Promise<void> {
  const connection = inventory.hosts[node];
  if (!connection) return;
  try {
    await session(connection, defaultLimits, (run) => run("systemctl try-restart nginx"));
    say(`== ${node} is drained\n`);
  } catch (error) {
    // A host that is off holds no connection.
    if (!(error instanceof Unreachable)) throw error;
    say(`== ${node} cannot be reached, so there is nothing to drain\n`);
  }
}

/** Shows the state in which nobody but the site answers, or the last one. */
async function verified(sites: Sites, site: string, inventory: Inventory): Promise<void> {
  const deadline = performance.now() + verifySeconds * 1000;
  for (;;) {
    const state = await siteState(sites, inventory);
    const reasons = notServedBy(sites, state, site);
    if (reasons.length > 0 && performance.now() < deadline) {
      await new Promise((resolve) => setTimeout(resolve, 1000));
      continue;
    }
    say(stateText(sites, state));
    if (reasons.length === 0) return;
    throw new Error(`after ${verifySeconds} s it is not ${site} alone that serves:\n${list(reasons)}`);
  }
}

function readSites(engine: Engine): Sites {
  const printed = pulumi({ ...engine, file: undefined }, ["stack", "output", "--json"], "pipe");
  const read = sitesSchema.safeParse((JSON.parse(printed) as Record<string, unknown>).sites);
  if (read.success) return read.data;
  throw new Wrong('the stack has no output "sites": it is none of RuDesktop, or of another version: run `pulumi up`');
}

/** Runs the engine, which has to succeed; what it printed, unless that was shown. */
function pulumi({ stack, file }: Engine, args: readonly string[], stdout: "pipe" | "inherit" | "ignore"): string {
  const which = [...(stack ? ["--stack", stack] : []), ...(file ? ["--config-file", file] : [])];
  const { error, status, ...printed } = spawnSync("pulumi", [...args, ...which], {
    encoding: "utf8",
    maxBuffer: 1 << 28,
    stdio: ["ignore", stdout, "inherit"],
  });
  if (error) throw new Wrong(`pulumi cannot be started (${error.message}): install it, or add it to PATH`);
  if (status !== 0) throw new Error(`pulumi ${args[0]} ended with ${status}`);
  return printed.stdout ?? "";
}

function say(text: string): void {
  process.stdout.write(text);
}

function list(lines: readonly string[]): string {
  return lines.map((line) => `  ${line}`).join("\n");
}

main(process.argv.slice(2)).then(
  (code) => {
    process.exitCode = code;
  },
  (error: Error) => {
    process.stderr.write(`switch-site: ${error.message}\n`);
    process.exitCode = error instanceof Wrong ? 2 : 1;
  },
);
