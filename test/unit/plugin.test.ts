import assert from "node:assert/strict";
import { before, describe, test } from "node:test";
import * as pulumi from "@pulumi/pulumi";
import type { ComponentProvider as Provider } from "../../components/plugin/provider";
import { key, withMocks } from "./mocks";

const schema = JSON.stringify({
  name: "hastack",
  version: "0.1.0",
  resources: {
    "hastack:index:Host": { inputProperties: {}, properties: { address: {}, hostName: {} } },
    "hastack:index:CertificateAuthority": { inputProperties: {}, properties: { certificate: {} } },
    "hastack:index:EtcdQuorum": { inputProperties: { members: { plain: true } }, properties: { endpoints: {} } },
  },
});

describe("the plugin for programs in other languages refuses, naming argument and cure", () => {
  let provider: Provider;
  const make = (type: string, name: string, args: pulumi.Inputs) =>
    provider.construct(name, `hastack:index:${type}`, args, {});
  const host = (name: string, address: string) =>
    make("Host", name, { address, connection: { host: address, hostKey: key } });

  before(async () => {
    await withMocks();
    const { ComponentProvider } = await import("../../components/plugin/provider");
    provider = new ComponentProvider(schema);
  });

  test("what the component refuses in any language", async () => {
    await assert.rejects(host("x", "psql1"), /Host x: .*address: "psql1": give an IPv4 address/s);
  });

  test("a component that is not in the package", async () => {
    await assert.rejects(
      make("Mainframe", "x", {}),
      /hastack:index:Mainframe: there is no such component in hastack 0/,
    );
  });

  test("a plain argument that is secret as a whole, or not known yet", async () => {
    await assert.rejects(
      make("EtcdQuorum", "etcd", { members: pulumi.secret([]) }),
      /EtcdQuorum etcd: members: is secret as a whole: mark as secret only what of it is/,
    );
    const unknown = new (pulumi.Output as never as new (...args: unknown[]) => pulumi.Output<never>)(
      new Set(),
      Promise.resolve(undefined),
      Promise.resolve(false),
      Promise.resolve(false),
      Promise.resolve(new Set()),
    );
    await assert.rejects(make("EtcdQuorum", "etcd", { members: unknown }), /members: is not known before another/);
  });

  test("a reference to a component that it has not made; its own lead to the component", async () => {
    const { getResourceModule } = require("@pulumi/pulumi/runtime/rpc") as {
      getResourceModule(pkg: string, mod: string, version: string): pulumi.runtime.ResourceModule;
    };
    const module = getResourceModule("hastack", "index", "0.1.0");
    const refer = (urn: string) => module.construct("box", "hastack:index:Host", urn);
    const { urn } = await host("box", "192.168.1.10");
    const made = await new Promise<string>((resolve) => void pulumi.output(urn).apply(resolve));
    assert.equal((refer(made) as unknown as { hostName: string }).hostName, "box");
    assert.throws(
      () => refer(`${made}-other`),
      /hastack:index:Host box: another run, or another provider, has made it/,
    );
  });
});
