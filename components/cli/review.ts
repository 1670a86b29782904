/** What a change does, from the engine's preview: which hosts, files and services, and how much it disturbs. */
import { type Applied, driftOfToken, type Effect, effectsOf, givenBy, gravest, type Risk } from "../converge/effects";
import { type Directive, directivesOf } from "../converge/reading";
import { versionInstalled } from "../host/installation";
import { lineDiff } from "./line-diff";
import { type Preview, type PreviewStep, partsOf } from "./preview";

/** Something of a unit that changes: a file, a service, a step. */
export interface PartChange {
  /** A path, or the beginning of a directive, e.g. `service etcd`. */
  what: string;
  diff: string[];
}

/** The same change on one or several hosts. */
export interface SharedChange extends PartChange {
  role: string;
  hosts: string[];
}

export interface UnitDrift {
  host: string;
  role: string;
  reasons: string[];
}

/** Another version of `converge`, the program on the hosts. */
export interface ProgramChange {
  from: string;
  to: string;
  hosts: string[];
}

export interface Review {
  /** `PROJECT/STACK`. */
  stack: string;
  risk: Risk;
  /** What is deleted or replaced, in the order of the preview. */
  removals: { op: "delete" | "replace"; type: string; name: string; purge: boolean }[];
  /** The same on several hosts is one. */
  effects: Effect[];
  /** Roles that change, by host. */
  hosts: Record<string, string[]>;
  programs: ProgramChange[];
  changes: SharedChange[];
  drift: UnitDrift[];
  /** What changes besides these, e.g. certificates, by type and operation. */
  others: { op: string; type: string; names: string[] }[];
  /** What the engine warns of, and errors. */
  warnings: string[];
}

const unchanged = new Set(["same", "read", "refresh"]);

export function reviewOf({ steps, diagnostics }: Preview): Review {
  const changing = steps.filter(({ op }) => !unchanged.has(op));
  const units = changing.flatMap((step) => unitOf(step) ?? []);
  const removals = removalsIn(changing);
  const effects = merged(units.flatMap(({ host, before, after }) => effectsOf(host, before, after)));
  const risk = gravest([...effects.map((effect) => effect.risk), ...removals.map((): Risk => "removal")]);
  const { project, stack } = partsOf(steps[0]?.urn ?? "");
  const hosts: Record<string, string[]> = {};
  for (const { host, role } of units) hosts[host] = [...(hosts[host] ?? []), role];
  return {
    stack: `${project}/${stack}`,
    risk,
    removals,
    effects,
    hosts,
    programs: programsIn(changing),
    changes: shared(units),
    drift: units.flatMap(driftIn),
    others: othersIn(changing),
    warnings: (diagnostics ?? [])
      .filter(({ severity }) => severity.startsWith("warning") || severity.startsWith("error"))
      .map(({ message }) => message.replaceAll(terminalCodes, "").trim()),
  };
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: this is what colours are made of
const terminalCodes = /<\{%.*?%\}>|\u001b\[[0-9;]*m/g;

/** One unit on one host, before and after; where there is nothing, undefined. */
interface UnitChange {
  host: string;
  role: string;
  before: Applied | undefined;
  after: Applied | undefined;
}

function unitOf({ op, oldState, newState }: PreviewStep): UnitChange | undefined {
  const [before, after] = [op === "create" ? undefined : oldState, op === "delete" ? undefined : newState];
  const given = [before, after].map((state) => givenBy(String(state?.inputs?.create ?? "")));
  const role = given.find((found) => found !== undefined)?.role;
  if (role === undefined) return undefined;
  const host = hostOf((after ?? before)?.dependencies ?? []);
  const applied = (state: typeof before, i: number): Applied | undefined =>
    state ? { text: textIn(state.inputs?.stdin), secrets: given[i]?.secrets, token: given[i]?.token } : undefined;
  return { host, role, before: applied(before, 0), after: applied(after, 1) };
}

/** A value that is not known before another resource is made is no text. */
function textIn(value: unknown): string | undefined {
  return typeof value === "string" && value.endsWith("\nend\n") ? value : undefined;
}

/** Every unit comes after the unit `base` of its host; that one, after the agent. */
function hostOf(dependencies: readonly string[]): string {
  for (const urn of dependencies) {
    const { types, name } = partsOf(urn);
    const [, host] = /^(.*)-(?:base|agent)$/.exec(name) ?? [];
    if (host !== undefined && types.join("$").endsWith("hastack:index:Host$command:remote:Command")) return host;
  }
  return "?";
}

function programOf({ urn, oldState, newState }: PreviewStep): { host: string; from: string; to: string } | undefined {
  const [from, to] = [oldState, newState].map((state) => versionInstalled(String(state?.inputs?.stdin ?? "")));
  const host = partsOf(urn).name.replace(/-agent$/, "");
  return from && to && from !== to ? { host, from, to } : undefined;
}

function programsIn(steps: readonly PreviewStep[]): ProgramChange[] {
  const found = new Map<string, ProgramChange>();
  for (const { host, from, to } of steps.flatMap((step) => programOf(step) ?? [])) {
    const known = found.get(`${from} ${to}`) ?? { from, to, hosts: [] };
    known.hosts.push(host);
    found.set(`${from} ${to}`, known);
  }
  return [...found.values()];
}

/** Equal parts of several hosts stand once. */
function shared(units: readonly UnitChange[]): SharedChange[] {
  const found = new Map<string, SharedChange>();
  for (const { host, role, before, after } of units) {
    if (after && after.text === undefined) continue;
    for (const part of partsChanged(before?.text ?? "", after?.text ?? "")) {
      const key = JSON.stringify([role, part]);
      const known = found.get(key);
      if (known) known.hosts.push(host);
      else found.set(key, { role, hosts: [host], ...part });
    }
  }
  return [...found.values()];
}

function partsChanged(before: string, after: string): PartChange[] {
  const [old, now] = [byName(directivesOf(before)), byName(directivesOf(after))];
  return [...new Set([...now.keys(), ...old.keys()])].flatMap((what) => {
    const diff = lineDiff(old.get(what) ?? [], now.get(what) ?? []);
    return diff.length > 0 ? [{ what, diff }] : [];
  });
}

function byName(directives: readonly Directive[]): Map<string, string[]> {
  const parts = new Map<string, string[]>();
  for (const { verb, words, lines } of directives) {
    const what =
      verb === "file" ? (words[0] ?? "") : [verb, ...(verb === "package" ? [] : words.slice(0, 1))].join(" ");
    parts.set(what, [...(parts.get(what) ?? []), ...lines]);
  }
  return parts;
}

function driftIn({ host, role, before, after }: UnitChange): UnitDrift[] {
  const token = after?.token ?? "";
  if (!before || before.token === token) return [];
  const reasons = driftOfToken(token);
  if (reasons) return [{ host, role, reasons }];
  const installed = /^(install|join|found):/.test(token);
  return installed
    ? [{ host, role, reasons: ["its host does not know it: it was rebuilt, or has lost its state"] }]
    : [];
}

function merged(effects: readonly Effect[]): Effect[] {
  const found = new Map<string, Effect>();
  for (const { hosts, ...rest } of effects) {
    const key = JSON.stringify(rest);
    found.set(key, { ...rest, hosts: [...new Set([...(found.get(key)?.hosts ?? []), ...hosts])] });
  }
  return [...found.values()];
}

/** Certificates are made anew before they expire; that takes nothing away. */
const renewed = new Set(["tls:index/locallySignedCert:LocallySignedCert", "tls:index/certRequest:CertRequest"]);

function removalsIn(steps: readonly PreviewStep[]): Review["removals"] {
  const found = new Map<string, Review["removals"][number]>();
  for (const { op, urn, oldState } of steps) {
    const { types, name } = partsOf(urn);
    const type = types.at(-1) ?? "";
    const replaced = op.includes("replace");
    if ((op !== "delete" && !replaced) || (replaced && renewed.has(type))) continue;
    const purge = String(oldState?.inputs?.delete ?? "").endsWith(" --purge");
    found.set(urn, { op: replaced ? "replace" : "delete", type, name, purge });
  }
  return [...found.values()];
}

function othersIn(steps: readonly PreviewStep[]): Review["others"] {
  const found = new Map<string, Review["others"][number]>();
  for (const step of steps) {
    const { types, name } = partsOf(step.urn);
    const type = types.at(-1) ?? "";
    if (unitOf(step) || programOf(step) || type.startsWith("hastack:") || type === "pulumi:pulumi:Stack") continue;
    const op = step.op.includes("replace") ? "replace" : step.op;
    const known = found.get(`${type} ${op}`) ?? { op, type, names: [] };
    if (!known.names.includes(name)) known.names.push(name);
    found.set(`${type} ${op}`, known);
  }
  return [...found.values()];
}
