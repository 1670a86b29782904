/**
 * The unit text: what one (host, role) must look like, written in the language that `converge` reads on the host.
 * Every function returns one directive; `unitText` joins them. The reference of the language is docs/converge.md.
 */

/** Joins directives into a unit's text, closed by `end`: a text cut off on its way is refused. A `# heading` may be given as a plain string. */
export function unitText(...directives: readonly (string | readonly string[])[]): string {
  return `${directives.flat().join("\n")}\nend\n`;
}

/** A comment line: why the following directives are there, for whoever reads the preview or the file on the host. */
export function comment(text: string): string {
  return `# ${text}`;
}

/** Refuses the whole unit, before anything is changed, unless the script exits 0. */
export function requirement(message: string, script: string): string {
  return `require ${quoted(message)} ${heredoc(script)}`;
}

/** Refuses the whole unit if something other than `service` listens on the TCP port. */
export function port(number: number, service: string, purpose: string): string {
  return `port ${number} ${service} ${quoted(purpose)}`;
}

/** Installs Debian packages (`name` or `name=version`); `hold` keeps unattended upgrades away from them. */
export function packages(names: readonly string[], options: { hold?: boolean } = {}): string {
  return words("package", ...names, options.hold && "hold");
}

/** Installs a package from a file: `source` is a path on the host, or an http(s) URL. */
export function packageFile(name: string, version: string, sha256: string, source: string): string {
  return words("deb", name, version, `sha256:${sha256}`, quoted(source));
}

/** The line of `packages` or `packageFile`, carried out by a program of the unit that runs the package manager. */
export function through(program: string, line: string): string {
  return words(line, "through", quoted(program));
}

export interface Ownership {
  /** Octal, four digits. */
  mode: string;
  /** `user:group`. */
  owner: string;
}

export function directory(path: string, { mode, owner }: Ownership): string {
  return words("directory", quoted(path), mode, owner);
}

/** A directory that holds data: kept when the unit is removed, unless it is purged. */
export function dataDirectory(path: string, { mode, owner }: Ownership): string {
  return words("data", quoted(path), mode, owner);
}

/** A directory of what the unit's programs make by themselves: removed with the unit, and all that is in it. */
export function generatedDirectory(path: string, { mode, owner }: Ownership): string {
  return words("generated", quoted(path), mode, owner);
}

export function file(path: string, content: string, { mode, owner }: Ownership): string {
  const flag = content.endsWith("\n") || content === "" ? undefined : "no-final-newline";
  return `${words("file", quoted(path), mode, owner, flag)} ${heredoc(content)}`;
}

export function link(path: string, target: string): string {
  return words("link", quoted(path), quoted(target));
}

export function absent(path: string): string {
  return words("absent", quoted(path));
}

export function user(name: string, options: { system?: boolean; home?: string; shell?: string }): string {
  const { system, home, shell } = options;
  return words("user", name, system && "system", home && `home ${quoted(home)}`, shell && `shell ${quoted(shell)}`);
}

export function sysctl(key: string, value: string | number): string {
  return words("sysctl", key, quoted(String(value)));
}

/**
 * What a change disturbs beyond its files, for whoever reviews it: a comment, which `hastack review` and the preview's
 * announcements read (./effects.ts). The host does not.
 */
export interface Disturbance {
  /** `quiet`: nobody who is served notices the restart; `failover`: with it, what serves moves to another host. */
  by: "reload" | "quiet" | "restart" | "failover";
  /** How it goes, e.g. `one member at a time`. */
  how: string;
}

/** A step that reloads or restarts something by itself. */
export interface StepDisturbance extends Disturbance {
  /** What it restarts, e.g. a service. */
  of: string;
  /** Where. @default on the unit's own host */
  hosts?: readonly string[];
  /** When one of these changes: paths, `package:NAME`; or values, by name. */
  on: readonly string[] | Readonly<Record<string, string>>;
  /** Values of which only the service itself can tell. */
  maybeOn?: Readonly<Record<string, string>>;
}

/** Comment lines above a step. */
export function disturbs({ by, of, hosts = [], on, maybeOn = {}, how }: StepDisturbance): string[] {
  const what = words(disturbances[by], "of", of, hosts.length > 0 && `at ${hosts.join(",")}`);
  const list = Array.isArray(on) ? (on as readonly string[]) : undefined;
  if (list) return [comment(`${what} on ${quoted(list.join(","))}: ${how}`)];
  const values = (named: object, prefix: string) =>
    Object.entries(named).map(([name, value]) =>
      comment(literal(`${prefix}${name} = ${String(value).replaceAll("\n", " ")}`)),
    );
  return [comment(`${what} ${onValues}: ${how}`), ...values(on, "  "), ...values(maybeOn, "  maybe ")];
}

export const disturbances = {
  reload: "reload",
  quiet: "quiet restart",
  restart: "restart",
  failover: "restart with failover",
} as const;
/** Where the values follow, one a line. */
export const onValues = "when one of these changes";

export interface ServiceState {
  enabled?: boolean;
  started?: boolean;
  masked?: boolean;
  /** Restart when one of these files of the unit (or `package:NAME`, `step:NAME`) is other than when it was last started. */
  restartOn?: readonly string[];
  /** Reload when one of these files of the unit is other than when it was last loaded. */
  reloadOn?: readonly string[];
  /** Do not wait until the start is complete: the first member of a cluster waits for the others. */
  noBlock?: boolean;
  /** Script that must exit 0 before a running service is restarted. */
  beforeRestart?: string;
  /** What its restart is for those whom it serves. */
  disturbs?: Disturbance;
  /** Script that must exit 0 after a restart. */
  afterRestart?: string;
}

export function service(name: string, state: ServiceState): string {
  const line = words(
    "service",
    name,
    state.masked && "masked",
    state.enabled !== undefined && (state.enabled ? "enabled" : "disabled"),
    state.started !== undefined && (state.started ? "started" : "stopped"),
    state.restartOn?.length && `restart-on ${quoted(state.restartOn.join(","))}`,
    state.reloadOn?.length && `reload-on ${quoted(state.reloadOn.join(","))}`,
    state.noBlock && "no-block",
    state.beforeRestart && "before-restart",
  );
  return [
    ...(state.disturbs ? [comment(`${disturbances[state.disturbs.by]}: ${state.disturbs.how}`)] : []),
    state.beforeRestart ? `${line} ${heredoc(state.beforeRestart)}` : line,
    ...(state.afterRestart ? [`  after-restart ${heredoc(state.afterRestart)}`] : []),
  ].join("\n");
}

/** A named idempotent step: `fix` runs only while `check` fails, and `check` must pass afterwards. */
export function ensure(name: string, step: { check: string; fix: string; timeout?: number }): string {
  const line = words("ensure", quoted(name), step.timeout !== undefined && `timeout ${step.timeout}`);
  return [line, `  check ${heredoc(step.check)}`, `  do ${heredoc(step.fix)}`].join("\n");
}

/** Waits until the script exits 0; fails after the limit with the script's last output. */
export function waitFor(name: string, seconds: number, script: string): string {
  return `wait ${seconds} ${quoted(name)} ${heredoc(script)}`;
}

/**
 * Text from outside (a name, a password, an extra line of configuration) made safe for file contents and scripts:
 * `@{…}` in it stays what it is instead of naming a secret.
 */
export function literal(text: string): string {
  return text.replaceAll("@{", "@{at}{");
}

function words(...parts: readonly (string | number | false | undefined)[]): string {
  return parts.filter((part) => part !== false && part !== undefined && part !== 0).join(" ");
}

function quoted(word: string): string {
  if (/^[A-Za-z0-9_./:=,+@%-]+$/.test(word)) return word;
  if (/[\n\0]/.test(word)) throw new Error(`a line break cannot be written here: ${JSON.stringify(word)}`);
  return `"${word.replaceAll("\\", "\\\\").replaceAll('"', '\\"')}"`;
}

/** A block of text, behind a mark that is no line of it. */
export function heredoc(content: string): string {
  const lines = new Set(content.split("\n"));
  let end = "EOF";
  for (let n = 2; lines.has(end); n++) end = `EOF${n}`;
  const body = content.endsWith("\n") || content === "" ? content : `${content}\n`;
  return `<<'${end}'\n${body}${end}`;
}
