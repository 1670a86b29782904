/** CertRequest, SelfSignedCert and LocallySignedCert. */
import { createHash, createPublicKey } from "node:crypto";
import type { SubjectAlternativeNameExtension } from "@peculiar/x509";
import type { Arguments, Failure } from "../shared/arguments";
import { generated } from "../shared/generated";
import type { Properties } from "../shared/values";
import { certificateArguments, certificateOutputs, issue, renewal } from "./issue";
import { algorithmOf, readPrivateKey } from "./private-key";
import { addressFaults, alternativeNames, distinguishedName, subjectArguments } from "./subject";
import { loadX509, pemText, signingAlgorithm, webKeys } from "./x509";

const SUBJECT_ALTERNATIVE_NAME = "2.5.29.17";

/** A key is given either to be kept in state, or (`…Wo`, write-only) to be used and forgotten. */
function keyArguments(name: string): Arguments {
  return {
    [name]: { kind: "string", secret: true },
    [`${name}Wo`]: { kind: "string", secret: true, writeOnly: true },
    [`${name}WoVersion`]: { kind: "integer" },
  };
}

function keyFaults(args: Properties, name: string): Failure[] {
  const given = [name, `${name}Wo`].filter((argument) => args[argument] !== undefined);
  if (given.length === 1) return [];
  const reason = `exactly one of "${name}" and "${name}Wo" must be given, got ${given.length}`;
  return [{ property: name, reason }];
}

function keyFrom(args: Properties, name: string) {
  return readPrivateKey((args[name] ?? args[`${name}Wo`]) as string, name);
}

export const certRequest = generated({
  arguments: { ...keyArguments("privateKeyPem"), ...subjectArguments },
  outputs: { keyAlgorithm: {}, certRequestPem: {} },
  faults: (args) => [...keyFaults(args, "privateKeyPem"), ...addressFaults(args)],
  async generate(args) {
    const x509 = await loadX509();
    const key = keyFrom(args, "privateKeyPem");
    const request = await x509.Pkcs10CertificateRequestGenerator.create({
      name: distinguishedName(x509, args),
      keys: await webKeys(key),
      signingAlgorithm: signingAlgorithm(key),
      extensions: alternativeNames(x509, args, false),
    });
    const certRequestPem = pemText(request);
    const id = createHash("sha1").update(certRequestPem).digest("hex");
    return { id, outputs: { keyAlgorithm: algorithmOf(key), certRequestPem } };
  },
});

export const selfSignedCert = generated({
  arguments: {
    ...keyArguments("privateKeyPem"),
    ...subjectArguments,
    ...certificateArguments,
    setAuthorityKeyId: { kind: "boolean", default: false },
  },
  outputs: { keyAlgorithm: {}, ...certificateOutputs },
  faults: (args) => [...keyFaults(args, "privateKeyPem"), ...addressFaults(args)],
  due: renewal,
  async generate(args) {
    const x509 = await loadX509();
    const key = keyFrom(args, "privateKeyPem");
    const name = distinguishedName(x509, args);
    const subject = {
      name,
      publicKey: (await webKeys(key)).publicKey,
      // With nobody named in the subject, a verifier must not overlook the alternative names.
      alternativeNames: alternativeNames(x509, args, name.toJSON().length === 0),
    };
    const { id, outputs } = await issue(args, subject, { name, key });
    return { id, outputs: { ...outputs, keyAlgorithm: algorithmOf(key) } };
  },
});

export const locallySignedCert = generated({
  arguments: {
    ...keyArguments("caPrivateKeyPem"),
    caCertPem: { kind: "string", required: true },
    certRequestPem: { kind: "string", required: true },
    ...certificateArguments,
  },
  outputs: { caKeyAlgorithm: {}, ...certificateOutputs },
  faults: (args) => keyFaults(args, "caPrivateKeyPem"),
  due: renewal,
  async generate(args) {
    const x509 = await loadX509();
    const key = keyFrom(args, "caPrivateKeyPem");
    const ca = parsed("caCertPem", () => new x509.X509Certificate(args.caCertPem as string));
    const request = parsed("certRequestPem", () => new x509.Pkcs10CertificateRequest(args.certRequestPem as string));
    if (!createPublicKey(key).equals(createPublicKey(args.caCertPem as string))) {
      throw new Error('"caPrivateKeyPem" is not the key of the certificate in "caCertPem"');
    }
    if (!(await request.verify())) throw new Error('"certRequestPem" is not signed by the key it names');
    const asked = request.getExtension(SUBJECT_ALTERNATIVE_NAME) as SubjectAlternativeNameExtension | null;
    const { subjectName } = request;
    const subject = {
      name: subjectName,
      publicKey: request.publicKey,
      alternativeNames: asked
        ? [new x509.SubjectAlternativeNameExtension(asked.names.toJSON(), subjectName.toJSON().length === 0)]
        : [],
    };
    const { id, outputs } = await issue(args, subject, { name: ca.subjectName, key, certificate: ca });
    return { id, outputs: { ...outputs, caKeyAlgorithm: algorithmOf(key) } };
  },
});

function parsed<T>(argument: string, parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    throw new Error(`Failed to parse "${argument}": ${(error as Error).message}`);
  }
}
