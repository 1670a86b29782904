/**
 * RuDesktop's nodes on real hosts, with a PostgreSQL and a Redis that were set up by hand. The package is the lab's
 * stand-in (lab/stand-ins/rudesktop). The tests run in order, each on what the ones before have left.
 */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { after, before, describe, test } from "node:test";
import { envFile, url } from "../../components/formats";
import { databasePassword, redisPassword, Site, secretKey } from "./rudesktop/site";
import { pause, secondsSince } from "./support/process";
import { formsOf } from "./support/secrets";

const limit = { timeout: 300_000 };
const services = ["rudesktop", "rudesktop-relay"];
const check = "/usr/local/lib/hastack/rudesktop/check.py";

describe("RuDesktop on two nodes", () => {
  const site = new Site();
  const inOrder = () => site.succeeds("preview", "--expect-no-changes");
  /** What differs on the hosts, as a preview says it. */
  const drift = async () => (await site.succeeds("preview", "--diff")).match(/drift:\w+ [^']*/g)?.join("\n") ?? "";

  before(() => site.start(), { timeout: 1_200_000 });
  after(() => site.stop());

  test("`up` on fresh hosts makes both healthy, and a second preview changes nothing", limit, async (t) => {
    const started = performance.now();
    await site.up();
    const measured = await site.connectivity();
    t.diagnostic(`up on fresh hosts: ${secondsSince(started)} s`);
    for (const node of site.nodes) {
      const { status, body } = await site.ask(node, "/health");
      assert.deepEqual(
        { status, body: JSON.parse(body) },
        { status: 200, body: { node, postgres: "ok", redis: "ok" } },
      );
    }
    for (const said of measured) {
      t.diagnostic(said.trim().replace("\n", "; "));
      assert.match(said, /^PostgreSQL at 192\.168\.1\.150:5432: logged in as desk over TLS, its certificate verified/);
      assert.match(said, /^Redis at 192\.168\.1\.150:6379: PING answered, round trip \d+\.\d\d ms$/m);
    }
    await inOrder();
  });

  test(
    "any character in a value reaches RuDesktop by systemd, by the shell of `rude`, and by TOML",
    limit,
    async () => {
      const wanted = { POSTGRES_PASSWORD: databasePassword, SECRET_KEY: secretKey };
      const names = "POSTGRES_PASSWORD|SECRET_KEY";
      const pick = `grep -zE '^(${names})=' | tr '\\0' '\\n'`;
      const systemd = await site.on("node1", `cat /proc/$(systemctl show -P MainPID rudesktop)/environ | ${pick}`);
      const shell = await site.on("node1", `env -i sh -c 'set -a; . /etc/default/rudesktop; env -0' | ${pick}`);
      const toml = await site.on(
        "node1",
        `python3 -c 'import tomllib; print(tomllib.load(open("/etc/rudesktop-relay.toml", "rb"))["redis_server"])'`,
      );
      for (const printed of [systemd, shell]) {
        const lines = printed.trim().split("\n");
        const found = Object.fromEntries(lines.map((line) => [line.split("=", 1)[0], line.replace(/^\w+=/, "")]));
        assert.deepEqual(found, wanted);
      }
      assert.equal(decodeURIComponent(toml.trim()), `redis://:${redisPassword}@192.168.1.150:6379`);
    },
  );

  test("a session made on one node is valid on the other, and a device is seen from both", limit, async () => {
    const session = await site.logIn("node1");
    const header = ["-H", `Authorization: Bearer ${session}`];
    const seen = await site.ask("node2", "/api/session", ...header);
    assert.deepEqual(JSON.parse(seen.body), { user: "admin", madeOn: "node1", servedBy: "node2" });
    assert.equal((await site.ask("node2", "/api/session", "-H", "Authorization: Bearer forged.0")).status, 401);

    await site.ask("node2", "/api/devices", ...header, "--json", '{"id":"d1"}');
    const device = site.lab.beginOn("node2", `python3 - ${"node1"}`);
    device.stdin.end(deviceProgram);
    const printed: string[] = [];
    device.stdout.on("data", (chunk: Buffer) => printed.push(chunk.toString()));
    while (!printed.join("").includes("connected")) await pause(0.1);
    const devices = await site.ask("node2", "/api/devices", ...header);
    assert.deepEqual(JSON.parse(devices.body), [{ id: "d1", connectedTo: "node1" }]);
    await new Promise((resolve) => device.once("close", resolve));
    assert.match(printed.join(""), /open for 4 s/, "a WebSocket through nginx stays open while nobody says anything");
  });

  test("nginx speaks TLS 1.2 and 1.3 and nothing older", limit, async () => {
    for (const version of ["1.2", "1.3"]) {
      assert.equal((await site.ask("node1", "/", `--tlsv${version}`, "--tls-max", version)).status, 200);
    }
    await assert.rejects(site.ask("node1", "/", "--tlsv1.1", "--tls-max", "1.1"));
  });

  test("PostgreSQL and Redis of the package stay off, also after `rude restart` and a reboot", limit, async () => {
    const embedded = "systemctl is-active rudesktop-postgresql rudesktop-redis; true";
    await site.on("node2", "rude restart");
    assert.equal(await site.on("node2", embedded), "inactive\ninactive\n");
    await site.lab.lab(["reboot", "node2"]);
    await site.healthy("node2");
    assert.equal(await site.on("node2", embedded), "inactive\ninactive\n");
    await inOrder();
  });

  test("nothing is restarted without need", limit, async () => {
    const before = await site.invocations(...services, "nginx");
    await site.up();
    await site.on("node1", "echo 'POSTGRES_PORT=1' >>/etc/default/rudesktop");
    assert.match(await drift(), /\/etc\/default\/rudesktop content/);
    await site.up();
    assert.deepEqual(await site.invocations(...services, "nginx"), before, "no process has seen the wrong file");
    await inOrder();
  });

  test("what was started with a wrong file is restarted when the file is healed", limit, async () => {
    await site.on(
      "node1",
      "echo 'RELAY_ARGS=\"-C /etc/rudesktop-relay.toml -C /etc/other.toml\"' >>/etc/default/rudesktop",
    );
    await site.on("node1", "cp /etc/rudesktop-relay.toml /etc/other.toml && chmod a+r /etc/other.toml && rude restart");
    const { "node1 rudesktop-relay": wrong } = await site.invocations("rudesktop-relay");
    const found = await drift();
    assert.match(found, /RELAY_ARGS/, "the nodes no longer agree");
    await site.up();
    assert.notEqual((await site.invocations("rudesktop-relay"))["node1 rudesktop-relay"], wrong);
    const relay = await site.on("node1", "tr '\\0' ' ' </proc/$(systemctl show -P MainPID rudesktop-relay)/cmdline");
    assert.match(relay, /relay.py -C \/etc\/rudesktop-relay.toml $/);
    await inOrder();
  });

  test("a changed file restarts one node after the other, and one always serves", limit, async (t) => {
    const before = await site.invocations(...services);
    const session = await site.logIn("node2");
    site.configure({ "hastack:tomlFiles": { "rz.toml": "expiry = 40" } });
    const seenBy = client(site);
    await site.up();
    const { asked, noneServed, broken } = await seenBy.end();
    t.diagnostic(`both nodes asked ${asked} times`);
    assert.ok(asked >= 10, `${asked}`);
    assert.equal(noneServed, 0);
    assert.deepEqual(broken, [], "a node is open and serves, or its port is closed, so that a balancer goes elsewhere");
    const now = await site.invocations(...services);
    for (const [service, invocation] of Object.entries(now)) assert.notEqual(invocation, before[service], service);
    const seen = await site.ask("node1", "/api/session", "-H", `Authorization: Bearer ${session}`);
    assert.equal(seen.status, 200, "the session outlives the restart of the node that has made it");
    await inOrder();
  });

  test("a value that is missing is named by `rude restart`, and healed", limit, async () => {
    await site.on("node1", "sed -i /^SECRET_KEY/d /etc/default/rudesktop");
    assert.match(
      await site.on("node1", "rude restart 2>&1 || true"),
      /SECRET_KEY.*missing in \/etc\/default\/rudesktop/,
    );
    assert.match(
      await site.on("node1", `${check} identity || true`),
      /SECRET_KEY is missing in \/etc\/default\/rudesktop/,
    );
    await site.up();
    await inOrder();
  });

  test("a wrong password stops at the first node, and both go on serving", limit, async () => {
    const before = await site.invocations(...services, "nginx");
    const restore = site.configure({ "hastack:redisPassword": "wrong" });
    const printed = await site.fails("up", "--yes", "--skip-preview", "--suppress-progress");
    assert.match(printed, /Redis lets RuDesktop in.*\n?.*WRONGPASS/);
    assert.doesNotMatch(printed, /rudesktop-node2 (creating|updating)/);
    assert.deepEqual(await site.invocations(...services, "nginx"), before);
    for (const node of site.nodes) assert.equal((await site.ask(node, "/health")).status, 200);
    restore();
    await site.up();
    await inOrder();
  });

  test("nodes that do not use the same Redis, or the same values, are told apart", limit, async () => {
    await site.on("node2", `${check} agree node1 node2`);
    assert.match(
      await site.on("node2", `${check} agree node9 || true`),
      /node9 has left nothing in the Redis that this node uses/,
    );
    const key = "hastack:rudesktop:nodes";
    const client = 'REDISCLI_AUTH="$(cat)" redis-cli';
    await site.on("data", `${client} hset ${key} node1 "SECRET_KEY=other"`, redisPassword);
    assert.match(await site.on("node2", `${check} agree node1 || true`), /node1 has another .*SECRET_KEY/);
    assert.match(await drift(), /every node is known there, with the same values: node1 has another/);
    await site.up();
    await inOrder();
  });

  test("how fast the network is can be asked on a node", limit, async (t) => {
    const printed = await site.on("node1", `${check} throughput`);
    for (const line of printed.trim().split("\n")) t.diagnostic(line);
    assert.match(printed, /PostgreSQL at [\d.:]+: \d+\.\d\d Gbit\/s/);
    assert.match(printed, /Redis at [\d.:]+: \d+\.\d\d Gbit\/s/);
    const strict =
      "import check; check.MOST_MILLISECONDS = 0; check.LEAST_GBIT_PER_SECOND = 1e9; check.main('throughput')";
    const warned = await site.on(
      "node1",
      `cd ${dirname(check)} && python3 -Bc "${strict}" | grep -o '^warning: [A-Za-z]*'`,
    );
    assert.equal(warned, "warning: PostgreSQL\nwarning: PostgreSQL\nwarning: Redis\nwarning: Redis\n");
  });

  test("a package from an address is installed when its digest is right, and only then", limit, async () => {
    const file = readFileSync(join(site.lab.state, "www/debian-12/pool/rudesktop_1.0_all.deb"));
    const deb = {
      name: "rudesktop",
      version: "1.0",
      sha256: "0".repeat(64),
      url: "http://192.168.1.1:8080/debian-12/pool/rudesktop_1.0_all.deb",
    };
    await site.on("node2", "apt-get -qq -y --allow-change-held-packages remove rudesktop >/dev/null 2>&1");
    site.configure({ "hastack:deb": deb });
    assert.match(
      await site.fails("up", "--yes", "--skip-preview", "--suppress-progress"),
      /has SHA-256 [0-9a-f]{64}, not 0{64}/,
    );
    site.configure({ "hastack:deb": { ...deb, sha256: createHash("sha256").update(file).digest("hex") } });
    await site.up();
    assert.equal((await site.ask("node2", "/health")).status, 200);
    await inOrder();
  });

  test("with balancers named, only they reach a node's nginx", limit, async () => {
    const restore = site.configure({ "hastack:balancers": ["192.168.1.1"] });
    await site.up();
    assert.equal((await site.ask("node1", "/health")).status, 200, "from the balancer's address");
    const stranger = "import socket; socket.create_connection(('node1', 443), 3)";
    assert.match(await site.on("node2", `python3 -c "${stranger}" 2>&1 || true`), /Connection refused/);
    restore();
    await site.up();
    await site.on("node2", `python3 -c "${stranger}"`);
  });

  test("a secret is in no output and in no command line", limit, async () => {
    const said = await site.succeeds("preview", "--diff");
    for (const node of site.nodes) {
      const journal = await site.on(node, "journalctl --no-pager -q; cat /proc/[0-9]*/cmdline | tr '\\0' ' '");
      for (const secret of [databasePassword, redisPassword, url(redisPassword), secretKey]) {
        for (const form of [...formsOf(secret), envFile(secret)])
          assert.equal(`${said}${journal}`.includes(form), false);
      }
    }
  });

  test("`destroy` leaves neither services nor files", limit, async () => {
    await site.succeeds("destroy", "--yes", "--skip-preview");
    const places = [
      "/etc/default/rudesktop",
      "/etc/rudesktop-relay.toml",
      "/etc/rudesktop/postgres-ca.crt",
      "/etc/nginx/conf.d/hastack-rudesktop.conf",
      "/etc/nginx/hastack",
      "/etc/hastack",
      "/usr/local/lib/hastack/rudesktop",
      "/var/lib/hastack/units/rudesktop",
    ];
    for (const node of site.nodes) {
      assert.equal(await site.on(node, `ls -d ${places.join(" ")} 2>/dev/null; true`), "");
      assert.equal(
        await site.on(node, "systemctl is-active nginx rudesktop rudesktop-relay; true"),
        "inactive\n".repeat(3),
      );
    }
  });
});

/** Asks both nodes again and again. */
function client(site: Site) {
  let running = true;
  const seen = { asked: 0, noneServed: 0, broken: [] as string[] };
  const work = (async () => {
    while (running) {
      const answers = await Promise.allSettled(site.nodes.map((node) => site.ask(node, "/health")));
      const served = answers.filter((answer) => answer.status === "fulfilled" && answer.value.status === 200);
      for (const answer of answers) {
        if (served.includes(answer)) continue;
        const what = answer.status === "fulfilled" ? `${answer.value.status}` : String(answer.reason);
        // The port was closed before or during the handshake: nothing of the request was sent, so it can be repeated.
        if (!/^Error: exit (7|35): /.test(what)) seen.broken.push(what);
      }
      if (served.length === 0) seen.noneServed++;
      seen.asked++;
    }
  })();
  return {
    async end() {
      running = false;
      await work;
      return seen;
    },
  };
}

/** A device: connects to the relay of the node that is named, over TLS, and stays silent for a while. */
const deviceProgram = `
import asyncio, ssl, sys, aiohttp

async def main():
    tls = ssl.create_default_context()
    tls.check_hostname, tls.verify_mode = False, ssl.CERT_NONE
    async with aiohttp.ClientSession() as client:
        async with client.ws_connect(f"https://{sys.argv[1]}/relay/", ssl=tls) as device:
            await device.send_json({"id": "d1"})
            print("connected to", (await device.receive_json())["node"], flush=True)
            await asyncio.sleep(4)
            await device.send_str("still here")
            print("open for 4 s:", (await device.receive_str()), flush=True)

asyncio.run(main())
`;
