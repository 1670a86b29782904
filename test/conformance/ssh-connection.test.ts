import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { remote, type types } from "@pulumi/command";
import { freePort, SshServer, strangersKey } from "./ssh-server";
import { TestStack } from "./stack";

type CommandArgs = Omit<remote.CommandArgs, "connection"> & { connection?: types.input.remote.ConnectionArgs };

describe("the connection of a remote.Command", () => {
  let server: SshServer;
  let bastion: SshServer;
  let closedBastion: SshServer;
  let agent: { socket: string; stop(): void };

  let stack: TestStack;
  let dir: string;
  const file = (name: string) => join(dir, name);
  const command = (name: string, { connection, ...args }: CommandArgs) =>
    new remote.Command(name, { connection: { ...server.connection, ...connection }, ...args });

  before(async () => {
    stack = await TestStack.create();
    dir = mkdtempSync(join(tmpdir(), "conformance-connection-"));
    server = await SshServer.start();
    bastion = await SshServer.start({ config: [`PermitOpen 127.0.0.1:${server.port}`] });
    closedBastion = await SshServer.start({ config: ["PermitOpen none"] });
    agent = await startAgent(server.keyFile, join(dir, "agent"));
  });
  after(async () => {
    await stack.dispose();
    agent.stop();
    await server.stop();
    await bastion.stop();
    await closedBastion.stop();
    rmSync(dir, { recursive: true });
  });

  test("through a bastion, with a key encrypted or in PKCS#8, by agent, and with any host key where none is pinned", async () => {
    const { privateKey: _key, ...keyless } = server.connection;
    const { hostKey: _hostKey, ...unpinned } = server.connection;
    const run = await stack.up(() => {
      const proxied = command("proxied", {
        create: "echo $SSH_CONNECTION",
        connection: { ...server.connection, proxy: bastion.connection },
      });
      const encrypted = {
        ...server.connection,
        privateKey: server.encryptedKey("pass phrase"),
        privateKeyPassword: "pass phrase",
      };
      const agentOnly = new remote.Command("agent", {
        connection: { ...keyless, agentSocketPath: agent.socket },
        create: "echo agent",
      });
      const unverified = new remote.Command("unpinned", { connection: unpinned, create: "echo unpinned" });
      return {
        proxied: proxied.stdout,
        encrypted: command("encrypted", { create: "echo encrypted", connection: encrypted }).stdout,
        agent: agentOnly.stdout,
        pkcs8: command("pkcs8", {
          create: "echo pkcs8",
          connection: { ...server.connection, privateKey: server.pkcs8Key },
        }).stdout,
        unpinned: unverified.stdout,
      };
    });
    const { proxied, ...others } = run.outputs;
    assert.match(String(proxied), new RegExp(`^127\\.0\\.0\\.1 \\d+ 127\\.0\\.0\\.1 ${server.port}$`));
    assert.deepEqual(others, { encrypted: "encrypted", pkcs8: "pkcs8", agent: "agent", unpinned: "unpinned" });
  });

  test("every refused connection fails with its reason, and no command runs", async () => {
    const ran = `echo ran >>${file("refused")}`;
    const closedPort = await freePort();
    const run = await stack.upFailing(() => {
      const failing = (name: string, connection: Partial<types.input.remote.ConnectionArgs>) =>
        command(name, { create: ran, connection: { ...server.connection, ...connection } });
      failing("wrong-host-key", { hostKey: bastion.hostKey });
      failing("unreachable", { port: closedPort });
      failing("wrong-key", { privateKey: strangersKey() });
      failing("not-a-key", { privateKey: "not a key", dialErrorLimit: -1 });
      failing("wrong-passphrase", {
        privateKey: server.encryptedKey("right"),
        privateKeyPassword: "wrong",
        dialErrorLimit: -1,
      });
      failing("stale-agent", { agentSocketPath: file("no-agent"), dialErrorLimit: -1 });
      failing("closed-bastion", { proxy: closedBastion.connection });
      failing("wrong-bastion-key", { proxy: { ...bastion.connection, hostKey: server.hostKey } });
      command("refused-variable", { create: ran, environment: { NOT_ACCEPTED: "x" } });
    });
    assert.match(run.errorOf("wrong-host-key"), /host key mismatch/i);
    assert.match(run.errorOf("unreachable"), /refused/);
    assert.match(run.errorOf("unreachable"), /after 1 failed attempts/);
    assert.match(run.errorOf("wrong-key"), /unable to authenticate/);
    assert.match(run.errorOf("not-a-key"), /ssh: /);
    assert.notEqual(run.errorOf("wrong-passphrase"), "");
    assert.match(run.errorOf("stale-agent"), /no-agent/);
    assert.match(run.errorOf("closed-bastion"), /proxy: /);
    assert.match(run.errorOf("wrong-bastion-key"), /proxy: .*host key mismatch/is);
    assert.match(run.errorOf("refused-variable"), /NOT_ACCEPTED/);
    assert.equal(existsSync(file("refused")), false);
  });
});

async function startAgent(keyFile: string, socket: string): Promise<{ socket: string; stop(): void }> {
  const agent = spawn("ssh-agent", ["-D", "-a", socket], { stdio: "ignore" });
  for (let attempt = 0; attempt < 100 && !existsSync(socket); attempt++) {
    await pause(20);
  }
  execFileSync("ssh-add", ["-q", keyFile], { env: { ...process.env, SSH_AUTH_SOCK: socket }, stdio: "pipe" });
  return { socket, stop: () => agent.kill() };
}
