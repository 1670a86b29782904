import * as pulumi from "@pulumi/pulumi";
import * as tls from "@pulumi/tls";
import { z } from "zod";
import { Internals } from "../internals";
import { checked } from "../validate";

export interface DataProtectionCertificateArgs {
  /** The certificate of an existing installation, PEM. */
  certificate: pulumi.Input<string>;
  /** Its key, PEM. Secret. */
  privateKey: pulumi.Input<string>;
}

const schema = z.object({
  certificate: z
    .string()
    .regex(/-----BEGIN CERTIFICATE-----[\s\S]+-----END CERTIFICATE-----/, { message: "give a certificate in PEM" }),
  privateKey: z.string().regex(/-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]+-----END [A-Z ]*PRIVATE KEY-----/, {
    message: "give a key in PEM",
  }),
});

const internals = new Internals<DataProtectionCertificate, { existing: boolean }>("DataProtectionCertificate");

/**
 * What WorksPad protects sessions with. All nodes must have the same: with another one a node does not know who is
 * signed in.
 *
 * ```ts
 * const protection = new DataProtectionCertificate("workspad");
 * const existing = new DataProtectionCertificate("workspad", {       // from node 1 of an existing installation
 *   certificate: config.require("certificate"),
 *   privateKey: config.requireSecret("privateKey"),
 * });
 * ```
 *
 * Operations: it is made once and never renewed by itself, for with it everybody is signed out. Its key is in the stack's
 * state only, and on the nodes.
 */
export class DataProtectionCertificate extends pulumi.ComponentResource {
  /** PEM. */
  readonly certificate: pulumi.Output<string>;
  /** PEM. Secret. */
  readonly privateKey: pulumi.Output<string>;

  constructor(name: string, args?: DataProtectionCertificateArgs, opts?: pulumi.ComponentResourceOptions) {
    // Arguments are not repeated as inputs of the component: they hold a secret.
    super("hastack:index:DataProtectionCertificate", name, {}, opts);
    const { certificate, privateKey } = args
      ? pulumi.output(checked(`DataProtectionCertificate ${name}`, schema, args))
      : this.made(name);
    this.certificate = pulumi.unsecret(certificate);
    this.privateKey = pulumi.secret(privateKey);
    internals.keep(this, { existing: args !== undefined });
    this.registerOutputs({ certificate: this.certificate });
  }

  /** @internal Whether it is that of an existing installation. */
  get existing(): boolean {
    return internals.of(this).existing;
  }

  private made(name: string) {
    const child = { parent: this };
    // .NET encrypts keys with RSA certificates only.
    const key = new tls.PrivateKey(`${name}-data-protection-key`, { algorithm: "RSA", rsaBits: 3072 }, child);
    const certificate = new tls.SelfSignedCert(
      `${name}-data-protection`,
      {
        privateKeyPem: key.privateKeyPem,
        subject: { commonName: `${name} data protection` },
        validityPeriodHours: 30 * 365 * 24,
        allowedUses: ["digital_signature", "key_encipherment", "data_encipherment"],
      },
      child,
    );
    return { certificate: certificate.certPem, privateKey: key.privateKeyPemPkcs8 };
  }
}
