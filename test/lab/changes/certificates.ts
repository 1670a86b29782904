import assert from "node:assert/strict";
import { copyFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { eventually, failure, secondsSince } from "../support/process";
import { answer, refusal } from "../support/psql";
import { changesIn } from "../support/stack";
import { byHost, type ChangingCluster } from "./cluster";
import type { ChangesSuite } from "./suite";
import { underWrites } from "./under-writes";
import { VerifyingClients } from "./verifying-clients";

/** Certificates are renewed, and the authority itself changes, while clients that verify come and go. */
export function certificates({ promise, cluster }: ChangesSuite): void {
  promise(
    "certificates near their end are renewed by an ordinary `up`, one host after the other, and nothing is restarted",
    async (t) => {
      const { hosts, stack } = cluster;
      const leader = await cluster.whole();
      const old = await presented(cluster);
      const running = { starts: await cluster.starts(), services: await hosts.invocations("etcd", "patroni") };
      await cluster.clean();
      await letTimePass(cluster);

      const planned = changesIn(await stack.succeeds(stack.preview()));
      const renewed = planned.filter(({ name }) => name.endsWith("-certificate"));
      assert.equal(
        renewed.length,
        5 * hosts.names.length,
        "each member's for etcd (3) and Patroni (2), and no authority's",
      );
      await withoutABreak(t, cluster, () => cluster.up());

      assert.equal(await cluster.whole(), leader);
      assert.deepEqual(
        { starts: await cluster.starts(), services: await hosts.invocations("etcd", "patroni") },
        running,
      );
      const now = await eventually("all servers present new certificates", 30, async () => {
        const found = await presented(cluster);
        return Object.keys(old).every((server) => found[server] !== old[server]) ? found : undefined;
      });
      assert.deepEqual(Object.keys(now), Object.keys(old));
      for (const [role, file] of [
        ["etcd", "/etc/etcd/tls/server.crt"],
        ["patroni", "/etc/patroni/tls/server.crt"],
      ] as const) {
        assert.deepEqual(await overlaps(cluster, role, file), [], "no host began before the one before was done");
      }
      await cluster.clean();
    },
  );

  promise(
    "the authority is replaced by three runs of `up`: no client that verifies sees a break, and the old one is worth nothing then",
    async (t) => {
      const { hosts, lab, stack } = cluster;
      const old = join(lab.state, "old-ca.crt");
      copyFileSync(cluster.caFile, old);
      const leader = await cluster.whole();
      const starts = await cluster.starts();
      const quorum = await cluster.quorum();
      const { issuer: first = 1 } = (stack.settings["hastack:ca"] ?? {}) as { issuer?: number };
      const second = first + 1;
      for (const ca of [
        { issuer: first, trusted: [first, second] },
        { issuer: second, trusted: [first, second] },
        { issuer: second, trusted: [second] },
      ]) {
        stack.configure({ "hastack:ca": ca });
        const began = performance.now();
        await withoutABreak(t, cluster, () => cluster.up());
        t.diagnostic(`issuer ${ca.issuer}, trusted ${ca.trusted.join(" and ")}: ${secondsSince(began)} s`);
        assert.equal(await cluster.whole(), leader);
        assert.deepEqual(await cluster.starts(), starts, "PostgreSQL was restarted nowhere");
        assert.deepEqual(await cluster.quorum(), quorum);
        await everybodyTrusts(cluster);
        await cluster.clean();
      }
      for (const host of hosts.names) {
        const login = { ...cluster.login("workspad", host), sslrootcert: old };
        assert.match(await refusal(lab, login), /certificate verify failed/, host);
      }
    },
  );
}

/** A change under load that no client may notice: neither one that stays, nor those that connect anew and verify. */
async function withoutABreak(t: TestContext, cluster: ChangingCluster, change: () => Promise<unknown>): Promise<void> {
  await underWrites(t, cluster, 3, async () => {
    const clients = await VerifyingClients.start(cluster);
    try {
      await change();
    } finally {
      const { logins, reads, broken } = clients.stop();
      t.diagnostic(`verified: ${logins} logins, ${reads} reads of etcd`);
      assert.deepEqual(broken, []);
      assert.ok(Math.min(logins, reads) > cluster.hosts.names.length, `${logins} logins, ${reads} reads`);
    }
  });
}

/** A new client that trusts what the stack says now is believed to, and believes, every member. */
async function everybodyTrusts(cluster: ChangingCluster): Promise<void> {
  for (const host of cluster.hosts.names) {
    await eventually(`${host} presents a certificate that is trusted`, 15, async () => {
      assert.equal(await answer(cluster.lab, cluster.login("workspad", host), "SELECT 1"), "1");
      return (await cluster.hosts.patroni(host, "/patroni")).status === 200 || undefined;
    });
  }
}

/** Serial numbers of the certificates that PostgreSQL, Patroni and etcd of each member present, by HOST:PORT. */
async function presented({ hosts }: ChangingCluster): Promise<Record<string, string>> {
  const found: Record<string, string> = {};
  for (const host of hosts.names) {
    for (const [port, options] of [
      [5432, "-starttls postgres"],
      [8008, ""],
      [2379, ""],
    ] as const) {
      // etcd breaks a connection off that shows it no certificate, when it has shown its own.
      const connect = `openssl s_client -connect ${hosts.addresses[host]}:${port} ${options} </dev/null 2>/dev/null || true`;
      found[`${host}:${port}`] = await hosts.sh(host, `(${connect}) | openssl x509 -noout -serial`);
    }
  }
  return found;
}

/**
 * The lab has no clock of its own to set. What counts is the end of each certificate as the state has it: it is moved to
 * tomorrow.
 */
async function letTimePass({ lab }: ChangingCluster): Promise<void> {
  const stack = ["--stack", "postgres"];
  const exported = await lab.exec(["pulumi", "stack", "export", ...stack]);
  if (exported.code !== 0) throw new Error(failure("pulumi", ["stack", "export"], exported));
  const state = JSON.parse(exported.stdout) as {
    deployment: { resources: { type: string; outputs?: Record<string, unknown> }[] };
  };
  const tomorrow = new Date(Date.now() + 24 * 3600_000).toISOString();
  for (const { type, outputs } of state.deployment.resources) {
    if (type === "tls:index/locallySignedCert:LocallySignedCert" && outputs) outputs.validityEndTime = tomorrow;
  }
  const file = join(lab.state, "aged-state.json");
  writeFileSync(file, JSON.stringify(state), { mode: 0o600 });
  const imported = await lab.exec(["pulumi", "stack", "import", "--file", file, ...stack]);
  if (imported.code !== 0) throw new Error(failure("pulumi", ["stack", "import"], imported));
}

/** Hosts whose new certificate was written before the host before had finished with this role. */
async function overlaps(cluster: ChangingCluster, role: string, file: string): Promise<string[]> {
  const times = await byHost(cluster.hosts.names, async (host) => {
    const printed = await cluster.hosts.sh(host, `stat -c %.Y ${file} /var/lib/hastack/units/${role}/applied`);
    const [written = NaN, done = NaN] = printed.trim().split("\n").map(Number);
    return { host, written, done };
  });
  const inOrder = Object.values(times).sort((a, b) => a.written - b.written);
  return inOrder
    .filter(({ written }, i) => i > 0 && !(written >= (inOrder[i - 1]?.done ?? NaN)))
    .map(({ host }) => host);
}
