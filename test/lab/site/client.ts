/**
 * Clients of an application, in the lab's network: client.ts ADDRESS CA-FILE APPLICATION. NODE_EXTRA_CA_CERTS names the
 * file as well, and the last is an `Application` as JSON. Devices hold a WebSocket each; users log in and read, each time
 * over a new connection. Twice a second it prints an `Account` of all since its start, until its standard input ends.
 */
import { readFileSync } from "node:fs";
import { request } from "node:https";
import type { Account, Application, Requests } from "./clients";

const secondsBetweenRequests = 0.25;
const readsPerLogin = 4;
/** Of a request, and of a device's word that has to come back. */
const patienceSeconds = 30;
const heartbeatSeconds = 1;
const silenceSeconds = 5;

const [host = "", caFile = "", given = ""] = process.argv.slice(2);
const {
  serverName: servername,
  users,
  reads,
  sessionHeader,
  networks,
  devices,
  relay,
} = JSON.parse(given) as Application;
const target = { host, servername, ca: readFileSync(caFile), agent: false } as const;
const credentials = JSON.stringify({ user: "admin", password: "admin" });
const started = performance.now();
const account: Account = {
  reads: requests(),
  logins: requests(),
  sessionsRefused: 0,
  nodes: {},
  reconnections: 0,
  longestWithoutRelaySeconds: 0,
};

/** Node's own, which its types do not know yet: an experiment in version 20, and without a flag since 22. */
interface Socket {
  onopen(): void;
  onmessage(event: { data: unknown }): void;
  onclose(): void;
  onerror(): void;
  send(text: string): void;
  close(): void;
}
declare const WebSocket: new (url: string) => Socket;

function requests(): Requests {
  return { sent: 0, failures: [], slowestSeconds: 0, longestGapSeconds: 0 };
}

function now(): number {
  return (performance.now() - started) / 1000;
}

function pause(seconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, seconds * 1000));
}

/** One request; the body of a good answer, undefined of any other. */
async function ask(
  kind: Requests,
  path: string,
  who: Record<string, string>,
  body?: string,
): Promise<string | undefined> {
  const since = now();
  const answer = await new Promise<{ status: number; body: string } | Error>((resolve) => {
    const headers = { Host: servername, "Content-Type": "application/json", ...who };
    const method = body === undefined ? "GET" : "POST";
    const sent = request({ ...target, path, method, headers, timeout: patienceSeconds * 1000 }, (response) => {
      let text = "";
      response.on("data", (chunk: Buffer) => {
        text += chunk.toString();
      });
      response.once("error", resolve);
      response.once("end", () => resolve({ status: response.statusCode ?? 0, body: text }));
    });
    sent.once("timeout", () => sent.destroy(new Error(`no answer within ${patienceSeconds} s`)));
    sent.once("error", resolve);
    sent.end(body);
  });
  kind.sent++;
  kind.slowestSeconds = Math.max(kind.slowestSeconds, now() - since);
  if (!(answer instanceof Error) && answer.status === 200) {
    kind.longestGapSeconds = Math.max(kind.longestGapSeconds, now() - (answeredAt.get(kind) ?? now()));
    answeredAt.set(kind, now());
    return answer.body;
  }
  const what =
    answer instanceof Error ? answer.message : `status ${answer.status}: ${words(answer.body).slice(0, 100)}`;
  if (!(answer instanceof Error) && answer.status === 401) account.sessionsRefused++;
  kind.failures.push({ from: since, to: now(), what: `${path}: ${what}` });
  return undefined;
}

/** When the last good answer came, by kind of request. */
const answeredAt = new Map<Requests, number>();

/** An answer without line breaks and tags. */
function words(body: string): string {
  return body.replace(/<[^>]*>|\s+/g, " ").trim();
}

async function logIn(network: Record<string, string>): Promise<string | undefined> {
  const body = await ask(account.logins, "/api/login", network, credentials);
  return body === undefined ? undefined : (JSON.parse(body) as { session: string }).session;
}

/** Headers by which each user comes from a network of its own. */
function networkOf(number: number): Record<string, string> {
  return networks ? { "X-Forwarded-For": `10.0.${number}.1` } : {};
}

/**
 * Reads with the session that was made at the start, whatever happens, and logs in once more now and then: not all users
 * at the same time.
 */
async function user(number: number, session: string): Promise<void> {
  const network = networkOf(number);
  const { name, prefix } = sessionHeader;
  const who = { ...network, [name]: `${prefix}${session}` };
  for (let turn = number + 1; ; turn++) {
    if (turn % (readsPerLogin + 1) === 0) await logIn(network);
    else await ask(account.reads, reads[turn % reads.length] ?? "/", who);
    await pause(secondsBetweenRequests);
  }
}

/** Where each device is connected now. */
const places = new Map<string, string>();

/** Connects, again and again. The time without a relay begins with the last word that came back. */
async function device(id: string): Promise<void> {
  let heardAt = now();
  const begun = () => {
    account.longestWithoutRelaySeconds = Math.max(account.longestWithoutRelaySeconds, now() - heardAt);
  };
  for (;;) {
    const until = await connected(id, begun);
    if (until === undefined) {
      await pause(0.2 + Math.random() * 0.3);
    } else {
      account.reconnections++;
      heardAt = until;
    }
  }
}

/** One connection to its end; when the relay was heard last, undefined if it has never taken the device in. */
function connected(id: string, begun: () => void): Promise<number | undefined> {
  return new Promise((resolve) => {
    const socket = new WebSocket(`wss://${host}${relay}`);
    let heardAt = now();
    const end = () => {
      clearInterval(timer);
      resolve(places.delete(id) ? heardAt : undefined);
    };
    const timer = setInterval(() => {
      if (now() - heardAt < silenceSeconds) {
        if (places.has(id)) socket.send("still here");
      } else {
        socket.close();
        end();
      }
    }, heartbeatSeconds * 1000);
    socket.onopen = () => socket.send(JSON.stringify({ id }));
    socket.onmessage = ({ data }) => {
      heardAt = now();
      if (places.has(id)) return;
      places.set(id, (JSON.parse(String(data)) as { node: string }).node);
      begun();
    };
    socket.onclose = end;
    socket.onerror = end;
  });
}

function report(): void {
  account.nodes = {};
  for (const node of places.values()) account.nodes[node] = (account.nodes[node] ?? 0) + 1;
  process.stdout.write(`${JSON.stringify(account)}\n`);
}

async function main(): Promise<void> {
  const sessions = await Promise.all(Array.from({ length: users }, (_, i) => logIn(networkOf(i))));
  if (sessions.includes(undefined)) throw new Error(JSON.stringify(account.logins.failures));
  for (let i = 0; i < devices; i++) void device(`device-${i}`);
  while (places.size < devices) await pause(0.1);
  account.longestWithoutRelaySeconds = 0; // before was the first connection
  for (const [i, session] of sessions.entries()) void user(i, session ?? "");
  report();
  setInterval(report, 500);
  process.stdin.resume().once("end", () => {
    report();
    process.exit(0);
  });
}

void main();
