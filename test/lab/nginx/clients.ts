import assert from "node:assert/strict";
import type { Suite } from "../support/suite";
import type { Entry } from "./entry";

const controller = "192.168.1.1";

/** Who a client is, and how much one may have. */
export function clients({ promise, cluster: entry }: Suite<Entry>): void {
  const seenBy = async (...options: string[]) =>
    (JSON.parse((await entry.get("/", ...options)).body) as { headers: Record<string, string> }).headers;
  const claim = (address: string) => ["--header", `X-Forwarded-For: ${address}`];

  promise("an application learns the client's real address, whatever the client says", async () => {
    const headers = await seenBy(
      ...claim("10.9.8.7"),
      ...["X-Real-IP: 10.9.8.7", "Forwarded: for=10.9.8.7", "X-Forwarded-Proto: http"].flatMap((h) => ["--header", h]),
    );
    assert.equal(headers["x-forwarded-for"], controller);
    assert.equal(headers["x-real-ip"], controller);
    assert.equal(headers["x-forwarded-proto"], "https");
    assert.equal(headers.forwarded, undefined);
    assert.equal(headers.host, "app.example.com");
  });

  promise("a trusted proxy's word counts, and each client has so many connections and no more", async () => {
    const restore = entry.stack.configure({
      "hastack:balancer": { trustedProxies: [`${controller}/32`], connectionsPerClient: 3 },
    });
    await entry.up();
    restore();
    assert.equal((await seenBy(...claim("10.9.8.7")))["x-real-ip"], "10.9.8.7");
    assert.equal(
      (await seenBy(...claim("1.2.3.4, 10.9.8.7")))["x-real-ip"],
      "10.9.8.7",
      "what the proxy says, not its client",
    );

    const slow = Array.from({ length: 5 }, () => entry.get("/slow", ...claim("10.9.8.7")));
    const another = entry.get("/slow", ...claim("10.9.8.8"));
    const statuses = (await Promise.all(slow)).map(({ status }) => status).sort();
    assert.deepEqual(statuses, [200, 200, 200, 429, 429]);
    assert.equal((await another).status, 200);
  });
}
