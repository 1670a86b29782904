import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { type Applied, effectsOf, gravest, type Risk, sentence } from "../../components/converge/effects";

/** A unit as it is rendered today. */
function rendered(name: string): string {
  return readFileSync(join(__dirname, "golden", `${name}.txt`), "utf8");
}

function replaced(text: string, from: string | RegExp, to: string): string {
  const other = text.replace(from, to);
  assert.ok(other !== text, `${from} is in the text`);
  return other;
}

const applied = (text: string, other: Partial<Applied> = {}): Applied => ({
  text,
  secrets: "0123",
  token: "install:1",
  ...other,
});

/** What an update from one to the other says, and its risk. */
function said(before: Applied, after: Applied): { risk: Risk; says: string[] } {
  const effects = effectsOf("host1", before, after);
  return { risk: gravest(effects.map(({ risk }) => risk)), says: effects.map(sentence) };
}

/** The same for one line that is another. */
function changed(name: string, from: string | RegExp, to: string) {
  const before = rendered(name);
  return said(applied(before), applied(replaced(before, from, to)));
}

const rolling = "one member at a time, each while all others are healthy";
const replicasFirst =
  "replicas first, the leader last and after a switchover; limits of replicas are lowered on the leader first";
const parameters = (name: string, from: string, to: string) => {
  // as a parameter of the dynamic configuration changes: in its file, in what waits for a restart, in the digest
  const text = rendered("patroni-dynamic");
  const inFile = replaced(text, `"${name}": "${from}"`, `"${name}": "${to}"`);
  const listed = inFile.replace(`${name} = ${from}`, `${name} = ${to}`);
  return said(
    applied(text),
    applied(replaced(listed, /rolled 2>\/dev\/null\)" = \w+/, 'rolled 2>/dev/null)" = other')),
  );
};

describe("what a change disturbs", () => {
  test("nothing changes: nothing", () => {
    for (const name of ["etcd", "patroni", "patroni-dynamic", "redis", "balancer", "pooler", "rudesktop", "workspad"]) {
      assert.deepEqual(changed(name, /\nend\n$/, "\n# a comment\nend\n"), { risk: "none", says: [] }, name);
    }
  });

  test("a setting of etcd restarts it, one member after the other", () => {
    assert.deepEqual(changed("etcd", 'HEARTBEAT_INTERVAL="100"', 'HEARTBEAT_INTERVAL="200"'), {
      risk: "rolling restart",
      says: [`restarts etcd on host1: ${rolling}`],
    });
  });

  test("another list of what a restart or a reload is for is one", () => {
    assert.equal(changed("etcd", "restart-on /etc/default/etcd,", "restart-on ").risk, "rolling restart");
    assert.equal(changed("patroni", "reload-on /etc/patroni/config.yml,", "reload-on ").risk, "reload");
  });

  test("a file that no service reads disturbs nothing", () => {
    assert.deepEqual(changed("etcd", /ETCDCTL_API="3"/, 'ETCDCTL_API="4"'), { risk: "none", says: [] });
  });

  test("Patroni reloads its file, and is restarted with a switchover for its service's definition", () => {
    assert.deepEqual(changed("patroni", 'log_lock_waits: "on"', 'log_lock_waits: "off"'), {
      risk: "reload",
      says: ["reloads patroni on host1"],
    });
    assert.deepEqual(changed("patroni", "OOMScoreAdjust=-600", "OOMScoreAdjust=-500"), {
      risk: "failover",
      says: ["restarts patroni on host1: one member at a time, a leader hands over first"],
    });
  });

  test("a parameter that PostgreSQL reloads is told from one that waits for a restart", () => {
    assert.deepEqual(parameters("log_lock_waits", "on", "off"), {
      risk: "reload",
      says: ["reloads PostgreSQL on psql1, psql2, psql3: by Patroni"],
    });
    assert.deepEqual(parameters("max_connections", "500", "600"), {
      risk: "failover",
      says: [`restarts PostgreSQL on psql1, psql2, psql3: ${replicasFirst}`],
    });
  });

  test("of an extension's parameter only PostgreSQL knows", () => {
    assert.deepEqual(parameters("pg_stat_statements.track", "all", "top").says, [
      "reloads PostgreSQL on psql1, psql2, psql3: by Patroni",
      `may restart PostgreSQL on psql1, psql2, psql3: ${replicasFirst} (if pg_stat_statements.track waits for one of PostgreSQL)`,
    ]);
  });

  test("memory of one host is a parameter that waits for a restart", () => {
    assert.equal(
      changed("patroni-dynamic", "psql2.shared_buffers = 1024MB", "psql2.shared_buffers = 2048MB").risk,
      "failover",
    );
  });

  test("a line of nginx is a reload; its limit on files is a restart, before which the address moves", () => {
    assert.deepEqual(changed("balancer", "client_max_body_size", "client_max_body_size  "), {
      risk: "reload",
      says: ["reloads nginx on host1: no connection breaks"],
    });
    assert.deepEqual(changed("balancer", /LimitNOFILE=\d+/, "LimitNOFILE=99999"), {
      risk: "failover",
      says: ["restarts nginx on host1: one host at a time, the address moves to another one first"],
    });
  });

  test("variables of RuDesktop restart it, one node after the other", () => {
    assert.deepEqual(changed("rudesktop", /POSTGRES_PORT=\S+/, "POSTGRES_PORT=5555"), {
      risk: "rolling restart",
      says: ["restarts RuDesktop on host1: one node at a time"],
    });
  });

  test("what Redis loads is told from what its servers are restarted for", () => {
    assert.deepEqual(changed("redis", "appendfsync everysec", "appendfsync always"), {
      risk: "reload",
      says: ["reloads redis-server on host1: no connection is closed"],
    });
    assert.deepEqual(changed("redis", "TimeoutStartSec=15min", "TimeoutStartSec=16min"), {
      risk: "failover",
      says: ["restarts redis-server on host1: the replicas one at a time, then the master, after it has handed over"],
    });
    assert.equal(changed("redis-alone", "TimeoutStartSec=15min", "TimeoutStartSec=16min").risk, "restart");
  });

  test("a package in another version restarts what runs from it", () => {
    assert.deepEqual(changed("etcd", "package etcd-server ", "package etcd-server=3.5 ").says, [
      `restarts etcd on host1: ${rolling}`,
    ]);
  });

  test("rotated secrets may restart what reads them at its start, and reload what reads them then", () => {
    const etcd = applied(rendered("etcd"));
    assert.deepEqual(said(etcd, { ...etcd, secrets: "4567" }).says, [
      `may restart etcd on host1: ${rolling} (if the secret in /etc/etcd/tls/ca.crt is another)`,
    ]);
    const patroni = applied(rendered("patroni"));
    assert.match(
      said(patroni, { ...patroni, secrets: undefined }).says.join(),
      /^may reload patroni on host1 \(if the secret/,
    );
  });

  test("drift says what is started, reloaded, restarted", () => {
    const etcd = applied(rendered("etcd"));
    const drifted = (reasons: string) => said(etcd, { ...etcd, token: `drift:abcdef ${reasons}` }).says;
    assert.deepEqual(drifted("etcd.service inactive"), ["starts etcd on host1"]);
    assert.deepEqual(drifted("etcd.service restart pending"), [`restarts etcd on host1: ${rolling}`]);
    assert.deepEqual(drifted("/etc/default/etcd content"), [
      `may restart etcd on host1: ${rolling} (if it was started since /etc/default/etcd was changed by hand)`,
    ]);
    const patroni = applied(rendered("patroni"));
    const hba = said(patroni, { ...patroni, token: "drift:abcdef /etc/patroni/pg_hba.conf content" });
    assert.deepEqual(hba, { risk: "reload", says: ["reloads patroni on host1"] });
  });

  test("what is new is started, what is gone is stopped", () => {
    const text = rendered("etcd");
    assert.deepEqual(effectsOf("host1", undefined, applied(text)).map(sentence), ["starts etcd on host1"]);
    assert.deepEqual(effectsOf("host1", applied(text), undefined).map(sentence), ["stops etcd on host1"]);
    assert.deepEqual(said(applied(text), applied("end\n")).says, ["stops etcd on host1"]);
    assert.deepEqual(effectsOf("host1", applied(text), applied(text, { text: undefined })), [], "not known yet");
  });
});
