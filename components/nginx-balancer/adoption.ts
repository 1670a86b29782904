import { readFileSync } from "node:fs";
import { join } from "node:path";
import * as pulumi from "@pulumi/pulumi";
import { described } from "../described";
import type { Host } from "../host";
import { foundBefore, refusedOrAnnounced } from "../host/inspect";
import { filesIn, type Statement, statementsIn } from "./statements";

/** An nginx that was set up by hand. */
export interface FoundNginx {
  /** Why its configuration cannot be read. */
  refused?: string;
  files: readonly string[];
  /** Names of its servers. */
  names: readonly string[];
  /** Ports that others than the host itself connect to. */
  ports: readonly number[];
  /** Where requests are sent: addresses with or without a port, as they stand there. */
  upstreams: readonly string[];
  /** PEM of the certificates that clients see. */
  certificates: readonly string[];
  /** What else it does with requests. */
  rules: readonly string[];
}

/** What the program says about the entry, as far as it matters here; it is known in the first preview. */
export interface Wanted {
  serverNames: readonly string[];
  ports: readonly number[];
  /** Addresses of the upstreams. */
  upstreams: readonly string[];
}

/**
 * Resolves as soon as it is sure that the nginx on the host, if somebody has set one up, may be taken over; it is said what
 * will change. A balancer that is known already is not asked.
 * @param given the certificate that the program gives, PEM
 */
export function adopting(
  resource: string,
  balancer: pulumi.Resource,
  host: Host,
  role: string,
  wanted: pulumi.Output<Wanted>,
  given: pulumi.Input<string> | undefined,
): pulumi.Output<void> {
  const program = readFileSync(join(__dirname, "host", "found"), "utf8");
  const printed = foundBefore(resource, host, role, "sh -s", program);
  return pulumi.all([printed, host.address]).apply(([text, address]) => {
    const found = parseFound(text);
    if (!found) return pulumi.output(undefined);
    return pulumi.all([wanted, given]).apply(async ([w, certificate]) => {
      const names = [...w.serverNames, address];
      const reasons = refusals({ ...w, serverNames: names }, certificate, found);
      await refusedOrAnnounced(resource, balancer, host, reasons, announcement(certificate, found));
      if (found.rules.length > 0) await pulumi.log.warn(lost(host.hostName, found.rules), balancer);
    });
  });
}

/** Directives that the balancer has in its own way, or that serve files of the host itself. */
const replaced =
  /^(listen|server_name|ssl_certificate|ssl_certificate_key|ssl_protocols|ssl_ciphers|ssl_prefer_server_ciphers|ssl_session_\w+|proxy_pass|proxy_set_header|proxy_http_version|proxy_\w+_timeout|proxy_ssl_\w+|root|index|try_files|access_log|error_log)$/;

/** From what host/found prints; undefined where no nginx runs. */
export function parseFound(printed: string): FoundNginx | undefined {
  if (printed.trim() === "") return undefined;
  const refused = /^refused (.*)$/m.exec(printed)?.[1];
  const encoded = [...printed.matchAll(/^certificate \S+ (\S+)$/gm)].map(([, text = ""]) => text);
  const configuration = printed.replace(/^(certificate|refused) .*\n/gm, "");
  const statements = statementsIn(configuration);
  const own = (name: string) => statements.filter(({ words }) => words[0] === name);
  const inServer = statements.filter(({ within }) => within.includes("server"));
  const groups = own("upstream").map(({ words }) => words[1]);
  const servers = own("server").filter(({ within }) => within.at(-1) === "upstream");
  const passes = inServer
    .filter(({ words }) => words[0]?.endsWith("_pass"))
    .map(({ words }) => targetOf(words[1] ?? ""));
  return {
    ...(refused !== undefined && { refused }),
    files: filesIn(configuration),
    names: unique(own("server_name").flatMap(({ words }) => words.slice(1))).filter(
      (name) => !/^(_|localhost|)$/.test(name),
    ),
    ports: unique(own("listen").flatMap(portOf)),
    upstreams: unique([
      ...servers.map(({ words }) => words[1] ?? ""),
      ...passes.filter((target) => !groups.includes(target)),
    ]),
    certificates: encoded.map((text) => Buffer.from(text, "base64").toString("utf8")),
    rules: unique(inServer.flatMap(ruleOf)),
  };
}

/** What stands in `https://NAME:PORT/path`. */
function targetOf(url: string): string {
  return url.replace(/^\w+:\/\//, "").replace(/\/.*$/, "");
}

function portOf({ words: [, where = ""] }: Statement): number[] {
  if (where.startsWith("unix:") || /^(127\.|localhost|\[::1\])/.test(where)) return [];
  const port = /^\d+$/.test(where) ? where : /:(\d+)$/.exec(where)?.[1];
  return [Number(port ?? 80)];
}

function ruleOf({ words }: Statement): string[] {
  const [name = ""] = words;
  if (replaced.test(name) || (name === "location" && words.join(" ") === "location /")) return [];
  return [words.join(" ")];
}

function unique<T>(values: readonly T[]): T[] {
  return [...new Set(values)];
}

/** Why an nginx cannot be taken over, in the words of its operator; empty when it can be. */
export function refusals(wanted: Wanted, certificate: string | undefined, found: FoundNginx): string[] {
  if (found.refused !== undefined)
    return [`nginx does not accept its own configuration: ${found.refused}: mend it first`];
  const strangers = found.names.filter((name) => !wanted.serverNames.some((own) => isNamedBy(name, own)));
  const upstreams = found.upstreams.filter((server) => !wanted.upstreams.includes(server.replace(/:\d+$/, "")));
  const ports = found.ports.filter((port) => port !== 80 && !wanted.ports.includes(port));
  return [
    ...strangers.map(
      (name) =>
        `it serves ${name}, which would be refused: add that to \`serverNames\`, or move it to another host first`,
    ),
    ...upstreams.map(
      (server) =>
        `it sends requests to ${server}, which is none of \`upstreams\`: add it, or take it out of nginx first`,
    ),
    ...ports.map((port) => `it listens on port ${port}, where nobody would answer: take that out of nginx first`),
    ...(found.certificates.length > 0 && certificate === undefined
      ? [
          `its clients trust ${found.certificates.map(described).join(" and ")}, and would see one of the stack's authority: give ` +
            "that and its key as `certificate`, or another one that they trust",
        ]
      : []),
  ];
}

/** Whether a name of nginx's is one of the program's, or the same pattern. */
function isNamedBy(name: string, own: string): boolean {
  if (name === own) return true;
  return own.startsWith("*.") && !name.startsWith(".") && name.endsWith(own.slice(1)) && !/[*~]/.test(name);
}

/** What will become of an nginx, for whoever reviews the preview. */
export function announcement(certificate: string | undefined, found: FoundNginx): string {
  const same = certificate !== undefined && found.certificates.some((pem) => described(pem) === described(certificate));
  return [
    `its nginx is taken over; users' address and names (${found.names.join(", ") || "none"}) stay`,
    `  its configuration is not read any more, and stays where it is: ${found.files.join(", ")}`,
    `  requests went to ${found.upstreams.join(", ") || "nobody"}; from now on to those that are ready, with their certificates verified`,
    ...(certificate === undefined || found.certificates.length === 0
      ? []
      : [
          same
            ? `  clients see the certificate that they know (${described(certificate)})`
            : `  clients see another certificate: ${described(certificate)} instead of ${found.certificates.map(described).join(", ")}`,
        ]),
    "  nginx is restarted once: until it has ended what it was answering, for 5 s at most, it accepts no connection",
  ].join("\n");
}

function lost(host: string, rules: readonly string[]): string {
  return (
    `${host}: not carried over from its nginx: ${rules.join("; ")}. What is still wanted belongs into \`serverExtra\` or an argument ` +
    "of its own"
  );
}
