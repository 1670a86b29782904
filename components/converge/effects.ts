/** What a change of a unit does to services, found by comparing what its host is given before and after. */
import { type Directive, directivesOf } from "./reading";
import { disturbances, onValues } from "./text";

/** What an apply of a unit is given; undefined where it is not known. */
export interface Applied {
  text: string | undefined;
  /** Digest of its secrets. */
  secrets: string | undefined;
  token: string | undefined;
}

/** From harmless to grave; in a `rolling restart` others serve meanwhile. */
export const risks = ["none", "reload", "rolling restart", "restart", "failover", "removal"] as const;
export type Risk = (typeof risks)[number];

export interface Effect {
  action: "starts" | "stops" | "reloads" | "restarts";
  service: string;
  hosts: readonly string[];
  /** How it goes, e.g. `one member at a time`; may be empty. */
  how: string;
  /** Why it is not certain, e.g. `if /etc/etcd/tls/ca.crt changes`; empty when it is. */
  provided: string;
  risk: Risk;
}

/** What the command line of ./unit.ts gives: `… converge apply ROLE SECRETS TOKEN`; undefined when it is another one. */
export function givenBy(create: string): { role: string; secrets: string; token: string } | undefined {
  const [, role = "", secrets = "", quoted = ""] = /\/converge apply (\S+) (\S+) (.*)$/s.exec(create) ?? [];
  return role === "" ? undefined : { role, secrets, token: quoted.replace(/^'(.*)'$/s, "$1") };
}

/** What has drifted, from the token of a unit; undefined when nothing has. */
export function driftOfToken(token: string): string[] | undefined {
  return /^drift:\w+ (.*)$/s.exec(token)?.[1]?.split("; ");
}

/** The effects of an update; of a creation (nothing before), what it starts, and of a deletion, what it stops. */
export function effectsOf(host: string, before: Applied | undefined, after: Applied | undefined): Effect[] {
  if (after && after.text === undefined) return [];
  const change = new Change(before, after);
  const services = change.now.flatMap((directive) => serviceIn(directive) ?? []);
  const dropped = [...change.services.values()].filter(
    ({ name, runs }) => runs && !services.some((service) => service.name === name),
  );
  const found = [
    ...services.flatMap((service) => serviceEffects(change, service)),
    ...dropped.map(({ name }) => effect("stops", name, "restart")),
    ...(before && after ? change.now.flatMap((step) => stepEffects(change, step)) : []),
  ];
  return onlyGravest(found).map((one) => (one.hosts.length > 0 ? one : { ...one, hosts: [host] }));
}

/** One sentence for people, e.g. `restarts etcd on psql1, psql2: one member at a time`. */
export function sentence({ action, service, hosts, how, provided }: Effect): string {
  const verb = provided ? `may ${action.replace(/s$/, "")}` : action;
  return `${verb} ${service} on ${hosts.join(", ")}${how && `: ${how}`}${provided && ` (${provided})`}`;
}

export function gravest(all: readonly Risk[]): Risk {
  return risks[Math.max(0, ...all.map((risk) => risks.indexOf(risk)))] ?? "none";
}

/** That something is another: for certain, or provided that something is so. */
interface Difference {
  provided: string;
}

const certainly: Difference = { provided: "" };

class Change {
  readonly now: readonly Directive[];
  /** The services as they were, by name. */
  readonly services: ReadonlyMap<string, Service>;
  private readonly old: readonly Directive[];
  private readonly thingsBefore: ReadonlyMap<string, string>;
  private readonly things: ReadonlyMap<string, string>;
  private readonly secretsChange: boolean;
  private readonly drift: readonly string[];

  constructor(before: Applied | undefined, after: Applied | undefined) {
    this.old = directivesOf(before?.text ?? "");
    this.now = directivesOf(after?.text ?? "");
    this.services = new Map(this.old.flatMap((directive) => serviceIn(directive) ?? []).map((s) => [s.name, s]));
    this.thingsBefore = thingsIn(this.old);
    this.things = thingsIn(this.now);
    this.secretsChange = before?.secrets !== after?.secrets;
    this.drift = (before?.token !== after?.token && driftOfToken(after?.token ?? "")) || [];
  }

  before({ verb, words }: Directive): Directive | undefined {
    return this.old.find((other) => other.verb === verb && other.words[0] === words[0]);
  }

  /** What the drift run says of a service, e.g. `inactive`. */
  driftOf(service: string): string {
    const name = service.includes(".") ? service : `${service}.service`;
    return this.drift.find((reason) => reason.startsWith(`${name} `))?.slice(name.length + 1) ?? "";
  }

  /**
   * Whether one of the things that a list names is another.
   * @param healed whether it counts that one was changed by hand: the running process may never have read it
   */
  in(list: readonly string[], healed: "counts" | "may count"): Difference | undefined {
    if (list.some((thing) => this.thingsBefore.get(thing) !== this.things.get(thing))) return certainly;
    const drifted = list.filter((thing) => this.drift.some((reason) => reason.startsWith(`${thing} `)));
    if (drifted.length > 0 && healed === "counts") return certainly;
    const secret = list.filter((thing) => this.secretsChange && this.things.get(thing)?.includes("@{secret:"));
    if (secret.length > 0) return { provided: `if the secret in ${secret.join(", ")} is another` };
    if (drifted.length > 0) return { provided: `if it was started since ${drifted.join(", ")} was changed by hand` };
    return undefined;
  }
}

/** What triggers name (docs/converge.md, Services), with what decides whether it is another. */
function thingsIn(directives: readonly Directive[]): Map<string, string> {
  const things = new Map<string, string>();
  for (const { verb, words, body } of directives) {
    const [first = "", second = ""] = words;
    if (verb === "file") things.set(first, words.includes("no-final-newline") ? body.slice(0, -1) : body);
    else if (verb === "link") things.set(first, second);
    else if (verb === "deb") things.set(`package:${first}`, words.join(" "));
    else if (verb === "ensure") things.set(`step:${first}`, body);
    else if (verb === "package") for (const word of words) things.set(`package:${word.split("=")[0]}`, word);
  }
  return things;
}

interface Service {
  name: string;
  runs: boolean;
  restartOn: string[];
  reloadOn: string[];
  /** What its restart is for those whom it serves. */
  restart: { risk: Risk; how: string };
}

const riskOf: Readonly<Record<string, Risk>> = {
  [disturbances.reload]: "reload",
  [disturbances.quiet]: "reload",
  [disturbances.restart]: "rolling restart",
  [disturbances.failover]: "failover",
};

function serviceIn({ verb, words, comments }: Directive): Service | undefined {
  if (verb !== "service") return undefined;
  const list = (keyword: string) => {
    const at = words.indexOf(keyword);
    return at > 0 ? (words[at + 1] ?? "").split(",") : [];
  };
  const [, by = "", how = ""] = /^([a-z ]+): (.*)$/.exec(comments.at(-1) ?? "") ?? [];
  const risk = riskOf[by];
  return {
    name: (words[0] ?? "").replace(/\.service$/, ""),
    runs: words.includes("started"),
    restartOn: list("restart-on"),
    reloadOn: list("reload-on"),
    restart: risk ? { risk, how } : { risk: "restart", how: "" },
  };
}

function serviceEffects(change: Change, { name, runs, restartOn, reloadOn, restart }: Service): Effect[] {
  const before = change.services.get(name);
  if (!runs) return before?.runs ? [effect("stops", name, "restart")] : [];
  if (!before?.runs) return [effect("starts", name, "none")];

  const drift = change.driftOf(name);
  const effects: Effect[] = [];
  if (/^(inactive|failed|activating)/.test(drift)) effects.push(effect("starts", name, "none"));
  // Another list is a reason, too: a service is compared with what it was last started with.
  const sameRestart = restartOn.length === 0 || restartOn.join() === before.restartOn.join();
  const restarts = !sameRestart || drift === "restart pending" ? certainly : change.in(restartOn, "may count");
  if (restarts) {
    effects.push({ ...effect("restarts", name, restart.risk), how: restart.how, provided: restarts.provided });
  }
  const sameReload = reloadOn.length === 0 || reloadOn.join() === before.reloadOn.join();
  const reloads = !sameReload || drift === "reload pending" ? certainly : change.in(reloadOn, "counts");
  if (reloads) effects.push({ ...effect("reloads", name, "reload"), provided: reloads.provided });
  return effects;
}

/** Of a step whose comments say that it restarts or reloads something by itself (`disturbs` of ./text.ts). */
function stepEffects(change: Change, step: Directive): Effect[] {
  return step.comments.flatMap((comment, at) => {
    const said = announcement(comment);
    if (!said) return [];
    const { risk, service, hosts, on, how } = said;
    const old = change.before(step)?.comments ?? [];
    const place = old.findIndex((other) => announcement(other)?.service === service);
    const found =
      on === onValues ? valuesChange(service, old, place, step.comments, at) : change.in(listIn(on), "counts");
    if (!found) return [];
    const one = effect(risk === "reload" ? "reloads" : "restarts", service, risk);
    return [{ ...one, hosts, how, provided: found.provided }];
  });
}

function announcement(comment: string) {
  const [, by = "", service = "", hosts, on = "", how = ""] =
    /^([a-z ]+?) of (\S+)(?: at (\S+))? (on (?:"[^"]*"|\S+)|when one of these changes): (.*)$/.exec(comment) ?? [];
  const risk = riskOf[by];
  return risk && { risk, service, hosts: hosts?.split(",") ?? [], on, how };
}

function listIn(on: string): string[] {
  const list = on.slice("on ".length).replace(/^"(.*)"$/, "$1");
  return list.split(",");
}

function valuesBelow(comments: readonly string[], at: number): Map<string, string> {
  const values = new Map<string, string>();
  for (const comment of comments.slice(at + 1)) {
    const [, name = "", value = ""] = /^ {2}((?:maybe )?\S+) = (.*)$/.exec(comment) ?? [];
    if (name === "") break;
    values.set(name, value);
  }
  return values;
}

/** Whether one of the values is another that stand below the announcement; a text without one has none to compare with. */
function valuesChange(
  service: string,
  commentsBefore: readonly string[],
  before: number,
  comments: readonly string[],
  at: number,
): Difference | undefined {
  if (before < 0) return undefined;
  const [old, now] = [valuesBelow(commentsBefore, before), valuesBelow(comments, at)];
  const changed = [...new Set([...old.keys(), ...now.keys()])].filter((name) => old.get(name) !== now.get(name));
  if (changed.length === 0) return undefined;
  if (changed.some((name) => !name.startsWith("maybe "))) return certainly;
  return {
    provided: `if ${changed.map((name) => name.slice("maybe ".length)).join(", ")} waits for one of ${service}`,
  };
}

function effect(action: Effect["action"], service: string, risk: Risk): Effect {
  return { action, service, hosts: [], how: "", provided: "", risk };
}

/** A restart loads what a reload would, and what is certain needs no doubt beside it. */
function onlyGravest(effects: readonly Effect[]): Effect[] {
  const outdone = (one: Effect) =>
    effects.some(
      (other) =>
        other !== one &&
        other.service === one.service &&
        other.provided === "" &&
        (other.action === "restarts" || other.action === "starts") &&
        (one.action === "reloads" || one.provided !== ""),
    );
  return effects.filter((one) => !outdone(one));
}
