import { agentSource } from "../converge/agent";
import type { ProbeResult } from "../converge/probe";
import { AnotherHostKey, LoginRefused, type Run, type SshConnection, session, Unreachable } from "../converge/ssh";
import { shortcomings } from "../host/preflight";
import { type Check, fail, ok, warn } from "./check";
import { packagesScript, sourceOf } from "./doctor-packages";
import type { RehearsedHost } from "./rehearsal";

/** A host that is to be reached, and by which ports. */
export interface Peer {
  name: string;
  address: string;
  ports: readonly number[];
}

/** A look for others who announce an address takes some seconds; package lists from far away, more. */
const limits = { connectSeconds: 10, answerSeconds: 120 };

/** Everything that is asked of a host before the first `up`. Nothing on it is changed. */
export async function hostChecks(host: RehearsedHost, peers: readonly Peer[]): Promise<Check[]> {
  if (host.answer instanceof Error) return refused(host.connection, host.answer);
  return [...basics(host, host.answer), ...(await session(host.connection, limits, (run) => asked(host, peers, run)))];
}

/** How far one comes with a host that cannot be asked: what is in order until there, and what is not. */
function refused({ host, port = 22, user = "root" }: SshConnection, reason: Error): Check[] {
  const address = `${host}:${port}`;
  if (reason instanceof AnotherHostKey) {
    return [
      ok("connection", `${address} answers`),
      fail(
        "host key",
        reason.message,
        `if the machine was installed anew: put the key that \`ssh-keyscan -p ${port} ${host}\` shows in place of the pinned one, after comparing it on the machine (\`ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub\`). If not, somebody else answers at this address`,
      ),
    ];
  }
  const known = [ok("connection", `${address} answers`), ok("host key", "is the pinned one")];
  if (reason instanceof LoginRefused) {
    return [
      ...known,
      fail(
        "login",
        `${user} is not let in: ${reason.message}`,
        `put the public half of the stack's key into ~${user}/.ssh/authorized_keys on the host (\`ssh-copy-id\`), or name another user`,
      ),
    ];
  }
  if (reason instanceof Unreachable) {
    return [
      fail("connection", reason.message, `start the host and its sshd, and open TCP port ${port} from here to ${host}`),
    ];
  }
  if (/sudo/.test(reason.message)) {
    return [
      ...known,
      ok("login", `as ${user}`),
      fail(
        "sudo",
        reason.message,
        `as root on the host: \`apt install sudo\`, and a file /etc/sudoers.d/${user} with \`${user} ALL=(ALL) NOPASSWD: ALL\``,
      ),
    ];
  }
  if (/perl/.test(reason.message)) {
    return [...known, ok("login", `as ${user}`), fail("system", reason.message, "`apt install perl-base`")];
  }
  return [
    ...known,
    fail("login", reason.message, "see what the message names; `ssh` with the same user and key shows more"),
  ];
}

function basics(host: RehearsedHost, { facts }: ProbeResult): Check[] {
  const { user = "root" } = host.connection;
  const wrong = shortcomings({ address: host.address }, facts);
  const disk = facts.disks.find(({ mount }) => mount === "/");
  const found: Record<string, string> = {
    system: facts.os.pretty,
    memory: `${facts.memory_mib} MiB`,
    disk: `${disk?.free_mib ?? "?"} MiB free on /`,
    address: `${host.address} is its own`,
  };
  const cures: Record<string, string> = {
    system: "install one of these on it",
    memory: "give it more, or another host the role",
    disk: "free some, or enlarge the disk",
    address: "give the host's own address, as `ip address` shows it",
  };
  return [
    ok("connection", `${host.connection.host} answers`),
    ok("host key", host.connection.hostKey === undefined ? "any is accepted" : "is the pinned one"),
    ok("login", `as ${user}`),
    ...(user === "root" ? [] : [ok("sudo", "without a password")]),
    ...Object.entries(found).map(([about, says]) =>
      wrong[about] === undefined ? ok(about, says) : fail(about, wrong[about], cures[about] ?? ""),
    ),
  ];
}

async function asked(host: RehearsedHost, peers: readonly Peer[], run: Run): Promise<Check[]> {
  const conditions: Condition[] = [];
  const packages = new Set<string>();
  for (const { role, text } of host.units) {
    const answer = await preflight(run, role, text);
    conditions.push(...answer.conditions);
    for (const name of answer.packages) packages.add(name);
  }
  return [
    ...conditionChecks(conditions),
    ...(await packageChecks(host, [...packages], run)),
    ...(await networkChecks(peers, run)),
  ];
}

interface Condition {
  asks: string;
  complaint: string | null;
}

interface Preflight {
  conditions: Condition[];
  packages: string[];
}

/** Asks what the unit asks before it changes anything. The program and the text travel on the one standard input. */
async function preflight(run: Run, role: string, text: string): Promise<Preflight> {
  const program = agentSource();
  const command = `bash -c 'exec 3<&0; exec perl <(head -c ${Buffer.byteLength(program)} <&3) preflight ${role}'`;
  return JSON.parse(await run(command, { stdin: program + text })) as Preflight;
}

/** `port` directives have their cure in their complaint, and so has what a component requires. */
function conditionChecks(conditions: readonly Condition[]): Check[] {
  const about = ({ asks }: Condition) =>
    /^port /.test(asks) ? "ports" : /router id/.test(asks) ? "virtual address" : "conditions";
  const wrong = conditions.filter(({ complaint }) => complaint !== null);
  return ["ports", "virtual address", "conditions"].flatMap((topic): Check[] => {
    const these = conditions.filter((condition) => about(condition) === topic);
    const complaints = wrong.filter((condition) => about(condition) === topic);
    if (these.length === 0) return [];
    if (complaints.length > 0) return complaints.map((condition) => complaintOf(topic, condition));
    return [
      ok(
        topic,
        topic === "ports"
          ? `${these.map(({ asks }) => asks.slice(5)).join(", ")} are free, or ours`
          : `${these.length} are met`,
      ),
    ];
  });
}

/** `WHAT: CURE`, and below what the script said. */
function complaintOf(topic: string, { asks, complaint }: Condition): Check {
  const [message = "", ...said] = (complaint ?? "").split("\n").map((line) => line.trim());
  const [, what = message, cure] = /^(.*?): ((?:stop|give|move|choose|add|remove)\b.*)$/i.exec(message) ?? [];
  const says = [...(topic === "ports" ? [asks] : []), what, ...said].join(": ");
  return fail(topic, says, cure ?? "do what it says, then ask again");
}

async function packageChecks(host: RehearsedHost, wanted: readonly string[], run: Run): Promise<Check[]> {
  if (wanted.length === 0) return [];
  const source = sourceOf(host.units);
  const said = await run("sh -s", { stdin: packagesScript(source, wanted) });
  const lines = (word: string) =>
    said
      .split("\n")
      .filter((line) => line.startsWith(`${word} `))
      .map((line) => line.slice(word.length + 1));
  const from = source?.uri ?? "the host's own package sources";
  const unreachable = lines("source");
  const missing = lines("package");
  const sourceCheck =
    unreachable.length === 0
      ? [ok("package source", `${from} answers`)]
      : source && unreachable.every((line) => !line.includes(source.uri))
        ? [
            warn(
              "package source",
              unreachable.join("; "),
              "the host's own sources fail; take those away that it cannot reach",
            ),
          ]
        : [
            fail(
              "package source",
              unreachable.join("; "),
              "give the address and the key of a source that the host reaches (`apt` of the host), and open the way to it",
            ),
          ];
  if (missing.length === 0) return [...sourceCheck, ok("packages", `${wanted.length} can be installed`)];
  return [
    ...sourceCheck,
    fail("packages", missing.join("; "), `put them into the source ${from}, or name a version that it has`),
  ];
}

/** A closed port answers, too: only a silent one, or no way at all, is wrong. */
async function networkChecks(peers: readonly Peer[], run: Run): Promise<Check[]> {
  if (peers.length === 0) return [];
  const script = [
    "export LC_ALL=C",
    "try() {",
    `  said=$(timeout 4 bash -c "</dev/tcp/$1/$2" 2>&1) && return`,
    '  case $said in *"Connection refused"*) ;; *) echo "$1 $2" ;; esac',
    "}",
    ...peers.flatMap(({ address, ports }) => ports.map((port) => `try ${address} ${port} &`)),
    "wait",
  ].join("\n");
  const silent = (await run("sh -s", { stdin: script })).split("\n").filter(Boolean);
  if (silent.length === 0) return [ok("network", `reaches ${peers.map(({ name }) => name).join(", ")}`)];
  return peers.flatMap(({ name, address, ports }) => {
    const closed = ports.filter((port) => silent.includes(`${address} ${port}`));
    if (closed.length === 0) return [];
    return [
      fail(
        "network",
        `it gets no answer from ${name} (${address}) on TCP ${closed.join(", ")}`,
        `open these ports from this host to ${name} in every firewall between them, and look at the routes of both`,
      ),
    ];
  });
}
