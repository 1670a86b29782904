/**
 * WorksPad's nodes on real hosts, with a PostgreSQL that was set up by hand. The package is the lab's stand-in
 * (lab/stand-ins/workspad). The tests run in order, each on what the ones before have left.
 */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { ProcessWatch } from "./support/process-watch";
import { formsOf } from "./support/secrets";
import { driftIn } from "./support/stack";
import { dataAddress, database, password, Site, user } from "./workspad-node/site";

const limit = { timeout: 300_000 };
const services = ["workspad-gateway", "workspad-assistant", "workspad-adminapi"];
const settingsFile = "/opt/workspad/GatewayService/appsettings.json";
const adminFile = "/opt/workspad/AdminApiService/appsettings.json";
const certificate = "/opt/workspad/certificates/dataprotection";
const step = "the settings of the services have the database";

describe("WorksPad on two nodes", () => {
  const site = new Site();
  const inOrder = () => site.succeeds("preview", "--expect-no-changes");
  const drift = async () => driftIn(await site.succeeds("preview", "--diff"));
  const seen: string[] = [];

  /** The settings of the gateway, as ASP.NET Core would read them. */
  const settings = async (node: string) =>
    JSON.parse((await site.on(node, `cat ${settingsFile}`)).replace(/^\s*\/\/.*$/gm, ""));
  /** Keywords and values of a connection string, as the stand-in reads them. */
  const connection = async (node: string) => {
    const code =
      "import json, settings; print(json.dumps(settings.libpq(settings.read()['ConnectionStrings']['WorksPadDatabase'])))";
    return JSON.parse(await site.on(node, `cd /opt/workspad/GatewayService && python3 -Bc "${code}"`));
  };
  const session = async (node: string, cookie: string) => (await site.ask(node, "/api/session", "-b", cookie)).status;

  before(() => site.start(), { timeout: 1_200_000 });
  after(() => site.stop());

  test(
    "`up` on fresh hosts answers the installer on its terminal, and a second preview changes nothing",
    limit,
    async () => {
      const watch = ProcessWatch.start(site.lab, "node1");
      seen.push(await site.up(), await watch.stop());
      assert.match(seen[0] ?? "", /package workspad installed/);
      assert.match(seen[1] ?? "", /terminal\.py apt-get install/);
      for (const node of site.nodes) {
        const { status, body } = await site.ask(node, "/health");
        assert.deepEqual({ status, body: JSON.parse(body) }, { status: 200, body: { node, database: "ok" } });
        assert.equal(await site.on(node, `systemctl is-enabled ${services.join(" ")}`), "enabled\n".repeat(3));
      }
      await inOrder();
    },
  );

  test(
    "any character in the names and the password is right in the settings, and the rest of them is there",
    limit,
    async () => {
      for (const node of site.nodes) {
        assert.deepEqual(await connection(node), {
          host: dataAddress,
          port: "5432",
          dbname: database,
          user,
          password,
          sslmode: "verify-full",
          sslrootcert: "/etc/hastack/workspad/database-ca.crt",
        });
        const { InstallationId, Kestrel } = await settings(node);
        assert.match(InstallationId, /^[0-9a-f-]{36}$/);
        assert.equal(Kestrel.Url, "https://*:4430");
        const text = await site.on(node, `cat ${settingsFile}`);
        assert.match(text, /^ {2}\/\/ Settings of the gateway\. A comment is no error here\.$/m);
        assert.equal(
          await site.on(node, `stat -c '%U:%G %a' ${settingsFile} ${certificate}.key`),
          "root:workspad 640\n".repeat(2),
        );
        assert.ok((await site.on(node, `cat ${adminFile}`)).includes(dataAddress));
      }
    },
  );

  test("a session made on one node is valid on the other, where a WebSocket stays open", limit, async () => {
    const cookie = await site.logIn("node1");
    const { body } = await site.ask("node2", "/api/session", "-b", cookie);
    assert.deepEqual(JSON.parse(body), { user: "admin", madeOn: "node1", servedBy: "node2" });
    assert.equal(await session("node2", `${cookie.slice(0, -8)}AAAAAAA=`), 401);
    assert.match(
      await site.on("node1", `python3 - '${cookie}'`, websocketProgram),
      /open for 4 s on node2: still here/,
    );
  });

  test("with another data-protection certificate it is not: that is drift, and healed", limit, async () => {
    const cookie = await site.logIn("node1");
    await site.on(
      "node2",
      `cp -a ${certificate}.key /root/old.key && openssl req -x509 -newkey rsa:2048 -nodes -subj /CN=other -out /root/new.crt -keyout /root/new.key 2>/dev/null &&
cat /root/new.crt >${certificate}.crt && cat /root/new.key >${certificate}.key && systemctl restart workspad-gateway`,
    );
    assert.equal(await session("node2", cookie), 401);
    assert.equal(await session("node1", cookie), 200);
    assert.deepEqual(await drift(), { "workspad-node2": `${certificate}.crt content; ${certificate}.key content` });
    const before = await site.invocations(...services);
    await site.up();
    assert.equal(await session("node2", cookie), 200);
    const { "node2 workspad-gateway": restarted, ...others } = await site.invocations(...services);
    const { "node2 workspad-gateway": wrong, ...same } = before;
    assert.notEqual(restarted, wrong);
    assert.deepEqual(others, same, "what has not seen the other certificate is not restarted");
  });

  test(
    "nothing is restarted without need: neither by `up`, nor for somebody else's part of the settings",
    limit,
    async () => {
      const before = await site.invocations(...services);
      await site.up();
      await site.on(
        "node1",
        `sed -i 's/"Default": "Information"/"Default": "Debug" \\/* by hand *\\//' ${settingsFile}`,
      );
      await inOrder();
      assert.deepEqual(await site.invocations(...services), before);
      await site.on("node1", `sed -i 's/ \\/\\* by hand \\*\\/// ' ${settingsFile}`);
    },
  );

  test("another database in the settings is named and healed, and what has seen it is restarted", limit, async () => {
    const [gateway = ""] = services;
    await site.on(
      "node1",
      `sed -i "s/Host='[0-9.]*'/Host='psql2'/; s/Password='jhYg/Password='other/" ${settingsFile}`,
    );
    assert.deepEqual(await drift(), {
      "workspad-node1": `${step}: ${settingsFile}: Host is psql2 instead of ${dataAddress}, another Password`,
    });
    const before = await site.invocations(gateway);
    await site.up();
    assert.deepEqual(await site.invocations(gateway), before, "it was not restarted while it was wrong");
    assert.equal((await connection("node1")).host, dataAddress);

    await site.on("node1", `sed -i "s/;SSL Mode/;Timeout=7;SSL Mode/" ${settingsFile} && systemctl restart ${gateway}`);
    const wrong = await site.invocations(gateway);
    assert.deepEqual(await drift(), {
      "workspad-node1": `${step}: ${settingsFile}: Timeout is 7 and should not be there`,
    });
    await site.up();
    const right = await site.invocations(gateway);
    assert.notEqual(right["node1 workspad-gateway"], wrong["node1 workspad-gateway"]);
    assert.equal(right["node2 workspad-gateway"], wrong["node2 workspad-gateway"]);
    await inOrder();
  });

  test(
    "a new version is installed on one node after the other, one always serves, and the settings survive",
    limit,
    async (t) => {
      const before = await settings("node1");
      const cookie = await site.logIn("node2");
      site.configure({ "hastack:version": "1.1" });
      let asked = 0;
      let down = 0;
      let running = true;
      const client = (async () => {
        while (running) {
          const answers = await Promise.allSettled(site.nodes.map((node) => site.ask(node, "/health")));
          if (!answers.some((a) => a.status === "fulfilled" && a.value.status === 200)) down++;
          asked++;
        }
      })();
      await site.up();
      running = false;
      await client;
      t.diagnostic(`both nodes asked ${asked} times; none healthy: ${down} times`);
      assert.ok(asked >= 10, `${asked}`);
      assert.equal(down, 0);
      for (const node of site.nodes) {
        assert.match((await site.ask(node, "/")).body, /WorksPad 1\.1 on/);
        assert.equal(await site.on(node, "apt-mark showhold"), "workspad\n");
        assert.equal(await session(node, cookie), 200);
      }
      assert.deepEqual(await settings("node1"), { ...before, Features: { Preview: true } });
      await inOrder();
    },
  );

  test("a password that is wrong stops at the first node, and both go on serving", limit, async () => {
    const before = await site.invocations(...services);
    const restore = site.configure({ "hastack:databasePassword": "wrong" });
    const printed = await site.fails("up", "--yes", "--skip-preview", "--suppress-progress");
    assert.match(printed, /the database lets WorksPad in.*\n?.*password authentication failed/);
    assert.doesNotMatch(printed, /workspad-node2 (creating|updating)/);
    assert.deepEqual(await site.invocations(...services), before);
    for (const node of site.nodes) assert.equal((await site.ask(node, "/health")).status, 200);
    restore();
    await site.up();
    assert.deepEqual(await site.invocations(...services), before);
  });

  test(
    "systems outside are looked for from each node: what does not answer is a warning, and no failure",
    limit,
    async () => {
      await site.on("data", 'systemd-run --quiet --unit=outside python3 -Bc "$(cat)"', outsideProgram);
      site.configure({
        "hastack:activeDirectory": { hosts: [dataAddress] },
        "hastack:exchange": { host: dataAddress },
      });
      const printed = await site.up();
      for (const [i, node] of site.nodes.entries()) {
        const where = `Active Directory (LDAPS) at ${dataAddress}:636`;
        assert.ok(printed.includes(`${node}: ${where} is not to be had: [Errno 111] Connection refused`), printed);
        const said = (await site.outputs()).outside[i] ?? "";
        assert.match(said, /^Active Directory \(LDAP\) at 192\.168\.1\.150:389: answers, \d+ ms$/m);
        assert.match(said, /^Active Directory \(Kerberos\) at 192\.168\.1\.150:88: answers, /m);
        assert.match(
          said,
          /^Exchange \(EWS\) at 192\.168\.1\.150:443: \/EWS\/Exchange\.asmx answers with status 401, /m,
        );
      }
      await inOrder();
    },
  );

  test(
    "a package that asks in debconf is answered there, from a file with a digest, and debconf keeps no password",
    limit,
    async () => {
      const file = readFileSync(join(site.lab.state, "www/debian-12/pool/workspad_1.1_all.deb"));
      await site.on(
        "node2",
        "apt-get -qq -y --allow-change-held-packages purge workspad >/dev/null 2>&1; ! ls /opt/workspad 2>/dev/null",
      );
      const never = "^this is asked by nobody$";
      const question = (name: string) => `workspad/database-${name}`;
      site.configure({
        "hastack:deb": {
          name: "workspad",
          version: "1.1",
          sha256: createHash("sha256").update(file).digest("hex"),
          url: "http://192.168.1.1:8080/debian-12/pool/workspad_1.1_all.deb",
        },
        "hastack:prompts": { host: never, name: never, user: never, password: never },
        "hastack:debconf": {
          host: question("host"),
          name: question("name"),
          user: question("user"),
          password: question("password"),
        },
      });
      seen.push(await site.up());
      assert.equal((await site.ask("node2", "/health")).status, 200);
      assert.deepEqual(await connection("node2"), await connection("node1"));
      const known = ["name", "password"].map((name) => `echo 'GET ${question(name)}'`).join("; ");
      assert.equal(await site.on("node2", `{ ${known}; } | debconf-communicate`), `0 ${database}\n0 \n`);
      await inOrder();
    },
  );

  test("with balancers named, only they reach a node's port", limit, async () => {
    const restore = site.configure({ "hastack:balancers": ["192.168.1.1"] });
    await site.up();
    assert.equal((await site.ask("node1", "/health")).status, 200, "from the balancer's address");
    const stranger = "import socket; socket.create_connection(('node1', 4430), 3)";
    assert.match(await site.on("node2", `python3 -c "${stranger}" 2>&1 || true`), /Connection refused/);
    restore();
    await site.up();
    await site.on("node2", `python3 -c "${stranger}"`);
  });

  test("no secret is in an output, a command line, a journal, or a file that others can read", limit, async () => {
    seen.push(await site.succeeds("preview", "--diff"));
    const { privateKey } = await site.outputs();
    const written = [password, password.replaceAll("'", "''"), privateKey.split("\n")[10] ?? ""];
    const secrets = written.flatMap(formsOf);
    for (const node of site.nodes) {
      seen.push(await site.on(node, "journalctl --no-pager -q --all; cat /proc/[0-9]*/cmdline | tr '\\0' ' '"));
      const search =
        "LC_ALL=C setpriv --reuid=65534 --regid=65534 --clear-groups grep -rlsaF -D skip -f - /etc /var /run /tmp /root /opt /usr/local || true";
      assert.equal(await site.on(node, search, secrets.join("\n")), "");
      assert.match(await site.on(node, `grep -rlsaF -f - /etc /opt || true`, secrets.join("\n")), /connection-string/);
    }
    for (const text of seen) {
      for (const secret of secrets) assert.equal(text.includes(secret), false);
    }
  });

  test("`destroy` leaves the package with its settings, and nothing of ours", limit, async () => {
    await site.succeeds("destroy", "--yes", "--skip-preview");
    const places = [
      "/etc/hastack",
      "/usr/local/lib/hastack/workspad",
      `${certificate}.*`,
      "/var/lib/hastack/units/workspad*",
      "/var/lib/hastack/workspad",
    ];
    for (const node of site.nodes) {
      assert.equal(await site.on(node, `ls -d ${places.join(" ")} 2>/dev/null; true`), "");
      assert.equal(await site.on(node, `systemctl is-active ${services.join(" ")}; true`), "inactive\n".repeat(3));
      assert.equal(await site.on(node, `systemctl is-enabled ${services.join(" ")}; true`), "disabled\n".repeat(3));
      assert.equal(await site.on(node, "apt-mark showhold"), "");
      await site.on(node, `test -f ${settingsFile}`);
    }
  });
});

/** A client that stays connected and is silent for a while. */
const websocketProgram = `
import asyncio, ssl, sys, aiohttp

async def main():
    tls = ssl.create_default_context()
    tls.check_hostname, tls.verify_mode = False, ssl.CERT_NONE
    async with aiohttp.ClientSession(headers={"Cookie": sys.argv[1]}) as client:
        async with client.ws_connect("https://node2:4430/ws", ssl=tls) as connection:
            node = (await connection.receive_json())["node"]
            await asyncio.sleep(4)
            await connection.send_str("still here")
            print(f"open for 4 s on {node}:", await connection.receive_str())

asyncio.run(main())
`;

/** The ports of a directory without LDAPS, and of a mail server that asks for a login. */
const outsideProgram = `
import http.server, socketserver, ssl, threading

class Login(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_error(401)

for port in (389, 88):
    server = socketserver.ThreadingTCPServer(("", port), socketserver.BaseRequestHandler)
    threading.Thread(target=server.serve_forever).start()
tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
tls.load_cert_chain("/etc/postgresql/15/main/server.crt", "/etc/postgresql/15/main/server.key")
mail = http.server.ThreadingHTTPServer(("", 443), Login)
mail.socket = tls.wrap_socket(mail.socket, server_side=True)
mail.serve_forever()
`;
