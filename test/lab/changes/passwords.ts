import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { eventually } from "../support/process";
import { answer, refusal } from "../support/psql";
import { OpenSession } from "./open-session";
import type { ChangesSuite } from "./suite";
import { underWrites } from "./under-writes";

/** New passwords on a running cluster. */
export function passwords({ promise, cluster }: ChangesSuite): void {
  promise("passwords rotate by raising one number: who is connected stays so, old passwords are refused", async (t) => {
    const { lab, hosts } = cluster;
    const leader = await cluster.whole();
    const old = cluster.login("workspad", leader);
    const oldRest = await restPasswords(cluster);
    const open = new OpenSession(lab, old);
    const { passwordRotation: rotation = 0 } = cluster.stack.settings["hastack:postgres"] as {
      passwordRotation?: number;
    };
    const backend = await open.ask("SELECT pg_backend_pid()");
    const starts = await cluster.starts();
    await underWrites(t, cluster, 3, () => cluster.change({ passwordRotation: rotation + 1 }));
    assert.equal(await open.ask("SELECT pg_backend_pid()"), backend, "the open connection is the same");
    open.end();
    assert.deepEqual(await cluster.starts(), starts, "nothing was restarted");

    assert.notEqual(cluster.passwordOf("workspad"), old.password);
    for (const host of hosts.names) {
      assert.equal(await answer(lab, cluster.login("workspad", host), "SELECT 1"), "1", host);
      assert.match(await refusal(lab, { ...old, host }), /password authentication failed for user "workspad"/);
    }

    // Patroni asks for the new password, and knows the other members' as well.
    const newRest = await restPasswords(cluster);
    const certificate = await clientCertificate(cluster, leader);
    const change = async (host: string, password = "") => {
      const options = ["-X", "PATCH", "-d", '{"loop_wait": 5}', "--user", `patroni:${password}`]; // as it is already
      return (await hosts.patroni(host, "/config", ...certificate, ...options)).status;
    };
    for (const host of hosts.names) {
      assert.notEqual(newRest[host], oldRest[host], host);
      assert.equal(await change(host, newRest[host]), 200, host);
      assert.equal(await change(host, oldRest[host]), 401, host);
    }

    // A new connection for replication needs the new password.
    for (const replica of await hosts.replicas()) {
      await hosts.sh(replica, "systemctl restart patroni");
      assert.equal(await cluster.whole(), leader);
    }
    await eventually("the preview is clean", 30, async () => {
      await cluster.clean();
      return true;
    });
  });
}

/** Patroni's password for its REST API as each member's file has it. */
function restPasswords({ hosts }: ChangesSuite["cluster"]): Promise<Record<string, string>> {
  const read =
    'import yaml; print(yaml.safe_load(open("/etc/patroni/config.yml"))["restapi"]["authentication"]["password"])';
  return hosts.all(`printf %s "$(python3 -c '${read}')"`);
}

/** curl's options for the client certificate without which Patroni changes nothing. */
async function clientCertificate({ hosts, lab }: ChangesSuite["cluster"], member: string): Promise<string[]> {
  const options: string[] = [];
  for (const [option, name] of [
    ["--cert", "server.crt"],
    ["--key", "server.key"],
  ] as const) {
    const file = join(lab.state, `client-${name}`);
    writeFileSync(file, await hosts.sh(member, `cat /etc/patroni/tls/${name}`), { mode: 0o600 });
    options.push(option, file);
  }
  return options;
}
