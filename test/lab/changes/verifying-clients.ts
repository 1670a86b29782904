import type { ChildProcessWithoutNullStreams } from "node:child_process";
import { copyFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { environmentOf } from "../support/psql";
import type { ChangingCluster } from "./cluster";

/** Errors of TLS: the client does not believe the server, or the server not the client. */
const distrust = /certificate|alert|unknown ca/i;

/**
 * Clients that believe nobody without a certificate, and connect anew again and again while something is changed: psql
 * and a client of etcd with the authority's certificate as it was before, and every member's Patroni with every other.
 */
export class VerifyingClients {
  private readonly clients: ChildProcessWithoutNullStreams[] = [];
  private readonly printed: string[] = [];

  static async start(cluster: ChangingCluster): Promise<VerifyingClients> {
    const clients = new VerifyingClients();
    const { lab, hosts } = cluster;
    const [first = ""] = hosts.names;
    const file = (name: string) => join(lab.state, `verifying-${name}`);
    copyFileSync(cluster.caFile, file("ca.crt"));
    for (const name of ["etcd.crt", "etcd.key"]) {
      writeFileSync(file(name), await hosts.sh(first, `cat /etc/patroni/tls/${name}`), { mode: 0o600 });
    }
    const outside = [
      "while sleep 0.2; do",
      `  for host in ${hosts.names.join(" ")}; do`,
      '    said=$(psql -XAtq -d "host=$host" -c "SELECT 1" 2>&1) && echo answered || echo "psql: $host: $said"',
      `    said=$(curl -sS --max-time 5 -o /dev/null --cacert ${file("ca.crt")} --cert ${file("etcd.crt")} \\`,
      `      --key ${file("etcd.key")} "https://$host:2379/health" 2>&1) || echo "etcd: $host: $said"`,
      "  done",
      "done",
    ].join("\n");
    const login = { ...cluster.login("workspad"), sslrootcert: file("ca.crt") };
    clients.listenTo(lab.begin(["bash", "-c", outside], environmentOf(login)));
    for (const host of hosts.names) clients.listenTo(lab.beginOn(host, `exec python3 -B -c '${peers}'`));
    return clients;
  }

  /** Ends them; returns how often psql was answered, and everything that must not have happened. */
  stop(): { answered: number; broken: string[] } {
    for (const client of this.clients) client.kill();
    const lines = this.printed.join("").split("\n");
    return {
      answered: lines.filter((line) => line === "answered").length,
      // A member of etcd that restarts refuses connections, and so does Patroni while it loads a new certificate.
      broken: lines.filter((line) => line.startsWith("psql: ") || distrust.test(line)),
    };
  }

  private listenTo(client: ChildProcessWithoutNullStreams): void {
    client.stdin.on("error", () => undefined);
    for (const stream of [client.stdout, client.stderr]) {
      stream.on("data", (chunk: Buffer) => this.printed.push(chunk.toString()));
    }
    this.clients.push(client);
  }
}

/** On a member: asks all members' Patroni the way the members ask each other. It ends with its standard input. */
const peers = `
import select, sys
sys.path.insert(0, "/usr/local/lib/hastack/patroni")
from rest import Member
from roll import at
while not select.select([sys.stdin], [], [], 0.3)[0]:
    try:
        me = Member()
        for m in me.members():
            try:
                at(m).ask_once("GET", "/patroni", None, 5)
            except OSError as error:
                print(me.name, "asks:", error, flush=True)
    except OSError as error:
        print(error, flush=True)
`;
