import type { StackValidationPolicy } from "@pulumi/policy";
import { connectionOf, isThere, known, type Seen, textOf } from "./commands";

const privateKey = /-----BEGIN [A-Z ]*PRIVATE KEY-----/;
/** Shorter ones stand in a text by chance. */
const leastLength = 8;

/** Secrets travel in inputs that are for them; anywhere else reviews, logs and states show them. */
export const secretsAreHidden: StackValidationPolicy = {
  name: "secrets-are-hidden",
  description: "No password and no private key stands in an input where previews and logs show it.",
  validateStack: ({ resources }, report) => {
    const secrets = new Map(resources.flatMap((resource) => secretsOf(resource as Seen)));
    for (const resource of resources) {
      for (const [path, text] of openTexts(resource as Seen)) {
        if (privateKey.test(text)) report(`${resource.name}: ${path} holds a private key: ${cure}`, resource.urn);
        for (const [secret, owner] of secrets) {
          if (text.includes(secret))
            report(`${resource.name}: ${path} holds the secret of ${owner}: ${cure}`, resource.urn);
        }
      }
    }
  },
};

const cure = "name it in the text with `secret(…)`, and give its value in `secrets`";

/** Values that are known to be secret, and whose they are. */
function secretsOf(resource: Seen): [string, string][] {
  const properties: Record<string, string[]> = {
    "random:index/randomPassword:RandomPassword": ["result"],
    "tls:index/privateKey:PrivateKey": ["privateKeyPem", "privateKeyPemPkcs8"],
  };
  const connection = connectionOf(resource);
  const found = [
    ...(properties[resource.type] ?? []).map((property) => textOf(resource, property)),
    ...[connection, known(() => connection?.proxy)].flatMap((login) => [
      known(() => login?.privateKey),
      known(() => login?.password),
    ]),
  ];
  return found.filter(isThere).flatMap((secret) => (secret.length < leastLength ? [] : [[secret, resource.name]]));
}

/** The texts of a remote command that are shown; what `converge secrets` reads is where secrets belong. */
function openTexts(resource: Seen): [string, string][] {
  if (!connectionOf(resource)) return [];
  const stores = /converge forget /.test(textOf(resource, "delete"));
  return Object.keys(resource.props)
    .filter((property) => property !== "connection" && !(stores && property === "stdin"))
    .map((property) => [property, known(() => shown(resource.props[property])) ?? ""]);
}

function shown(value: unknown): string {
  return typeof value === "string" ? value : JSON.stringify(value);
}
