import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import * as tls from "@pulumi/tls";
import { describeKey, publicKeyOf, sshKeygen } from "./openssl";
import { isEncrypted, TestStack } from "./stack";

const P256 = { algorithm: "ECDSA", ecdsaCurve: "P256" };

describe("tls.PrivateKey", () => {
  let stack: TestStack;
  before(async () => {
    stack = await TestStack.create();
  });
  after(() => stack.dispose());

  const kinds: Record<string, { args: tls.PrivateKeyArgs; is: RegExp; traditional: string; ssh?: string }> = {
    rsa: { args: { algorithm: "RSA" }, is: /\(2048 bit/, traditional: "RSA PRIVATE KEY", ssh: "ssh-rsa" },
    rsa3072: {
      args: { algorithm: "RSA", rsaBits: 3072 },
      is: /\(3072 bit/,
      traditional: "RSA PRIVATE KEY",
      ssh: "ssh-rsa",
    },
    p224: { args: { algorithm: "ECDSA" }, is: /secp224r1/, traditional: "EC PRIVATE KEY" },
    p256: { args: P256, is: /prime256v1/, traditional: "EC PRIVATE KEY", ssh: "ecdsa-sha2-nistp256" },
    p384: {
      args: { ...P256, ecdsaCurve: "P384" },
      is: /secp384r1/,
      traditional: "EC PRIVATE KEY",
      ssh: "ecdsa-sha2-nistp384",
    },
    p521: {
      args: { ...P256, ecdsaCurve: "P521" },
      is: /secp521r1/,
      traditional: "EC PRIVATE KEY",
      ssh: "ecdsa-sha2-nistp521",
    },
    ed25519: { args: { algorithm: "ED25519" }, is: /ED25519/, traditional: "PRIVATE KEY", ssh: "ssh-ed25519" },
  };
  type Forms = Record<
    | "privateKeyPem"
    | "privateKeyPemPkcs8"
    | "privateKeyOpenssh"
    | "publicKeyPem"
    | "publicKeyOpenssh"
    | "publicKeyFingerprintMd5"
    | "publicKeyFingerprintSha256",
    string
  >;
  const program = () =>
    Object.fromEntries(
      Object.entries(kinds).map(([name, { args }]) => {
        const key = new tls.PrivateKey(name, args);
        const { privateKeyPem, privateKeyPemPkcs8, privateKeyOpenssh, publicKeyPem, publicKeyOpenssh } = key;
        const { publicKeyFingerprintMd5, publicKeyFingerprintSha256 } = key;
        return [
          name,
          {
            ...{ privateKeyPem, privateKeyPemPkcs8, privateKeyOpenssh, publicKeyPem, publicKeyOpenssh },
            ...{ publicKeyFingerprintMd5, publicKeyFingerprintSha256 },
          },
        ];
      }),
    );
  let keys: Record<string, Forms>;
  before(async () => {
    keys = (await stack.up(program)).outputs as Record<string, Forms>;
  });

  for (const [name, { is, traditional, ssh }] of Object.entries(kinds)) {
    test(`${name}: every form is the same key, of the right kind`, () => {
      const key = keys[name] as Forms;
      assert.match(describeKey(key.privateKeyPem), is);
      assert.ok(key.privateKeyPem.startsWith(`-----BEGIN ${traditional}-----\n`), key.privateKeyPem.split("\n", 1)[0]);
      assert.ok(key.privateKeyPemPkcs8.startsWith("-----BEGIN PRIVATE KEY-----\n"));
      assert.equal(publicKeyOf(key.privateKeyPem), key.publicKeyPem);
      assert.equal(publicKeyOf(key.privateKeyPemPkcs8), key.publicKeyPem);
      if (!ssh) {
        const { privateKeyOpenssh, publicKeyOpenssh, publicKeyFingerprintMd5, publicKeyFingerprintSha256 } = key;
        const forms = [privateKeyOpenssh, publicKeyOpenssh, publicKeyFingerprintMd5, publicKeyFingerprintSha256];
        assert.deepEqual(forms, ["", "", "", ""], "OpenSSH knows no P-224");
        return;
      }
      assert.match(key.publicKeyOpenssh, new RegExp(`^${ssh} [A-Za-z0-9+/=]+\n$`));
      assert.equal(sshKeygen({ privateKey: key.privateKeyOpenssh }, "-y").trim(), key.publicKeyOpenssh.trim());
      assert.match(
        sshKeygen({ publicKey: key.publicKeyOpenssh }, "-l", "-E", "md5"),
        new RegExp(` MD5:${key.publicKeyFingerprintMd5} `),
      );
      assert.ok(sshKeygen({ publicKey: key.publicKeyOpenssh }, "-l").includes(` ${key.publicKeyFingerprintSha256} `));
    });
  }

  test("the private forms are secret, the public ones are not", async () => {
    const state = await stack.state();
    const outputs = state.resource("p256")?.outputs ?? {};
    for (const form of ["privateKeyPem", "privateKeyPemPkcs8", "privateKeyOpenssh"])
      assert.ok(isEncrypted(outputs[form]), form);
    assert.equal(outputs.publicKeyPem, keys.p256?.publicKeyPem);
    assert.doesNotMatch(state.text, /PRIVATE KEY/);
  });

  test("the state says what was left to default", async () => {
    const outputs = (await stack.state()).resource("rsa")?.outputs;
    assert.deepEqual([outputs?.rsaBits, outputs?.ecdsaCurve], [2048, "P224"]);
  });

  test("an unchanged program keeps the keys; another algorithm, size or curve replaces", async () => {
    const same = await stack.preview(program);
    for (const name of Object.keys(kinds)) assert.deepEqual(same.stepsOf(name), ["same"], name);
    const changed = await stack.preview(() => {
      new tls.PrivateKey("rsa", { algorithm: "RSA", rsaBits: 4096 });
      new tls.PrivateKey("p256", { ...P256, ecdsaCurve: "P384" });
      new tls.PrivateKey("ed25519", { algorithm: "RSA" });
    });
    for (const name of ["rsa", "p256", "ed25519"]) assert.ok(changed.stepsOf(name).includes("replace"), name);
  });

  test("an unknown algorithm or curve is refused before anything is made", async () => {
    const curve = await stack.previewFailing(() => new tls.PrivateKey("k", { ...P256, ecdsaCurve: "P999" }));
    assert.match(curve.text, /P999/);
    assert.match((await stack.previewFailing(() => new tls.PrivateKey("k", { algorithm: "DSA" }))).text, /DSA/);
  });

  test("getPublicKey tells the public key of a private one", async () => {
    const privateKeyPem = keys.p256?.privateKeyPem ?? "";
    const run = await stack.up(async () => {
      const { publicKeyPem, publicKeyOpenssh, algorithm } = await tls.getPublicKey({ privateKeyPem });
      return { publicKeyPem, publicKeyOpenssh, algorithm };
    });
    const { publicKeyPem, publicKeyOpenssh } = keys.p256 as Forms;
    assert.deepEqual(run.outputs, { publicKeyPem, publicKeyOpenssh, algorithm: "ECDSA" });
  });
});
