import assert from "node:assert/strict";
import { serverName } from "../site/workspad";
import { eventually, failure } from "../support/process";
import { environmentOf } from "../support/psql";
import { nodes, type Site, type SiteSuite } from "./site";

/** Seconds that the database takes over the request, so that all of its way can be seen at once. */
const lasting = 10;

const connections = "ss -Htnp state established";

/** "How a user's request passes": the article's seven steps, each seen where it happens. */
export function trace({ promise, cluster: site }: SiteSuite): void {
  promise("a request is traced from the client through every hop to the primary, and TLS on each", async (t) => {
    const mark = `trace-${Date.now()}`;
    const balancer = await site.holder();
    const proxy = await site.proxyHolder();
    const primary = await site.hosts.leader();
    const session = await site.session();
    const path = `/api/users?name=${mark}&wait=${lasting}`;
    const answered = site.ask(path, ...session, "--max-time", "60");
    const backend = await eventually("the primary works on the query", lasting, () => backendOf(site, primary, mark));
    const [atBalancer, atNodes, atProxy, servers, clients] = await Promise.all([
      site.sh(balancer, connections),
      Promise.all(nodes.map((node) => site.sh(node, connections))),
      site.sh(proxy, connections),
      consoleTable(site, proxy, "SHOW SERVERS"),
      consoleTable(site, proxy, "SHOW CLIENTS"),
    ]);
    const { servedBy } = JSON.parse(await answered) as { servedBy: string };
    const node = addressOf(site, servedBy);

    // The client is connected to the entry's address; nginx there, to the node that has answered.
    assert.match(atBalancer, new RegExp(`${site.entry}:443 +192\\.168\\.1\\.1:\\d+ .*"nginx"`));
    assert.match(atBalancer, new RegExp(` ${node}:4430 .*"nginx"`));
    const logged = await site.sh(balancer, `grep -F 'name=${mark}' /var/log/nginx/hastack/access.log`);
    assert.match(logged, new RegExp(`^192\\.168\\.1\\.1 .* ${serverName} .*"${node}:4430" "200"`));
    t.diagnostic(`${balancer}: ${logged}`);

    // The primary's backend is PgBouncer's server, which is linked to a client: that is the node's gateway.
    const server = servers.find((row) => row.remote_pid === backend.pid) ?? {};
    const client = clients.find((row) => row.ptr !== undefined && row.ptr === server.link) ?? {};
    assert.equal(client.addr, node);
    const gateway = new RegExp(`:${client.port} +${site.databaseAddress}:6432 .*"(python3|gateway\\.py)"`);
    assert.match(atNodes[nodes.indexOf(servedBy)] ?? "", gateway);
    t.diagnostic(`${servedBy}: the gateway, from ${client.addr}:${client.port} to ${site.databaseAddress}:6432`);

    // PgBouncer on the proxy with that address speaks to HAProxy on the same host, and HAProxy to the primary.
    assert.equal(server.addr, "127.0.0.1");
    assert.equal(backend.address, addressOf(site, proxy));
    assert.match(atProxy, new RegExp(`:${backend.port} +${addressOf(site, primary)}:5432 .*"haproxy"`));
    t.diagnostic(`${proxy}: PgBouncer, then HAProxy from ${backend.address}:${backend.port}`);
    t.diagnostic(`${primary}: PostgreSQL's backend ${backend.pid}`);

    // TLS on each: curl has verified the entry.
    const verified = `openssl s_client -connect ${node}:4430 -CAfile /etc/nginx/hastack/tested/live/ca.crt -verify_hostname ${serverName} -verify_return_error -brief </dev/null 2>&1`;
    assert.match(await site.sh(balancer, verified), /Protocol version: TLSv1\.[23][\s\S]*Verification: OK/);
    assert.match(await site.sh(balancer, "cat /etc/nginx/hastack/tested/live/nginx.conf"), /proxy_ssl_verify on;/);
    assert.match(client.tls ?? "", /^TLSv1\.[23]/, "between WorksPad and PgBouncer");
    assert.match(server.tls ?? "", /^TLSv1\.[23]/, "between PgBouncer and PostgreSQL");
    assert.match(backend.tls, /^TLSv1\.[23]$/);
  });
}

/** What the primary says of the backend that has the marked query. */
async function backendOf(site: Site, primary: string, mark: string) {
  const found = await site.hosts.superuser(
    primary,
    `SELECT pid, client_addr, client_port, version FROM pg_stat_activity JOIN pg_stat_ssl USING (pid)
     WHERE state = 'active' AND query LIKE '%${mark}%' AND pid <> pg_backend_pid()`,
  );
  if (found === "") return undefined;
  const [pid = "", address = "", port = "", tls = ""] = found.split("|");
  return { pid, address, port, tls };
}

/** An answer of PgBouncer's console, by column. */
async function consoleTable(site: Site, proxy: string, command: string): Promise<Record<string, string>[]> {
  const login = site.consoleOf(proxy);
  const psql = ["psql", "-XA", "-F", "\t", "-P", "footer=off", "-d", login.options ?? "", "-c", command];
  const result = await site.lab.exec(psql, { env: environmentOf(login) });
  if (result.code !== 0) throw new Error(failure("psql", [command], result));
  const [head = [], ...rows] = result.stdout
    .trimEnd()
    .split("\n")
    .map((line) => line.split("\t"));
  return rows.map((cells) => Object.fromEntries(head.map((name, i) => [name, cells[i] ?? ""])));
}

function addressOf(site: Site, host: string): string {
  const hosts = site.stack.settings["hastack:hosts"] as Record<string, { address: string }>;
  return hosts[host]?.address ?? "";
}
