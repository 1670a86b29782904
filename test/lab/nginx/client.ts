/**
 * A client of the entry, in the lab's network: client.ts ADDRESS NAME CA-FILE. Until its standard input ends it gets `/`
 * again and again, each time over a new connection, and holds a WebSocket; `begun` says that it does. Then it prints an
 * `Account`.
 */
import { readFileSync } from "node:fs";
import { request } from "node:https";
import type { Account } from "./traffic";

const [host = "", servername = "", caFile = ""] = process.argv.slice(2);
const target = { host, servername, ca: readFileSync(caFile), headers: { Host: servername }, agent: false } as const;
const account: Account = { requests: 0, failures: [], nodes: {}, longestSeconds: 0, socket: { node: "", echoes: 0 } };
let stopping = false;

process.stdin.resume().once("end", () => {
  stopping = true;
});

function get(): Promise<void> {
  const started = performance.now();
  return new Promise((resolve) => {
    const done = (failure: string | undefined, node = "") => {
      account.requests++;
      account.longestSeconds = Math.max(account.longestSeconds, (performance.now() - started) / 1000);
      if (failure === undefined) account.nodes[node] = (account.nodes[node] ?? 0) + 1;
      else account.failures.push(failure);
      resolve();
    };
    const sent = request({ ...target, path: "/", timeout: 20_000 }, (response) => {
      let body = "";
      response.on("data", (chunk: Buffer) => {
        body += chunk.toString();
      });
      response.on("error", (error) => done(`cut off: ${error.message}`));
      response.on("end", () => {
        if (response.statusCode === 200) done(undefined, (JSON.parse(body) as { node: string }).node);
        else done(`status ${response.statusCode}`);
      });
    });
    sent.on("timeout", () => sent.destroy(new Error("no answer within 20 s")));
    sent.on("error", (error) => done(error.message));
    sent.end();
  });
}

/** Sends a byte five times a second, which has to come back. */
function holdSocket(): Promise<void> {
  const headers = { ...target.headers, Connection: "Upgrade", Upgrade: "websocket" };
  const sent = request({ ...target, headers, path: "/socket" });
  sent.end();
  return new Promise((resolve) => {
    sent.once("error", (error) => {
      account.socket.closed = error.message;
      resolve();
    });
    sent.once("upgrade", (response, socket) => {
      account.socket.node = String(response.headers["x-node"]);
      const timer = setInterval(() => (stopping ? socket.destroy() : socket.write("x")), 200);
      socket.once("data", () => process.stdout.write("begun\n"));
      socket.on("data", (chunk: Buffer) => {
        account.socket.echoes += chunk.length;
      });
      socket.on("error", (error) => {
        account.socket.closed = error.message;
      });
      socket.once("close", () => {
        clearInterval(timer);
        if (!stopping) account.socket.closed ??= "by the entry";
        resolve();
      });
    });
  });
}

async function load(): Promise<void> {
  while (!stopping) {
    await get();
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

Promise.all([holdSocket(), load(), load()]).then(() => {
  process.stdout.write(JSON.stringify(account));
});
