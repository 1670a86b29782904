import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import * as tls from "@pulumi/tls";
import { describeCertificate, extension, openssl, publicKeyOf, validity, verify } from "./openssl";
import { isEncrypted, TestStack } from "./stack";

const HOUR = 3600 * 1000;
const P256 = { algorithm: "ECDSA", ecdsaCurve: "P256" };

describe("tls.CertRequest, SelfSignedCert and LocallySignedCert", () => {
  let stack: TestStack;
  before(async () => {
    stack = await TestStack.create();
  });
  after(() => stack.dispose());

  const subject = {
    commonName: "psql1",
    organization: 'Рога "и" копыта, ООО',
    organizationalUnit: "DBA",
    country: "RU",
    province: "Moscow",
    locality: "Moscow",
    streetAddresses: ["1 Main Street"],
    postalCode: "101000",
    serialNumber: "42",
    emailAddress: "dba@example.org",
  };
  const names = {
    dnsNames: ["psql1", "*.db.example"],
    ipAddresses: ["192.168.1.130", "fd00::1"],
    uris: ["spiffe://lab/psql1"],
  };
  const SANS =
    /DNS:psql1, DNS:\*\.db\.example, IP Address:192\.168\.1\.130, IP Address:FD00:0:0:0:0:0:0:1, URI:spiffe:\/\/lab\/psql1/;

  /** A CA made from the key, and a leaf certificate for the names above. */
  function issue(prefix: string, ca: tls.PrivateKeyArgs, leaf: tls.PrivateKeyArgs) {
    const caKey = new tls.PrivateKey(`${prefix}-ca-key`, ca);
    const caCert = new tls.SelfSignedCert(`${prefix}-ca`, {
      privateKeyPem: caKey.privateKeyPem,
      isCaCertificate: true,
      allowedUses: ["cert_signing", "crl_signing"],
      validityPeriodHours: 87600,
      subject: { commonName: `${prefix} CA` },
    });
    const leafKey = new tls.PrivateKey(`${prefix}-key`, leaf);
    const request = new tls.CertRequest(`${prefix}-request`, {
      privateKeyPem: leafKey.privateKeyPem,
      subject,
      ...names,
    });
    const cert = new tls.LocallySignedCert(`${prefix}-cert`, {
      caCertPem: caCert.certPem,
      caPrivateKeyPem: caKey.privateKeyPem,
      certRequestPem: request.certRequestPem,
      allowedUses: ["digital_signature", "key_encipherment", "server_auth", "client_auth"],
      validityPeriodHours: 48,
    });
    return {
      ca: caCert.certPem,
      request: request.certRequestPem,
      cert: cert.certPem,
      key: leafKey.privateKeyPem,
      start: cert.validityStartTime,
      end: cert.validityEndTime,
      ready: cert.readyForRenewal,
    };
  }
  type Issued = Record<"ca" | "request" | "cert" | "key" | "start" | "end", string> & { ready: boolean };

  describe("a CA and a certificate it signs", () => {
    const pairs: Record<string, [ca: tls.PrivateKeyArgs, leaf: tls.PrivateKeyArgs]> = {
      "ecdsa-ecdsa": [P256, P256],
      "rsa-ed25519": [{ algorithm: "RSA" }, { algorithm: "ED25519" }],
      "ed25519-rsa": [{ algorithm: "ED25519" }, { algorithm: "RSA" }],
      "p384-p521": [
        { ...P256, ecdsaCurve: "P384" },
        { ...P256, ecdsaCurve: "P521" },
      ],
    };
    const program = () =>
      Object.fromEntries(Object.entries(pairs).map(([name, [ca, leaf]]) => [name, issue(name, ca, leaf)]));
    let issued: Record<string, Issued>;
    before(async () => {
      issued = (await stack.up(program)).outputs as Record<string, Issued>;
    });
    const of = (name: string) => issued[name] as Issued;

    for (const name of Object.keys(pairs)) {
      test(`${name}: openssl verifies the chain, for each name and purpose asked for, and for no other`, () => {
        const { cert, ca } = of(name);
        assert.equal(verify(cert, { ca }), "OK");
        assert.equal(verify(cert, { ca }, "-purpose", "sslserver", "-verify_hostname", "psql1"), "OK");
        assert.equal(verify(cert, { ca }, "-purpose", "sslclient", "-verify_ip", "192.168.1.130"), "OK");
        assert.equal(verify(cert, { ca }, "-verify_hostname", "one.db.example"), "OK");
        assert.equal(verify(cert, { ca }, "-verify_ip", "fd00::1"), "OK");
        assert.match(verify(cert, { ca }, "-verify_hostname", "psql2"), /hostname mismatch/i);
        assert.match(verify(cert, { ca }, "-verify_ip", "192.168.1.131"), /IP address mismatch/i);
        assert.match(verify(cert, { ca }, "-purpose", "crlsign"), /usage does not include|unsuitable|unsupported/i);
        const another = of(name === "ecdsa-ecdsa" ? "p384-p521" : "ecdsa-ecdsa");
        assert.notEqual(verify(cert, { ca: another.ca }), "OK");
      });

      test(`${name}: the certificate holds the key it was asked for`, () => {
        const { cert, key } = of(name);
        assert.equal(openssl(["x509", "-noout", "-pubkey"], cert), publicKeyOf(key));
      });
    }

    test("the request is self-consistent and names its subject", () => {
      const { request } = of("ecdsa-ecdsa");
      const text = openssl(["req", "-verify", "-noout", "-text", "-nameopt", "utf8,sep_comma_plus,lname"], request);
      assert.match(text, /organizationName=Рога \\?"и\\?" копыта\\?, ООО/);
      for (const part of [
        "commonName=psql1",
        "organizationalUnitName=DBA",
        "countryName=RU",
        "stateOrProvinceName=Moscow",
      ]) {
        assert.ok(text.includes(part), `${part} is not in ${text}`);
      }
      for (const part of [
        "localityName=Moscow",
        "streetAddress=1 Main Street",
        "postalCode=101000",
        "serialNumber=42",
      ]) {
        assert.ok(text.includes(part), `${part} is not in ${text}`);
      }
      assert.match(text, SANS);
    });

    test("the certificate takes subject and alternative names from the request, and the issuer from the CA", () => {
      const text = describeCertificate(of("ecdsa-ecdsa").cert);
      assert.match(text, /Subject: .*CN=psql1/);
      assert.match(text, /Subject: .*O=Рога/);
      assert.match(text, /Issuer: CN=ecdsa-ecdsa CA/);
      assert.match(extension(of("ecdsa-ecdsa").cert, "subjectAltName"), SANS);
    });

    test("uses and constraints are those asked for", () => {
      const { cert, ca } = of("ecdsa-ecdsa");
      assert.match(extension(ca, "basicConstraints"), /critical\s+CA:TRUE/);
      assert.match(extension(ca, "keyUsage"), /critical\s+Certificate Sign, CRL Sign$/);
      assert.match(extension(cert, "basicConstraints"), /CA:FALSE/);
      assert.match(extension(cert, "keyUsage"), /critical\s+Digital Signature, Key Encipherment$/);
      assert.match(
        extension(cert, "extendedKeyUsage"),
        /TLS Web Server Authentication, TLS Web Client Authentication$/,
      );
      const identifier = extension(ca, "subjectKeyIdentifier").split("\n").at(-1)?.trim() ?? "";
      assert.match(identifier, /^([0-9A-F]{2}:){19}[0-9A-F]{2}$/);
      assert.ok(extension(cert, "authorityKeyIdentifier").includes(identifier), "the certificate names the CA's key");
      assert.equal(extension(cert, "subjectKeyIdentifier"), "");
    });

    test("it is valid from now on, for the hours asked for", () => {
      const { cert, start, end, ready } = of("ecdsa-ecdsa");
      const { from, to } = validity(cert);
      assert.equal(to.getTime() - from.getTime(), 48 * HOUR);
      assert.ok(Math.abs(Date.now() - from.getTime()) < HOUR / 12, `valid from ${from}`);
      assert.equal(Math.floor(Date.parse(start) / 1000), from.getTime() / 1000);
      assert.equal(Math.floor(Date.parse(end) / 1000), to.getTime() / 1000);
      assert.equal(ready, false);
    });

    test("serial numbers are large and differ", () => {
      const serials = Object.values(issued).map(({ cert }) => openssl(["x509", "-noout", "-serial"], cert).trim());
      assert.equal(new Set(serials).size, serials.length);
      for (const serial of serials) assert.match(serial, /^serial=[0-9A-F]{24,}$/);
    });

    test("private keys are secret; certificates and requests are not", async () => {
      const state = await stack.state();
      const output = (name: string, property: string) => state.resource(name)?.outputs?.[property];
      assert.ok(isEncrypted(output("ecdsa-ecdsa-ca", "privateKeyPem")));
      assert.ok(isEncrypted(output("ecdsa-ecdsa-request", "privateKeyPem")));
      assert.ok(isEncrypted(output("ecdsa-ecdsa-cert", "caPrivateKeyPem")));
      assert.equal(output("ecdsa-ecdsa-cert", "certPem"), of("ecdsa-ecdsa").cert);
      assert.equal(output("ecdsa-ecdsa-ca", "keyAlgorithm"), "ECDSA");
      assert.equal(output("rsa-ed25519-cert", "caKeyAlgorithm"), "RSA");
      assert.doesNotMatch(state.text, /PRIVATE KEY/);
    });

    test("an unchanged program changes nothing", async () => {
      const again = await stack.preview(program);
      for (const name of Object.keys(pairs)) {
        for (const part of ["ca-key", "ca", "key", "request", "cert"]) {
          assert.deepEqual(again.stepsOf(`${name}-${part}`), ["same"], `${name}-${part}`);
        }
      }
    });
  });

  test("an intermediate CA signs, within its path length; key identifiers appear when asked for", async () => {
    const run = await stack.up(() => {
      const keys = ["root", "middle", "leaf"].map((name) => new tls.PrivateKey(`chain-${name}`, P256).privateKeyPem);
      const [rootKey, middleKey, leafKey] = keys as [(typeof keys)[0], (typeof keys)[0], (typeof keys)[0]];
      const ca = { isCaCertificate: true, allowedUses: ["cert_signing"], validityPeriodHours: 1 };
      const root = new tls.SelfSignedCert("root", {
        ...{ ...ca, privateKeyPem: rootKey, maxPathLength: 1, subject: { commonName: "root" } },
        setSubjectKeyId: true,
        setAuthorityKeyId: true,
      });
      const request = (name: string, privateKeyPem: typeof leafKey) =>
        new tls.CertRequest(`${name}-request`, { privateKeyPem, subject: { commonName: name } }).certRequestPem;
      const middle = new tls.LocallySignedCert("middle", {
        ...{ ...ca, caCertPem: root.certPem, caPrivateKeyPem: rootKey, certRequestPem: request("middle", middleKey) },
      });
      const leaf = new tls.LocallySignedCert("leaf", {
        ...{ caCertPem: middle.certPem, caPrivateKeyPem: middleKey, certRequestPem: request("leaf", leafKey) },
        ...{ allowedUses: ["server_auth"], validityPeriodHours: 1, setSubjectKeyId: true },
      });
      const alone = new tls.SelfSignedCert("alone", {
        ...{
          privateKeyPem: leafKey,
          allowedUses: ["server_auth"],
          validityPeriodHours: 1,
          dnsNames: ["alone.example"],
        },
      });
      return { root: root.certPem, middle: middle.certPem, leaf: leaf.certPem, alone: alone.certPem };
    });
    const { root, middle, leaf, alone } = run.outputs as Record<"root" | "middle" | "leaf" | "alone", string>;
    assert.equal(verify(leaf, { ca: root, intermediates: [middle] }), "OK");
    assert.notEqual(verify(leaf, { ca: root }), "OK");
    assert.match(extension(root, "basicConstraints"), /CA:TRUE, pathlen:1/);
    const rootId = extension(root, "subjectKeyIdentifier").split("\n").at(-1)?.trim() ?? "";
    assert.ok(extension(root, "authorityKeyIdentifier").includes(rootId) && rootId !== "");
    assert.notEqual(extension(leaf, "subjectKeyIdentifier"), "");
    assert.match(extension(alone, "subjectAltName"), /DNS:alone\.example/);
    assert.equal(
      verify(alone, { ca: alone }, "-partial_chain", "-verify_hostname", "alone.example").includes("mismatch"),
      false,
    );
  });
  test("bad arguments and mismatched keys are refused", async () => {
    const use = await stack.previewFailing(
      () => new tls.SelfSignedCert("use", { privateKeyPem: "x", allowedUses: ["serverAuth"], validityPeriodHours: 1 }),
    );
    assert.match(use.text, /serverAuth/);
    const run = await stack.upFailing(() => {
      const key = new tls.PrivateKey("mismatch-key", P256).privateKeyPem;
      const other = new tls.PrivateKey("mismatch-other", P256).privateKeyPem;
      const common = { allowedUses: ["cert_signing"], validityPeriodHours: 1 };
      const ca = new tls.SelfSignedCert("mismatch-ca", {
        ...{ ...common, privateKeyPem: key, isCaCertificate: true, subject: { commonName: "ca" } },
      });
      const { certRequestPem } = new tls.CertRequest("mismatch-request", {
        privateKeyPem: other,
        subject: { commonName: "x" },
      });
      new tls.LocallySignedCert("mismatch", {
        ...common,
        caCertPem: ca.certPem,
        caPrivateKeyPem: other,
        certRequestPem,
      });
      new tls.LocallySignedCert("not-a-request", {
        ...{ ...common, caCertPem: ca.certPem, caPrivateKeyPem: key, certRequestPem: "not a request" },
      });
      new tls.SelfSignedCert("nameless-ca", { ...common, privateKeyPem: key, isCaCertificate: true });
      new tls.CertRequest("not-a-key", { privateKeyPem: "not a key", subject: { commonName: "x" } });
    });
    for (const name of ["mismatch", "not-a-request", "nameless-ca", "not-a-key"]) {
      assert.notEqual(run.errorOf(name), "", `${name} was accepted`);
    }
  });
});
