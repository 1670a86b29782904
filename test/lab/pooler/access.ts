import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { fromForeignAddress } from "../support/foreign-address";
import { run } from "../support/process";
import { answer, psql, refusal } from "../support/psql";
import { port, virtualIp } from "./cluster";
import type { PoolerSuite } from "./suite";

/** Who gets in through the address, and who does not, seen from a client in the network. */
export function access({ promise, cluster }: PoolerSuite): void {
  promise(
    "the address proves what it is to a client that trusts the authority; each host by its name as well",
    async () => {
      const { lab, proxies } = cluster;
      for (const host of [virtualIp, ...proxies.names, ...Object.values(proxies.addresses)]) {
        assert.equal(await answer(lab, { ...cluster.through(), host }, "SELECT 1"), "1", host);
      }
      const other = join(lab.state, "other-ca.crt");
      const subject = ["-subj", "/CN=other", "-nodes", "-keyout", "/dev/null", "-out", other];
      const made = await run("openssl", ["req", "-x509", "-newkey", "rsa:2048", ...subject]);
      assert.equal(made.code, 0, made.stderr);
      assert.match(await refusal(lab, { ...cluster.through(), sslrootcert: other }), /certificate verify failed/);
    },
  );

  promise(
    "the connection strings of `endpoint` work as they are, and lead into the database as its owner",
    async () => {
      const { lab } = cluster;
      const { url, conninfo, caCertificate } = cluster.endpoints.workspad ?? {
        url: "",
        conninfo: "",
        caCertificate: "",
      };
      const root = join(lab.state, "endpoint-ca.crt");
      writeFileSync(root, caCertificate);
      for (const given of [url, conninfo]) {
        const command = ["psql", "-XAtq", "-c", "SELECT current_user || '|' || current_database()", given];
        const result = await lab.exec(command, { env: { PGSSLROOTCERT: root } });
        assert.deepEqual([result.stdout, result.stderr], ["workspad|workspad\n", ""]);
      }
    },
  );

  promise("a wrong password, an unknown role and a client without TLS are refused", async () => {
    const { lab } = cluster;
    const login = cluster.through();
    assert.match(
      await refusal(lab, { ...login, password: "wrong" }),
      /password authentication failed|SASL authentication failed/,
    );
    assert.match(await refusal(lab, { ...login, user: "nobody", database: "workspad" }), /no such user/);
    assert.match(await refusal(lab, { ...login, sslmode: "disable" }), /SSL required/);
    assert.match(await refusal(lab, { ...login, database: "postgres" }), /no such database|SASL authentication failed/);
  });

  promise("the cluster's own roles, and those of PgBouncer, do not get in, even with their passwords", async () => {
    const { lab, proxies } = cluster;
    for (const role of ["postgres", "replicator", "rewind_user"]) {
      const message = await refusal(lab, cluster.through(role, "workspad"));
      assert.match(message, /no such user|SASL authentication failed|pg_hba.conf rejects/, role);
    }
    for (const user of ["pgbouncer_admin", "pgbouncer_stats"]) {
      const login = { ...cluster.consoleOf(virtualIp, user), database: "workspad" };
      assert.match(await refusal(lab, login), /authentication failed|no such user/, user);
    }
    for (const host of proxies.names) {
      assert.match(await answer(lab, cluster.consoleOf(host), "SHOW VERSION"), /^PgBouncer /);
      assert.match(await refusal(lab, { ...cluster.consoleOf(host), password: "wrong" }), /authentication failed/);
      const stats = cluster.consoleOf(host, "pgbouncer_stats");
      assert.match((await psql(lab, stats, "PAUSE")).stderr, /admin access needed/);
    }
  });

  promise("the role that looks passwords up may call one function, which tells nothing about superusers", async () => {
    const { lab, hosts } = cluster;
    const leader = await hosts.leader();
    const [proxy = ""] = cluster.proxies.names;
    const password = cluster.passwordOf("pgbouncer");
    // From a pooler's host, for nobody else reaches PostgreSQL at all.
    const as = (query: string) =>
      cluster.proxies.sh(
        proxy,
        `PGPASSWORD='${password}' psql -XAtq 'host=${leader} user=pgbouncer dbname=workspad sslmode=require' -f - 2>&1 || true`,
        query,
      );
    assert.match(
      await as("SELECT usename, left(passwd, 13) FROM pgbouncer.user_lookup('workspad')"),
      /^workspad\|SCRAM-SHA-256$/m,
    );
    for (const role of ["postgres", "replicator", "pgbouncer", "nobody"]) {
      assert.equal(
        await as(`SELECT coalesce(passwd, 'none') FROM pgbouncer.user_lookup('${role}') WHERE passwd IS NOT NULL`),
        "\n".slice(1),
        role,
      );
    }
    for (const query of ["SELECT rolpassword FROM pg_authid", "CREATE TABLE mine ()", "CREATE SCHEMA mine"]) {
      assert.match(await as(query), /permission denied/, query);
    }
    const others = await psql(lab, cluster.through(), "SELECT * FROM pgbouncer.user_lookup('workspad')");
    assert.match(others.stderr, /permission denied for schema pgbouncer/);
  });

  promise("a client from a network that is not named reaches neither the address nor what is behind it", async () => {
    const { lab, hosts, proxies } = cluster;
    const login = cluster.through();
    await fromForeignAddress(lab, virtualIp, async () => {
      assert.match(await refusal(lab, login), /Connection refused/);
    });
    assert.equal(await answer(lab, login, "SELECT 1"), "1");

    const refused = async (where: string, port: number, from?: string) => {
      const knock = `timeout 5 bash -c '</dev/tcp/${where}/${port}' 2>&1 || true`;
      const said = from ? await proxies.sh(from, knock) : (await lab.exec(["bash", "-c", knock])).stdout;
      return /Connection refused/.test(said);
    };
    const [proxy = ""] = proxies.names;
    for (const address of Object.values(hosts.addresses)) {
      assert.equal(await refused(address, 5432), true, "clients go through the address only");
      assert.equal(await refused(address, 5432, proxy), false);
      assert.equal(await refused(address, 8008, proxy), false);
      for (const etcd of [2379, 2380]) {
        assert.equal(await refused(address, etcd), true);
        assert.equal(await refused(address, etcd, proxy), true, "not even a pooler needs etcd");
      }
    }
    for (const address of Object.values(proxies.addresses)) {
      assert.equal(await refused(address, port), false);
      for (const inner of [5000, 5001, 7000])
        assert.equal(await refused(address, inner), true, `${inner} is on loopback only`);
    }
  });
}
