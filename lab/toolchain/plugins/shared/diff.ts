/** What changed between two sets of properties, in the engine's own terms: one entry a leaf, named by its path. */
import { ARCHIVE, ASSET, isObject, type Properties, SIGNATURE_KEY, type Value } from "./values";

export type ChangeKind = "add" | "delete" | "update";

export interface Change {
  /** e.g. `connection.host`, `triggers[0]`, `environment["A.B"]` */
  path: string;
  /** The top-level property the path lies in. */
  property: string;
  kind: ChangeKind;
}

export function changes(old: Properties, now: Properties): Change[] {
  return childChanges("", old, now).map(({ path, kind }) => ({ path, property: topLevel(path), kind }));
}

type Leaf = Pick<Change, "path" | "kind">;

function childChanges(parent: string, old: Properties, now: Properties): Leaf[] {
  const keys = new Set([...Object.keys(old), ...Object.keys(now)]);
  return [...keys].sort().flatMap((key) => valueChanges(join(parent, key), old[key], now[key]));
}

function valueChanges(path: string, old: Value, now: Value): Leaf[] {
  if (absent(old) && absent(now)) return [];
  if (absent(old)) return [{ path, kind: "add" }];
  if (absent(now)) return [{ path, kind: "delete" }];
  if (Array.isArray(old) && Array.isArray(now)) {
    const length = Math.max(old.length, now.length);
    return Array.from({ length }, (_, i) => valueChanges(`${path}[${i}]`, old[i], now[i])).flat();
  }
  if (isObject(old) && isObject(now)) {
    if (SIGNATURE_KEY in old || SIGNATURE_KEY in now) return sameFile(old, now) ? [] : [{ path, kind: "update" }];
    return childChanges(path, old, now);
  }
  // An unknown value equals nothing: it may turn out to differ.
  return old === now && (typeof old !== "object" || old === null) ? [] : [{ path, kind: "update" }];
}

/** Assets and archives are the same when their contents are, wherever they lie. */
function sameFile(old: Properties, now: Properties): boolean {
  const signature = old[SIGNATURE_KEY];
  const isFile = signature === ASSET || signature === ARCHIVE;
  return isFile && signature === now[SIGNATURE_KEY] && old.hash === now.hash && typeof old.hash === "string";
}

function absent(value: Value): boolean {
  return value === undefined || value === null;
}

function join(parent: string, key: string): string {
  if (!/^[A-Za-z_$][\w$-]*$/.test(key)) return `${parent}[${JSON.stringify(key)}]`;
  return parent ? `${parent}.${key}` : key;
}

function topLevel(path: string): string {
  const quoted = /^\["((?:[^"\\]|\\.)*)"\]/.exec(path);
  if (quoted) return JSON.parse(`"${quoted[1]}"`) as string;
  return path.split(/[.[]/, 1)[0] ?? path;
}
