import * as pulumi from "@pulumi/pulumi";
import * as tls from "@pulumi/tls";
import { z } from "zod";
import { Internals } from "../internals";
import { checked, parse } from "../validate";

export interface CertificateAuthorityArgs {
  /**
   * Common name of the authority's own certificate.
   * @default the resource's name
   */
  commonName?: pulumi.Input<string>;
  /**
   * Days for which the authority's certificate is valid.
   * @default 3650
   */
  validityDays?: pulumi.Input<number>;
  /**
   * Days for which a certificate issued by it is valid.
   * @default 365
   */
  certificateDays?: pulumi.Input<number>;
  /**
   * Days before its end at which a certificate is renewed by an ordinary `pulumi up`.
   * @default 30
   */
  renewBeforeDays?: pulumi.Input<number>;
  /**
   * Which generation of the authority issues certificates.
   * @default 1
   */
  issuer?: number;
  /**
   * Which generations are trusted. To change the authority without a break, one `pulumi up` each:
   * `{ issuer: 1, trusted: [1, 2] }`, then `{ issuer: 2, trusted: [1, 2] }`, then `{ issuer: 2, trusted: [2] }`.
   * @default the issuer
   */
  trusted?: number[];
}

/** What a certificate is for (RFC 5280, 4.2.1.12: extended key usage). */
export interface CertificateRequest {
  /** Subject's common name; some programs read a user's name from it. Without it the subject is an organization. */
  commonName?: pulumi.Input<string>;
  /** Addresses that a client may have dialled. */
  ipAddresses?: pulumi.Input<pulumi.Input<string>[]>;
  /** Names that a client may have dialled. */
  dnsNames?: pulumi.Input<pulumi.Input<string>[]>;
  /** It is presented by a server. */
  server?: boolean;
  /** It is presented by a client. */
  client?: boolean;
}

/** A certificate with its own key, both PEM. */
export interface Certificate {
  certificate: pulumi.Output<string>;
  /** PKCS #8, secret. */
  privateKey: pulumi.Output<string>;
}

interface Generation {
  key: tls.PrivateKey;
  root: tls.SelfSignedCert;
}

const generations = z
  .object({ issuer: z.number().int().min(1), trusted: z.array(z.number().int().min(1)) })
  .refine(({ issuer, trusted }) => trusted.includes(issuer), {
    path: ["trusted"],
    message: "the issuer must be trusted too, or no certificate of it is accepted",
  });

const schema = z
  .object({
    validityDays: z.number().int().min(1).default(3650),
    certificateDays: z.number().int().min(1).default(365),
    renewBeforeDays: z.number().int().min(0).default(30),
  })
  .refine((days) => days.renewBeforeDays < days.certificateDays, {
    path: ["renewBeforeDays"],
    message: "a certificate would be renewed as soon as it is made: give less than certificateDays",
  })
  .refine((days) => days.certificateDays <= days.validityDays, {
    path: ["certificateDays"],
    message: "a certificate cannot outlive its authority: give at most validityDays",
  });

type Days = z.output<typeof schema>;

interface AuthorityInternals {
  generations: string;
  issuer: Generation;
  days: pulumi.Output<Days>;
}

const internals = new Internals<CertificateAuthority, AuthorityInternals>("CertificateAuthority");

/**
 * A certificate authority of the stack's own. Every host and role gets a key of its own from it.
 *
 * ```ts
 * const ca = new CertificateAuthority("ca");
 * const etcd = new EtcdQuorum("etcd", { members: [psql1, psql2, psql3], ca });
 * ```
 *
 * Operations: the authority's key is in the stack's state only, encrypted by the stack's secrets provider; hosts get
 * the certificate to trust. Certificates are renewed by `pulumi up` within `renewBeforeDays` of their end.
 */
export class CertificateAuthority extends pulumi.ComponentResource {
  /** PEM of the certificates that clients must trust: one for each trusted generation. */
  readonly certificate: pulumi.Output<string>;

  constructor(name: string, args: CertificateAuthorityArgs = {}, opts?: pulumi.ComponentResourceOptions) {
    super("hastack:index:CertificateAuthority", name, args, opts);
    const { commonName, issuer = 1, trusted = [issuer], ...days } = args;
    parse(`CertificateAuthority ${name}`, generations, { issuer, trusted });
    const valid = checked(`CertificateAuthority ${name}`, schema, days);
    const made = new Map(
      trusted.map((n) => [n, this.generation(n === 1 ? name : `${name}-${n}`, commonName ?? name, valid)]),
    );
    internals.keep(this, {
      generations: trusted.join("-"),
      issuer: made.get(issuer) as Generation,
      days: valid,
    });
    this.certificate = pulumi.all([...made.values()].map(({ root }) => root.certPem)).apply((all) => all.join(""));
    this.registerOutputs({ certificate: this.certificate });
  }

  /** @internal Names the generations that are trusted, for a program that only loads a file anew under another name. */
  get generations(): string {
    return internals.of(this).generations;
  }

  /**
   * Issues a certificate with a key of its own.
   * @param name resource name, unique in the stack: component, host and role, e.g. `etcd-psql1-server`
   */
  issue(name: string, request: CertificateRequest, opts: pulumi.CustomResourceOptions): Certificate {
    const { issuer, days } = internals.of(this);
    const key = new tls.PrivateKey(`${name}-key`, { algorithm: "ECDSA", ecdsaCurve: "P256" }, opts);
    const signingRequest = new tls.CertRequest(
      `${name}-request`,
      {
        privateKeyPem: key.privateKeyPem,
        subject: request.commonName === undefined ? { organization: "hastack" } : { commonName: request.commonName },
        ...(request.ipAddresses && { ipAddresses: request.ipAddresses }),
        ...(request.dnsNames && { dnsNames: request.dnsNames }),
      },
      opts,
    );
    const certificate = new tls.LocallySignedCert(
      `${name}-certificate`,
      {
        certRequestPem: signingRequest.certRequestPem,
        caPrivateKeyPem: issuer.key.privateKeyPem,
        caCertPem: issuer.root.certPem,
        validityPeriodHours: days.apply((d) => d.certificateDays * 24),
        earlyRenewalHours: days.apply((d) => d.renewBeforeDays * 24),
        setSubjectKeyId: true,
        allowedUses: [
          "digital_signature",
          ...(request.server ? ["server_auth"] : []),
          ...(request.client ? ["client_auth"] : []),
        ],
      },
      opts,
    );
    return { certificate: certificate.certPem, privateKey: key.privateKeyPemPkcs8 };
  }

  private generation(name: string, commonName: pulumi.Input<string>, days: pulumi.Output<Days>): Generation {
    const key = new tls.PrivateKey(`${name}-key`, { algorithm: "ECDSA", ecdsaCurve: "P256" }, { parent: this });
    const root = new tls.SelfSignedCert(
      `${name}-certificate`,
      {
        privateKeyPem: key.privateKeyPem,
        isCaCertificate: true,
        setSubjectKeyId: true,
        subject: { commonName },
        validityPeriodHours: days.apply((d) => d.validityDays * 24),
        allowedUses: ["cert_signing", "crl_signing", "digital_signature"],
      },
      { parent: this },
    );
    return { key, root };
  }
}
