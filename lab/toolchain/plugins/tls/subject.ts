/** Whom a certificate or request is for: the distinguished name and the alternative names. */
import { isIP } from "node:net";
import type { Extension, Name } from "@peculiar/x509";
import type { Arguments, Failure } from "../shared/arguments";
import type { Properties } from "../shared/values";
import { Unknown } from "../shared/values";
import type { X509 } from "./x509";

export const subjectArguments: Arguments = {
  subject: {
    kind: {
      object: {
        country: { kind: "string" },
        organization: { kind: "string" },
        organizationalUnit: { kind: "string" },
        locality: { kind: "string" },
        province: { kind: "string" },
        streetAddresses: { kind: { listOf: "string" } },
        postalCode: { kind: "string" },
        commonName: { kind: "string" },
        serialNumber: { kind: "string" },
        emailAddress: { kind: "string" },
      },
    },
  },
  dnsNames: { kind: { listOf: "string" } },
  ipAddresses: { kind: { listOf: "string" } },
  uris: { kind: { listOf: "string" } },
};

const EMAIL = "1.2.840.113549.1.9.1";

/** In the order they are written into the certificate. */
const ATTRIBUTES: readonly (readonly [argument: string, oid: string])[] = [
  ["country", "2.5.4.6"],
  ["organization", "2.5.4.10"],
  ["organizationalUnit", "2.5.4.11"],
  ["locality", "2.5.4.7"],
  ["province", "2.5.4.8"],
  ["streetAddresses", "2.5.4.9"],
  ["postalCode", "2.5.4.17"],
  ["commonName", "2.5.4.3"],
  ["serialNumber", "2.5.4.5"],
  ["emailAddress", EMAIL],
];

export function distinguishedName(x509: X509, args: Properties): Name {
  const subject = (args.subject ?? {}) as Properties;
  // As a typed value each text is taken as it is; a bare string would have its quotes and `#` interpreted.
  const typed = (oid: string, text: string) => {
    if (oid === EMAIL) return { ia5String: text };
    return x509.Name.isPrintableString(text) ? { printableString: text } : { utf8String: text };
  };
  const present = ATTRIBUTES.filter(([argument]) => subject[argument] !== undefined && subject[argument] !== null);
  return new x509.Name(
    present.map(([argument, oid]) => ({
      [oid]: ([subject[argument]].flat() as string[]).map((text) => typed(oid, text)),
    })),
  );
}

export function alternativeNames(x509: X509, args: Properties, critical: boolean): Extension[] {
  const of = (argument: string) => (args[argument] ?? []) as string[];
  const names = [
    ...of("dnsNames").map((value) => ({ type: "dns" as const, value })),
    ...of("ipAddresses").map((value) => ({ type: "ip" as const, value })),
    ...of("uris").map((value) => ({ type: "url" as const, value })),
  ];
  return names.length === 0 ? [] : [new x509.SubjectAlternativeNameExtension(names, critical)];
}

export function addressFaults({ ipAddresses }: Properties): Failure[] {
  if (!Array.isArray(ipAddresses)) return [];
  return ipAddresses.flatMap((address, i) => {
    if (address instanceof Unknown || isIP(address as string) !== 0) return [];
    return [{ property: `ipAddresses[${i}]`, reason: `Invalid IP address ${JSON.stringify(address)}` }];
  });
}
