import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { HostFacts } from "../../components/converge/probe";
import { renderAptSource } from "../../components/host/config";
import { clockSkew, unsuitable } from "../../components/host/preflight";

const facts: HostFacts = {
  os: { id: "debian", version_id: "12", codename: "bookworm", pretty: "Debian GNU/Linux 12 (bookworm)" },
  arch: "amd64",
  hostname: "psql1",
  kernel: "6.1.0",
  memory_mib: 2048,
  cores: 2,
  time: 0,
  disks: [{ mount: "/", free_mib: 5000, size_mib: 10000 }],
  interfaces: [],
  addresses: ["127.0.0.1/8", "192.168.1.130/24"],
};
const host = { address: "192.168.1.130" };

describe("a host that will not do is refused in its operator's words", () => {
  test("one that will do", () => assert.deepEqual(unsuitable(host, facts), []));

  test("Debian 13 and Astra 1.8 will do", () => {
    for (const [id, version] of [
      ["debian", "13"],
      ["astra", "1.8_x86-64"],
    ] as const) {
      assert.deepEqual(unsuitable(host, { ...facts, os: { ...facts.os, id, version_id: version } }), []);
    }
  });

  test("another system", () => {
    const os = { id: "ubuntu", version_id: "24.04", codename: "noble", pretty: "Ubuntu 24.04" };
    assert.match(
      unsuitable(host, { ...facts, os }).join(),
      /it runs Ubuntu 24.04; supported are debian 12 or 13, astra/,
    );
  });

  test("too little memory, too full a disk, another address: all of it at once", () => {
    const disks = [{ mount: "/", free_mib: 100, size_mib: 10000 }];
    const reasons = unsuitable({ address: "10.0.0.1" }, { ...facts, memory_mib: 128, disks });
    assert.equal(reasons.length, 3);
    assert.match(reasons.join("\n"), /128 MiB of memory/);
    assert.match(reasons.join("\n"), /only 100 MiB are free on \//);
    assert.match(reasons.join("\n"), /none of its interfaces has the address 10\.0\.0\.1 \(they have 127/);
  });

  test("clocks that disagree", () => {
    assert.equal(clockSkew({ a: 0.2, b: -0.3, c: 1 }), undefined);
    assert.equal(clockSkew({}), undefined);
    assert.match(clockSkew({ a: 0, b: 7.25, c: 1 }) ?? "", /the clocks of a and b are 7\.3 s apart.*chrony/);
  });
});

test("a package source is signed by its own key and no other", () => {
  const source = { uri: "http://mirror/debian", suite: "./", components: [], key: "" };
  assert.equal(
    renderAptSource(source, "/etc/apt/keyrings/hastack.asc"),
    "Types: deb\nURIs: http://mirror/debian\nSuites: ./\nSigned-By: /etc/apt/keyrings/hastack.asc\n",
  );
  assert.match(
    renderAptSource({ ...source, suite: "bookworm", components: ["main", "contrib"] }, "/etc/apt/keyrings/hastack.asc"),
    /\nComponents: main contrib\n/,
  );
});
