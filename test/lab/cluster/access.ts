import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { foreign, fromForeignAddress } from "../support/foreign-address";
import { run } from "../support/process";
import { answer, type Login, refusal } from "../support/psql";
import type { Suite } from "../support/suite";

/** Who gets in, and who does not, seen from a client in the network. */
export function access({ promise, cluster }: Suite): void {
  promise("every member proves who it is to a client that trusts the authority, by name and by address", async () => {
    for (const [name, address] of Object.entries(cluster.hosts.addresses)) {
      for (const host of [name, address]) {
        assert.equal(await answer(cluster.lab, cluster.login("workspad", host), tlsInUse), "t|TLSv1.3", host);
      }
    }
  });

  promise("a client that trusts another authority refuses every member", async () => {
    const other = await otherAuthority(cluster);
    for (const host of cluster.hosts.names) {
      const login = { ...cluster.login("workspad", host), sslrootcert: other };
      assert.match(await refusal(cluster.lab, login), /certificate verify failed/);
      await assert.rejects(patroniWith(cluster, host, other), /SSL certificate problem/);
    }
  });

  promise("a wrong password is refused", async () => {
    const login = { ...cluster.login("workspad", await cluster.hosts.leader()), password: "wrong" };
    assert.match(await refusal(cluster.lab, login), /password authentication failed for user "workspad"/);
  });

  promise("a client without TLS is refused", async () => {
    for (const host of cluster.hosts.names) {
      const plain = { ...cluster.login("workspad", host), sslmode: "disable" };
      assert.match(await refusal(cluster.lab, plain), rejects("192.168.1.1", "workspad", "no encryption"));
    }
  });

  promise("a client from a foreign network does not reach PostgreSQL, and would not get in if it did", async () => {
    const { lab, hosts } = cluster;
    const [[host = "", address = ""] = []] = Object.entries(hosts.addresses);
    const login = cluster.login("workspad", host);
    await fromForeignAddress(lab, address, async () => {
      assert.match(await refusal(lab, login), /Connection refused/);
      await letIn(cluster, host, "patroni clients", foreign, async () => {
        assert.match(await refusal(lab, login), rejects(foreign, "workspad", "SSL encryption"));
      });
    });
    assert.equal(await answer(lab, login, "SELECT 1"), "1");
  });

  promise("the cluster's own roles do not log in from the network, even with their passwords", async () => {
    for (const role of ["postgres", "replicator", "rewind_user"]) {
      for (const host of cluster.hosts.names) {
        const login = { ...cluster.login(role, host), database: "postgres" };
        assert.match(await refusal(cluster.lab, login), rejects("192.168.1.1", role, "SSL encryption"));
      }
    }
    const replication: Login = { ...cluster.login("replicator", cluster.hosts.names[0]), options: "replication=true" };
    assert.match(
      await refusal(cluster.lab, replication),
      /pg_hba.conf rejects replication connection for host "192.168.1.1", user "replicator", SSL encryption/,
    );
  });

  promise("Patroni tells a load balancer over verified TLS which member leads", async () => {
    const leader = await cluster.hosts.leader();
    for (const host of cluster.hosts.names) {
      const leads = host === leader;
      const expected = { "/primary": leads ? 200 : 503, "/replica": leads ? 503 : 200, "/health": 200 };
      for (const [path, status] of Object.entries(expected)) {
        assert.equal((await cluster.hosts.patroni(host, path)).status, status, `${host}${path}`);
      }
    }
  });

  promise("Patroni changes nothing for who has no client certificate or no password", async () => {
    const { hosts } = cluster;
    const leader = await hosts.leader();
    const before = (await hosts.patroni(leader, "/config")).body;
    const requests = [
      ["PATCH", "/config", '{"ttl": 300}'],
      ["POST", "/switchover", `{"leader": "${leader}"}`],
      ["POST", "/restart", "{}"],
      ["POST", "/reinitialize", "{}"],
    ] as const;
    const password = await hosts.sh(
      leader,
      "awk '/^restapi/ { ours = 1 } ours && /password:/ { print $2; exit }' /etc/patroni/config.yml",
    );
    const login = ["--user", `patroni:${password.trim().replaceAll('"', "")}`];
    const key = await certificate(cluster, leader, "server");
    for (const [method, path, body] of requests) {
      const send = (...options: string[]) => hosts.patroni(leader, path, "-X", method, "-d", body, ...options);
      assert.deepEqual(await send(), { status: 403, body: "client certificate required" }, `${method} ${path}`);
      assert.deepEqual(await send(...login), { status: 403, body: "client certificate required" });
      assert.equal((await send(...key)).status, 401, `${method} ${path} without a password`);
      assert.equal((await send(...key, "--user", "patroni:wrong")).status, 401);
    }
    // With both, the same is accepted: so it was for the lack of them that it was refused. This one changes nothing.
    const { ttl } = JSON.parse(before) as { ttl: number };
    const both = ["-X", "PATCH", "-d", JSON.stringify({ ttl }), ...key, ...login];
    assert.equal((await hosts.patroni(leader, "/config", ...both)).status, 200);
    assert.equal((await hosts.patroni(leader, "/config")).body, before);
    assert.equal(await hosts.leader(), leader);
  });

  promise("only members reach etcd, and only who was named reaches Patroni", async () => {
    const outside = (host: string, port: number) =>
      cluster.lab.exec(["timeout", "5", "bash", "-c", `</dev/tcp/${host}/${port}`]);
    for (const [host, address] of Object.entries(cluster.hosts.addresses)) {
      for (const port of [2379, 2380]) {
        assert.match((await outside(address, port)).stderr, /Connection refused/, `${host} ${port}`);
        for (const other of cluster.hosts.names)
          await cluster.hosts.sh(other, `bash -c '</dev/tcp/${address}/${port}'`);
      }
      assert.equal((await outside(address, 8008)).code, 0, "this machine is among the monitors");
      await cluster.hosts.sh(host, "nft delete element inet hastack_patroni monitors { 192.168.1.1 }");
      try {
        assert.match((await outside(address, 8008)).stderr, /Connection refused/);
      } finally {
        await cluster.hosts.sh(host, "systemctl reload hastack-firewall@patroni");
      }
      assert.equal((await outside(address, 8008)).code, 0);
    }
  });

  promise("etcd answers nobody without a certificate, and no certificate's holder more than its own keys", async () => {
    const [host = ""] = cluster.hosts.names;
    const read = `{"key": "${Buffer.from("/db/").toString("base64")}", "range_end": "AA=="}`;
    const url = `https://${host}:2379/v3/kv/range`;
    const request = ["curl", "-sS", "--max-time", "5", "--cacert", cluster.caFile, "-d", read, url];
    await letIn(cluster, host, "etcd members", "192.168.1.1", async () => {
      const anonymous = await cluster.lab.exec(request);
      assert.ok(refusedByTls.includes(anonymous.code), anonymous.stdout + anonymous.stderr);
      const known = await cluster.lab.exec([...request, ...(await certificate(cluster, host, "etcd"))]);
      assert.match(known.stdout, /user name is empty|permission denied|invalid auth token/);
      assert.doesNotMatch(known.stdout, /"kvs"/);
    });

    const asPatroni = [
      "set -a; . /etc/etcd/etcdctl.env",
      'eval $(python3 -c \'import shlex, yaml; e = yaml.safe_load(open("/etc/patroni/config.yml"))["etcd3"]; ' +
        'print("ETCDCTL_USER=" + shlex.quote(e["username"]), "ETCDCTL_PASSWORD=" + shlex.quote(e["password"]))\')',
      "ETCDCTL_CERT=/etc/patroni/tls/etcd.crt ETCDCTL_KEY=/etc/patroni/tls/etcd.key",
    ];
    const etcdctl = (command: string) =>
      cluster.hosts.sh(host, `${asPatroni.join("; ")}; etcdctl ${command} 2>&1 || true`);
    assert.match(await etcdctl("get --keys-only --prefix /db/workspad-cluster/"), /^\/db\/workspad-cluster\/leader$/m);
    for (const command of ["get --prefix /", "put /db/other-cluster/x 1", "user list", "get --prefix /db/workspad"]) {
      assert.match(await etcdctl(command), /permission denied/, command);
    }
  });
}

/** Opens a host's firewall for an address, as long as something is tried behind it. */
async function letIn(
  { hosts }: Suite["cluster"],
  host: string,
  set: string,
  address: string,
  attempt: () => Promise<void>,
) {
  const [table, name] = set.split(" ");
  const element = `element inet hastack_${table} ${name} { ${address} }`;
  await hosts.sh(host, `nft add ${element}`);
  try {
    await attempt();
  } finally {
    await hosts.sh(host, `nft delete ${element}`);
  }
}

/** Exit codes of curl: no handshake, or a connection that the server ends right after it. */
const refusedByTls = [35, 55, 56];

const tlsInUse = "SELECT ssl, version FROM pg_stat_ssl WHERE pid = pg_backend_pid()";

function rejects(address: string, user: string, how: string): RegExp {
  const database = user === "workspad" ? user : "postgres";
  return new RegExp(
    `pg_hba.conf rejects connection for host "${address}", user "${user}", database "${database}", ${how}`,
  );
}

/** The file of a certificate that has signed nothing here. */
async function otherAuthority({ lab }: Suite["cluster"]): Promise<string> {
  const file = join(lab.state, "other-ca.crt");
  const args = ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=other"];
  const result = await run("openssl", [...args, "-keyout", "/dev/null", "-out", file]);
  assert.equal(result.code, 0, result.stderr);
  return file;
}

async function patroniWith({ lab }: Suite["cluster"], host: string, authority: string): Promise<void> {
  const result = await lab.exec([
    "curl",
    "-sS",
    "--max-time",
    "5",
    "--cacert",
    authority,
    `https://${host}:8008/primary`,
  ]);
  if (result.code !== 0) throw new Error(result.stderr);
}

/** curl's options for a certificate of a member. */
async function certificate({ lab, hosts }: Suite["cluster"], host: string, name: string): Promise<string[]> {
  const [certificateFile, keyFile] = [join(lab.state, `${name}.crt`), join(lab.state, `${name}.key`)];
  writeFileSync(certificateFile, await hosts.sh(host, `cat /etc/patroni/tls/${name}.crt`));
  writeFileSync(keyFile, await hosts.sh(host, `cat /etc/patroni/tls/${name}.key`), { mode: 0o600 });
  return ["--cert", certificateFile, "--key", keyFile];
}
