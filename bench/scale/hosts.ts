/**
 * Stands for the machines of so many sites: an SSH server on loopback that does nothing with what it is told but remember
 * it, and answers a probe as a host does on which everything is in order.
 *
 * usage: hosts.ts KEYS SITES
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { type AuthContext, type Connection, Server, type ServerChannel, utils } from "ssh2";
import { agentVersion } from "../../components/converge/agent";
import { type Machine, siteOf } from "./sites";

const [keys = "", sites = "1"] = process.argv.slice(2);
const hostKey = readFileSync(join(keys, "host"));
const user = publicKey(readFileSync(join(keys, "user.pub")));

for (let number = 1; number <= Number(sites); number++) {
  for (const machine of Object.values(siteOf(number))) listen(machine);
}

function listen(machine: Machine): void {
  const tokens = new Map<string, string>();
  new Server({ hostKeys: [hostKey] }, (client) => serve(client, (command) => answer(machine, tokens, command))).listen(
    machine.port,
    "127.0.0.1",
  );
}

function serve(client: Connection, respond: (command: string) => string): void {
  client.on("authentication", (attempt: AuthContext) => {
    if (attempt.method !== "publickey" || !attempt.key.data.equals(user)) return attempt.reject(["publickey"]);
    attempt.accept();
  });
  client.on("session", (accept) => {
    accept().on("exec", (acceptCommand, _, { command }) => {
      const channel: ServerChannel = acceptCommand();
      channel.resume().on("end", () => {
        channel.write(respond(command));
        channel.exit(0);
        channel.end();
      });
    });
  });
  client.on("error", () => undefined); // a client that goes without a word
}

/** What a machine prints. */
function answer(machine: Machine, tokens: Map<string, string>, command: string): string {
  if (command === "perl - probe") return probed(machine, tokens);
  const agent = / sh '?((?:install|drift|initial)[^']*)'?$/.exec(command)?.[1];
  if (agent !== undefined) {
    tokens.set("agent", agent);
    return `MemTotal: 4194304 kB\nID=debian\nVERSION_ID="12"\n4\n2: eth0    inet ${machine.address}/24 brd 10.255.255.255\n`;
  }
  const [, verb = "", role = "", token = ""] = /converge (apply|secrets) (\S+) \S+ '?([^']*)'?$/.exec(command) ?? [];
  if (verb !== "") tokens.set(verb === "secrets" ? `${role}.secrets` : role, token);
  return "";
}

function probed({ name, address }: Machine, tokens: Map<string, string>): string {
  return JSON.stringify({
    facts: {
      os: { id: "debian", version_id: "12", codename: "bookworm", pretty: "a simulated Debian 12" },
      arch: "amd64",
      hostname: name,
      kernel: "6.1.0",
      memory_mib: 4096,
      cores: 4,
      time: Date.now() / 1000,
      disks: [{ mount: "/", free_mib: 20000, size_mib: 40000 }],
      addresses: [`${address}/24`],
      interfaces: [{ name: "eth0", addresses: [`${address}/24`] }],
    },
    agent: tokens.has("agent") ? agentVersion : "",
    units: Object.fromEntries([...tokens].map(([role, token]) => [role, { token, drift: [] }])),
  });
}

function publicKey(file: Buffer): Buffer {
  const key = utils.parseKey(file);
  if (key instanceof Error) throw key;
  return key.getPublicSSH();
}
