import type { ChildProcessWithoutNullStreams } from "node:child_process";
import { copyFileSync } from "node:fs";
import { join } from "node:path";
import { environmentOf } from "../support/psql";
import type { ChangingCluster } from "./cluster";

/** Errors of TLS: the client does not believe the server, or the server not the client. */
const distrust = /certificate|alert|unknown ca/i;

/**
 * Clients that believe nobody without a certificate, and connect anew again and again while something is changed: psql
 * and etcdctl with the certificates as they were before, and every member's Patroni with every other's.
 */
export class VerifyingClients {
  private readonly clients: ChildProcessWithoutNullStreams[] = [];
  private readonly printed: string[] = [];

  static async start(cluster: ChangingCluster): Promise<VerifyingClients> {
    const clients = new VerifyingClients();
    const { lab, hosts } = cluster;
    const caFile = join(lab.state, "verifying-ca.crt");
    copyFileSync(cluster.caFile, caFile);
    const outside = [
      "while sleep 0.2; do",
      `  for host in ${hosts.names.join(" ")}; do`,
      '    said=$(psql -XAtq -d "host=$host" -c "SELECT 1" 2>&1) && echo answered || echo "psql: $host: $said"',
      "  done",
      "done",
    ].join("\n");
    const login = { ...cluster.login("workspad"), sslrootcert: caFile };
    clients.listenTo(lab.begin(["bash", "-c", outside], environmentOf(login)));
    for (const host of hosts.names) clients.listenTo(lab.beginOn(host, `exec python3 -B -c '${peers}'`));
    return clients;
  }

  /** Ends them; returns how often they were answered, and everything that must not have happened. */
  stop(): { logins: number; reads: number; broken: string[] } {
    for (const client of this.clients) client.kill();
    const lines = this.printed.join("").split("\n");
    return {
      logins: lines.filter((line) => line === "answered").length,
      reads: lines.filter((line) => line === "etcd answered").length,
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

/** On a member: asks all members' Patroni the way they ask each other, and their etcd. It ends with its standard input. */
const peers = `
import os, select, shutil, subprocess, sys, tempfile
sys.path.insert(0, "/usr/local/lib/hastack/patroni")
from rest import Member
from roll import at

def ask(me):
    for m in me.members():
        try:
            at(m).ask_once("GET", "/patroni", None, 5)
        except OSError as error:
            print(me.name, "asks:", error, flush=True)
        asked = subprocess.run(["etcdctl", "--command-timeout=5s", "get", "/", "--limit=1"], capture_output=True, text=True,
            env={**etcdctl, "ETCDCTL_ENDPOINTS": "https://" + m["host"] + ":2379"})
        print("etcd answered" if asked.returncode == 0 else f"{me.name} asks etcd: {asked.stderr}", flush=True)

with tempfile.TemporaryDirectory() as copies:
    for file in ("ca.crt", "root.crt", "root.key"):
        shutil.copy("/etc/etcd/tls/" + file, copies)
    etcdctl = {"PATH": os.environ["PATH"], "ETCDCTL_API": "3", "ETCDCTL_CACERT": copies + "/ca.crt",
        "ETCDCTL_CERT": copies + "/root.crt", "ETCDCTL_KEY": copies + "/root.key"}
    while not select.select([sys.stdin], [], [], 1)[0]:
        try:
            ask(Member())
        except OSError as error:
            print(error, flush=True)
`;
