/** The files a local command leaves behind, by glob, as assets and as one archive. */
import { createHash } from "node:crypto";
import { lstatSync, readdirSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";
import { ARCHIVE, ASSET, type Properties, SIGNATURE_KEY } from "../shared/values";

export async function collected(dir: string, state: Properties): Promise<Properties> {
  const outputs: Properties = {};
  if (state.assetPaths) outputs.assets = assets(dir, state.assetPaths as string[]);
  if (state.archivePaths) {
    const contents = assets(dir, state.archivePaths as string[]);
    outputs.archive = { [SIGNATURE_KEY]: ARCHIVE, assets: contents, hash: sha256(JSON.stringify(contents)) };
  }
  return outputs;
}

function assets(dir: string, globs: string[]): Properties {
  const rules = globs.map((glob) => ({ exclude: glob.startsWith("!"), matches: pattern(glob.replace(/^!/, "")) }));
  const result: Properties = {};
  for (const path of filesUnder(dir).map((file) => relative(dir, file))) {
    // The last rule that matches decides.
    const rule = rules.findLast(({ matches }) => matches.test(path));
    if (!rule || rule.exclude) continue;
    const file = join(dir, path);
    result[path] = { [SIGNATURE_KEY]: ASSET, path: file, hash: sha256(readFileSync(file)) };
  }
  return result;
}

function filesUnder(dir: string): string[] {
  return readdirSync(dir, { recursive: true, encoding: "utf8" })
    .map((path) => join(dir, path))
    .filter((path) => !lstatSync(path).isDirectory())
    .sort();
}

/** `*` stays within a directory, `**` does not; `?`, `[…]`, `[!…]` and `{a,b}` as usual; a backslash takes literally. */
function pattern(glob: string): RegExp {
  const source = glob.replace(/\\.|\*\*|\{[^}]*\}|\[!?[^\]]*\]|[^\w/]/g, (token) => {
    if (token === "**") return ".*";
    if (token === "*") return "[^/]*";
    if (token === "?") return "[^/]";
    if (token.length > 1 && token.startsWith("[")) return token.replace(/^\[!/, "[^");
    if (token.length > 1 && token.startsWith("{")) {
      const alternatives = token.slice(1, -1).split(",");
      return `(?:${alternatives.map((one) => pattern(one).source.slice(1, -1)).join("|")})`;
    }
    return `\\${token.at(-1)}`;
  });
  return new RegExp(`^${source}$`);
}

function sha256(content: string | Buffer): string {
  return createHash("sha256").update(content).digest("hex");
}
