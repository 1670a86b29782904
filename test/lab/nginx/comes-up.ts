import assert from "node:assert/strict";
import { secondsSince } from "../support/process";
import { changesIn } from "../support/stack";
import type { Suite } from "../support/suite";
import { balancers, type Entry, serverName, virtualIp } from "./entry";

/** The first `up`, and what every client relies on. */
export function comesUp({ foundation, promise, cluster: entry }: Suite<Entry>): void {
  foundation("`up` on fresh hosts makes an entry that answers at its virtual address", async (t) => {
    const started = performance.now();
    await entry.up();
    t.diagnostic(`up: ${secondsSince(started)} s`);
    await entry.holder();
    assert.equal((await entry.get()).status, 200);
  });

  promise("a second preview changes nothing", async () => {
    const { stack } = entry;
    assert.deepEqual(changesIn(await stack.succeeds(stack.preview("--expect-no-changes"))), []);
  });

  promise("TLS 1.2 and 1.3 with forward secrecy, and nothing older", async () => {
    const handshake = async (...options: string[]) => {
      const where = ["-connect", `${virtualIp}:443`, "-servername", serverName, "-CAfile", entry.caFile];
      const command = ["openssl", "s_client", ...where, "-verify_hostname", serverName, "-verify_return_error"];
      const { code, stdout } = await entry.lab.exec([...command, ...options]);
      return code === 0 ? /^New, (\S+), Cipher is (\S+)$/m.exec(stdout)?.slice(1).join(" ") : undefined;
    };
    // The client would speak it: only the server refuses.
    assert.equal(await handshake("-tls1_1", "-cipher", "ALL@SECLEVEL=0"), undefined);
    assert.equal(await handshake("-tls1_2", "-cipher", "AES128-SHA256:AES128-GCM-SHA256"), undefined);
    assert.match((await handshake("-tls1_2")) ?? "", /^TLSv1\.2 ECDHE-ECDSA-/);
    assert.match((await handshake("-tls1_3")) ?? "", /^TLSv1\.3 TLS_/);
  });

  promise("HTTP leads to HTTPS, browsers are told to insist on it, and nginx keeps its version to itself", async () => {
    const redirect = await entry.ask(`http://${serverName}/a?b=c`);
    assert.deepEqual([redirect.status, redirect.headers.location], [301, `https://${serverName}/a?b=c`]);
    const { headers } = await entry.get();
    assert.equal(headers["strict-transport-security"], "max-age=31536000");
    assert.equal(headers.server, "nginx");
    const { headers: packed } = await entry.get("/", "--header", "Accept-Encoding: gzip");
    assert.equal(packed["content-encoding"], undefined);
  });

  promise("requests for a name that is not the entry's are refused; its address is a name", async () => {
    for (const url of [`https://${serverName}/`, `http://${serverName}/`]) {
      assert.equal((await entry.ask(url, "--header", "Host: evil.example.com")).status, 421);
    }
    assert.equal((await entry.ask(`https://${virtualIp}/`)).status, 200);
  });

  promise("the status page answers on the host itself only", async () => {
    for (const host of balancers) {
      assert.match(await entry.sh(host, "curl -sS http://127.0.0.1:7001/status"), /^Active connections: /);
      await assert.rejects(entry.ask(`http://${host}:7001/status`), /curl/);
    }
  });

  promise("after the logs' rotation requests are logged in new files", async () => {
    const host = await entry.holder();
    const printed = await entry.sh(
      host,
      "logrotate -f /etc/logrotate.d/hastack-nginx; sleep 1; ls /var/log/nginx/hastack | grep -x access.log.1",
    );
    assert.equal(printed, "access.log.1\n");
    await entry.get("/after-rotation");
    assert.match(
      await entry.sh(host, "cat /var/log/nginx/hastack/access.log"),
      /"GET \/after-rotation HTTP\/1\.1" 200 /,
    );
  });
}
