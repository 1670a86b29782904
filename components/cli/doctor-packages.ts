import { shell } from "../formats";

/** The package source that a host will get. */
export interface WantedSource {
  uri: string;
  /** As in sources.list.d, and the key that signs it. */
  text: string;
  key: string;
}

const sources = "/etc/apt/sources.list.d";
const keyring = "/etc/apt/keyrings/hastack.asc";

/** It stands in the unit `base`; undefined where the host keeps its own sources only. */
export function sourceOf(units: readonly { role: string; text: string }[]): WantedSource | undefined {
  const base = units.find(({ role }) => role === "base")?.text ?? "";
  const text = fileIn(base, `${sources}/hastack.sources`);
  const key = fileIn(base, keyring);
  const uri = /^URIs: (\S+)$/m.exec(text ?? "")?.[1];
  return text && key && uri ? { uri, text, key } : undefined;
}

/** Content of a file in a unit's text (docs/converge.md). */
function fileIn(text: string, path: string): string | undefined {
  const lines = text.split("\n");
  const first = lines.findIndex((line) => line.startsWith(`file "${path}" `) || line.startsWith(`file ${path} `));
  const mark = /<<'([A-Z0-9_]+)'$/.exec(lines[first] ?? "")?.[1];
  if (mark === undefined) return undefined;
  return `${lines.slice(first + 1, lines.indexOf(mark, first)).join("\n")}\n`.replaceAll("@{at}", "@");
}

/**
 * Whether the packages can be installed, from lists in a directory of its own: those of the host stay as they are. Prints
 * `source COMPLAINT` and `package COMPLAINT`.
 */
export function packagesScript(source: WantedSource | undefined, packages: readonly string[]): string {
  return [
    "export LC_ALL=C DEBIAN_FRONTEND=noninteractive",
    "dir=$(mktemp -d)",
    `trap 'rm -rf "$dir"' EXIT`,
    // apt reads lists as a user of its own
    'chmod 755 "$dir"',
    'mkdir -p "$dir/parts" "$dir/lists/partial"',
    `cp ${sources}/*.sources ${sources}/*.list "$dir/parts" 2>/dev/null`,
    ...(source
      ? [
          `printf %s ${shell(source.key)} >"$dir/key.asc"`,
          `printf %s ${shell(source.text)} | sed "s|^Signed-By: .*|Signed-By: $dir/key.asc|" >"$dir/parts/hastack.sources"`,
        ]
      : []),
    "ask() {",
    '  apt-get -q -o "Dir::Etc::SourceParts=$dir/parts" -o "Dir::State::Lists=$dir/lists" -o Dir::Cache::pkgcache= \\',
    "    -o Dir::Cache::srcpkgcache= -o Acquire::Retries=0 -o Acquire::http::Timeout=10 -o Acquire::https::Timeout=10 \\",
    '    -o Debug::NoLocking=1 "$@" 2>&1 || true',
    "}",
    `ask update | sed -n "s|$dir/||g; s/^[EW]: \\(Failed to fetch .*\\|GPG error: .*\\|The repository .*\\)/source \\1/p"`,
    `ask --simulate --yes --no-install-recommends install ${packages.map(shell).join(" ")} |`,
    "  sed -n -e 's/^E: /package /p' -e 's/^ \\([^ ]* : Depends: .*\\)/package \\1/p'",
  ].join("\n");
}
