import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import * as tls from "@pulumi/tls";
import { TestStack } from "./stack";

const P256 = { algorithm: "ECDSA", ecdsaCurve: "P256" };

describe("renewal and replacement of certificates", () => {
  let stack: TestStack;
  before(async () => {
    stack = await TestStack.create();
  });
  after(() => stack.dispose());

  type Renewable = Pick<tls.SelfSignedCertArgs, "earlyRenewalHours" | "validityPeriodHours" | "dnsNames">;
  const program = (certs: Record<string, Renewable>) => () => {
    const key = new tls.PrivateKey("renewal-key", P256).privateKeyPem;
    const request = new tls.CertRequest("renewal-request", { privateKeyPem: key, subject: { commonName: "r" } });
    const ca = new tls.SelfSignedCert("renewal-ca", {
      ...{ privateKeyPem: key, isCaCertificate: true, allowedUses: ["cert_signing"], validityPeriodHours: 100 },
      subject: { commonName: "renewal" },
    });
    const outputs: Record<string, unknown> = {};
    for (const [name, args] of Object.entries(certs)) {
      const own = new tls.SelfSignedCert(`self-${name}`, {
        privateKeyPem: key,
        allowedUses: ["server_auth"],
        ...args,
      });
      const { dnsNames: _, ...times } = args;
      const signed = new tls.LocallySignedCert(`signed-${name}`, {
        ...{ caCertPem: ca.certPem, caPrivateKeyPem: key, certRequestPem: request.certRequestPem },
        ...{ allowedUses: ["server_auth"], ...times },
      });
      for (const [kind, cert] of Object.entries({ self: own, signed })) {
        outputs[`${kind}-${name}`] = { pem: cert.certPem, ready: cert.readyForRenewal };
      }
    }
    return outputs;
  };
  type Outputs = Record<string, { pem: string; ready: boolean }>;
  const due = { validityPeriodHours: 1, earlyRenewalHours: 2 };
  const fresh = { validityPeriodHours: 10, earlyRenewalHours: 2 };
  let first: Outputs;
  before(async () => {
    first = (await stack.up(program({ due, fresh }))).outputs as Outputs;
  });

  for (const kind of ["self", "signed"]) {
    test(`${kind}-signed: one within its early renewal time is planned for replacement; another is not`, async () => {
      const preview = await stack.preview(program({ due, fresh }));
      assert.ok(preview.stepsOf(`${kind}-due`).includes("replace"));
      assert.deepEqual(preview.stepsOf(`${kind}-fresh`), ["same"]);
    });
  }

  test("after a refresh the flag says so", async () => {
    await stack.refresh();
    const state = await stack.state();
    assert.equal(state.resource("self-due")?.outputs?.readyForRenewal, true);
    assert.equal(state.resource("signed-due")?.outputs?.readyForRenewal, true);
    assert.equal(state.resource("self-fresh")?.outputs?.readyForRenewal, false);
  });

  test("a run replaces what is due, also after the refresh; the new one is not flagged", async () => {
    const run = await stack.up(program({ due, fresh }));
    const second = run.outputs as Outputs;
    for (const name of ["self-due", "signed-due"]) {
      assert.notEqual(second[name]?.pem, first[name]?.pem, name);
      assert.equal(second[name]?.ready, false, name);
    }
    assert.equal(second["self-fresh"]?.pem, first["self-fresh"]?.pem);
  });

  test("earlyRenewalHours changes in place; validity and names replace", async () => {
    const run = await stack.up(
      program({
        fresh: { ...fresh, earlyRenewalHours: 3 },
        due: { validityPeriodHours: 5, dnsNames: ["x.example"] },
      }),
    );
    assert.deepEqual(run.stepsOf("self-fresh"), ["update"]);
    assert.deepEqual(run.stepsOf("signed-fresh"), ["update"]);
    assert.equal((run.outputs as Outputs)["self-fresh"]?.pem, first["self-fresh"]?.pem);
    assert.ok(run.stepsOf("self-due").includes("replace"));
    assert.ok(run.stepsOf("signed-due").includes("replace"));
  });
});
