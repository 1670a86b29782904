import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import * as pulumi from "@pulumi/pulumi";
import type { z } from "zod";
import { described, fingerprint } from "../described";
import type { Host } from "../host";
import { foundBefore, refusedOrAnnounced } from "../host/inspect";
import type { placesSchema } from "./args";
import type { DataProtectionCertificate } from "./data-protection";

/** A WorksPad that was installed by hand, as host/found says it. */
export interface FoundNode {
  version: string;
  /** Data-protection certificate, PEM. */
  certificate?: string;
  /** Digest of its key. */
  key?: string;
  /** Certificate of the HTTPS port, PEM. */
  server?: string;
  /** Its database by keywords of the connection string, without the password. */
  database: Readonly<Record<string, string>>;
  /** Services of the settings that it does not have. */
  missing: readonly string[];
}

/** Where what is looked at is on the host. */
export interface Places extends z.output<typeof placesSchema> {
  packageName: string;
}

/** What the program says about the node, as far as it matters here. */
interface Given {
  /** Certificate and key that sessions are to be protected with; none where they are made anew. */
  dataProtection: { certificate: string; privateKey: string } | undefined;
  ownServerCertificate: boolean;
}

/**
 * Resolves as soon as it is sure that the WorksPad on the host, if somebody has installed one by hand, may be taken over; it
 * is said what will change. A node that is known already is not asked.
 */
export function adopting(
  resource: string,
  node: pulumi.Resource,
  host: Host,
  places: pulumi.Output<Places>,
  dataProtection: DataProtectionCertificate,
  ownServerCertificate: boolean,
): pulumi.Output<void> {
  const program = readFileSync(join(__dirname, "host", "found"), "utf8");
  const command = places.apply((p) =>
    ["sh -s", p.packageName, p.certificateFile, p.keyFile, p.serverCertificateFile, ...p.services].join(" "),
  );
  const printed = foundBefore(resource, host, "workspad", command, program);
  return pulumi.all([places, printed]).apply(([p, text]) => {
    const found = parseFound(text);
    if (!found) return pulumi.output(undefined);
    // Only now: a certificate that is made in this run is not there in a preview.
    const { existing, certificate, privateKey } = dataProtection;
    return pulumi.all(existing ? [certificate, privateKey] : []).apply(async ([cert, key = ""]) => {
      const protection = cert === undefined ? undefined : { certificate: cert, privateKey: key };
      const wanted = { dataProtection: protection, ownServerCertificate };
      await refusedOrAnnounced(resource, node, host, refusals(p, wanted, found), announcement(wanted, found));
    });
  });
}

/** From the lines of host/found; undefined where WorksPad is not installed. */
export function parseFound(printed: string): FoundNode | undefined {
  const lines = printed.split("\n").map((line) => line.split(" ") as [string, string?]);
  const values = (name: string) => lines.filter(([key]) => key === name).map(([, value = ""]) => value);
  const decoded = (name: string) => values(name).map((value) => Buffer.from(value, "base64").toString("utf8"))[0];
  const [version] = values("package");
  if (version === undefined) return undefined;
  const [certificate, [key], server] = [decoded("certificate"), values("key"), decoded("server")];
  return {
    version,
    ...(certificate !== undefined && { certificate }),
    ...(key !== undefined && { key }),
    ...(server !== undefined && { server }),
    database: keywordsOf(JSON.parse(`"${decoded("settings")?.trim() ?? ""}"`) as string),
    missing: values("missing"),
  };
}

/** Keywords and values of a connection string, without the password. */
function keywordsOf(connectionString: string): Record<string, string> {
  const pairs = connectionString.matchAll(/\s*([^=;]+?)\s*=\s*('(?:[^']|'')*'|"(?:[^"]|"")*"|[^;]*)\s*(?:;|$)/g);
  return Object.fromEntries(
    [...pairs]
      .map(([, name = "", value = ""]) => [name, value])
      .filter(([name = ""]) => !/^(password|pwd|psw)$/i.test(name)),
  );
}

/** Why a node cannot be taken over, in the words of its operator; empty when it can be. */
export function refusals(places: Places, { dataProtection }: Given, found: FoundNode): string[] {
  const where = `${places.certificateFile} and ${places.keyFile}`;
  const reasons = found.missing.map(
    (service) => `it has no service ${service}: give the names that its services have as \`services\``,
  );
  if (found.certificate === undefined) return reasons;
  if (!dataProtection) {
    reasons.push(
      `it has a data-protection certificate (${fingerprint(found.certificate)}), and a new one would be made: everybody would ` +
        `be signed out. Give it and its key, ${where}, as \`dataProtection\``,
    );
  } else if (fingerprint(found.certificate) !== fingerprint(dataProtection.certificate)) {
    reasons.push(
      `its data-protection certificate is ${fingerprint(found.certificate)}, and the one that is given ` +
        `${fingerprint(dataProtection.certificate)}: its users would be signed out. Give what is in ${where}; ` +
        "where nodes have different ones, copy those of the first node to the others before",
    );
  } else if (found.key !== digest(dataProtection.privateKey)) {
    reasons.push(
      `the key of its data-protection certificate is not the one that is given: give what is in ${places.keyFile}`,
    );
  }
  return reasons;
}

/** What will become of a node, for whoever reviews the preview. */
export function announcement({ ownServerCertificate }: Given, found: FoundNode): string {
  const database = Object.entries(found.database).map(([name, value]) => `${name}=${value}`);
  return [
    `its WorksPad ${found.version} is taken over where it is; what is in its settings besides the database stays`,
    found.certificate === undefined
      ? "  it has no data-protection certificate where one is expected: sessions that it has made are lost"
      : `  sessions stay valid: its data-protection certificate is the one that is given (${fingerprint(found.certificate)})`,
    `  its database, now ${database.join(";") || "none that can be read"}: what the program says, over verified TLS`,
    ...(found.server === undefined
      ? []
      : [
          `  the certificate of its HTTPS port (${described(found.server)}): ` +
            (ownServerCertificate ? "replaced by one of the stack's authority; a copy stays" : "stays"),
        ]),
    "  its services are restarted once, one node at a time",
  ].join("\n");
}

function digest(key: string): string {
  return createHash("sha256").update(key.replace(/\s/g, "")).digest("hex");
}
