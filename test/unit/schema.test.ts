import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { componentsOf, schemaOf } from "../../components/plugin/build/schema";
import { type Described, type Schema, unknownTo } from "./yaml-example";

describe("what Pulumi's analyzer makes of the components for other languages", () => {
  const sources = join(__dirname, "../../components");
  const schema = schemaOf(sources, { name: "hastack", version: "0.1.0", description: "" }, componentsOf(sources));
  const resources = schema.resources as Record<string, Described>;
  const types = schema.types as Record<string, Described>;
  const component = (name: string) => resources[`hastack:index:${name}`] ?? assert.fail(`${name} is missing`);

  test("every component of the public API is there, and nothing else", () => {
    assert.deepEqual(
      Object.keys(resources).sort(),
      [
        "CertificateAuthority",
        "DataProtectionCertificate",
        "EtcdQuorum",
        "Host",
        "NginxBalancer",
        "PgBouncerVipPair",
        "PostgresPatroniCluster",
        "RedisSecured",
        "RuDesktopCluster",
        "RuDesktopNode",
        "WorksPadCluster",
        "WorksPadNode",
      ].map((name) => `hastack:index:${name}`),
    );
  });

  test("every component, argument and output is described", () => {
    const silent: string[] = [];
    let properties = 0;
    for (const [name, described] of Object.entries({ ...resources, ...types })) {
      if (name in resources && !described.description) silent.push(name);
      for (const part of ["inputProperties", "properties"] as const) {
        for (const [property, { description }] of Object.entries(described[part] ?? {})) {
          properties++;
          if (!description) silent.push(`${name} ${part} ${property}`);
        }
      }
    }
    assert.deepEqual(silent, []);
    assert.ok(properties > 150, `only ${properties} properties`);
  });

  test("a component is given others of the package by reference", () => {
    const { inputProperties: inputs = {} } = component("PostgresPatroniCluster");
    assert.equal(inputs.members?.items?.$ref, "#/resources/hastack:index:Host");
    assert.equal(inputs.etcd?.$ref, "#/resources/hastack:index:EtcdQuorum");
    assert.equal(
      component("RuDesktopCluster").properties?.nodes?.items?.$ref,
      "#/resources/hastack:index:RuDesktopNode",
    );
    assert.deepEqual(schema.dependencies, []);
  });

  test("the example in YAML says nothing that the schema does not know", () => {
    const example = readFileSync(join(sources, "../examples/yaml/Pulumi.yaml"), "utf8");
    const known = { resources, types } as Schema;
    assert.deepEqual(unknownTo(known, example), []);

    const otherwise = (from: string, to: string) => unknownTo(known, example.replace(from, to));
    assert.deepEqual(otherwise("clients:", "client:"), ["cache.client: there is no such property"]);
    assert.deepEqual(otherwise("hostKey: $", "hostkey: $"), ["box.connection.hostkey: there is no such property"]);
    assert.deepEqual(otherwise("{box}", "{ca}"), ["cache.hosts: ca is no #/resources/hastack:index:Host"]);
    assert.deepEqual(otherwise("{cache.port}", "{cache.ports}"), ["outputs.port: cache has no output ports"]);
    assert.deepEqual(otherwise("hosts:", "tls: 1 #"), ["cache: hosts is missing", "cache.tls: is no boolean"]);
  });

  test("what components know of each other is no output", () => {
    const outputs = (name: string) => Object.keys(component(name).properties ?? {}).sort();
    assert.deepEqual(outputs("Host"), ["address", "hostName"]);
    assert.deepEqual(outputs("EtcdQuorum"), ["endpoints"]);
    assert.deepEqual(outputs("CertificateAuthority"), ["certificate"]);
    assert.deepEqual(outputs("RedisSecured"), ["address", "adminPassword", "password", "port"]);
    for (const name of Object.keys(resources)) {
      for (const internal of ["ready", "hosts", "ca", "config", "connection"]) {
        assert.equal(outputs(name.split(":")[2] ?? "").includes(internal), false, `${name} shows ${internal}`);
      }
    }
  });
});
