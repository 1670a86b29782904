/** A real sshd on loopback with keys and configuration of its own; the user it lets in is the one who runs the tests. */
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { randomInt } from "node:crypto";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { connect, createServer } from "node:net";
import { tmpdir, userInfo } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";

export interface SshServerOptions {
  /** Lines to add to sshd_config. */
  config?: string[];
}

export class SshServer {
  private constructor(
    private readonly process: ChildProcess,
    private readonly dir: string,
    readonly port: number,
  ) {}

  static async start({ config = [] }: SshServerOptions = {}): Promise<SshServer> {
    const dir = mkdtempSync(join(tmpdir(), "conformance-sshd-"));
    const port = await freePort();
    makeKey(join(dir, "host"));
    makeKey(join(dir, "user"));
    execFileSync("ssh-keygen", ["-q", "-t", "ecdsa", "-m", "PKCS8", "-N", "", "-f", join(dir, "pkcs8")]);
    const settings = [
      // Before ours: sshd takes the first value it meets.
      ...config,
      `Port ${port}`,
      "ListenAddress 127.0.0.1",
      `HostKey ${dir}/host`,
      `AuthorizedKeysFile ${dir}/user.pub ${dir}/pkcs8.pub`,
      "StrictModes no",
      "UsePAM no",
      "PermitRootLogin yes",
      "PasswordAuthentication no",
      "KbdInteractiveAuthentication no",
      // The suite opens many connections at once.
      "MaxStartups 100",
      "LogLevel VERBOSE",
      "PidFile none",
      "Subsystem sftp internal-sftp",
    ];
    writeFileSync(join(dir, "config"), `${settings.join("\n")}\n`);
    // Where sshd, as root, shuts in its unprivileged half; a running service would have made it.
    if (userInfo().uid === 0) mkdirSync("/run/sshd", { recursive: true });
    const program = execFileSync("sh", ["-c", "command -v sshd"], { encoding: "utf8" }).trim();
    const process = spawn(program, ["-D", "-f", join(dir, "config"), "-E", join(dir, "log")], { stdio: "ignore" });
    const server = new SshServer(process, dir, port);
    await server.answers();
    return server;
  }

  /** Arguments of a connection that must work. */
  get connection() {
    return {
      host: "127.0.0.1",
      port: this.port,
      user: userInfo().username,
      privateKey: this.privateKey,
      hostKey: this.hostKey,
      dialErrorLimit: 1,
      perDialTimeout: 5,
    };
  }

  get hostKey(): string {
    return readFileSync(join(this.dir, "host.pub"), "utf8");
  }

  get privateKey(): string {
    return readFileSync(this.keyFile, "utf8");
  }

  get keyFile(): string {
    return join(this.dir, "user");
  }

  /** Another key that opens the server, in PKCS#8 form. */
  get pkcs8Key(): string {
    return readFileSync(join(this.dir, "pkcs8"), "utf8");
  }

  /** The key as another file, encrypted. */
  encryptedKey(passphrase: string): string {
    const file = join(this.dir, "encrypted");
    writeFileSync(file, this.privateKey, { mode: 0o600 });
    execFileSync("ssh-keygen", ["-q", "-p", "-P", "", "-N", passphrase, "-f", file]);
    return readFileSync(file, "utf8");
  }

  async stop(): Promise<void> {
    const gone = new Promise((resolve) => this.process.once("exit", resolve));
    this.process.kill();
    await gone;
    rmSync(this.dir, { recursive: true, force: true });
  }

  private async answers(): Promise<void> {
    for (let attempt = 0; attempt < 100; attempt++) {
      if (await accepts(this.port)) return;
      if (this.process.exitCode !== null) break;
      await pause(50);
    }
    throw new Error(`sshd does not answer on port ${this.port}:\n${readFileSync(join(this.dir, "log"), "utf8")}`);
  }
}

/** A private key the server does not know. */
export function strangersKey(): string {
  const dir = mkdtempSync(join(tmpdir(), "conformance-key-"));
  makeKey(join(dir, "key"));
  const key = readFileSync(join(dir, "key"), "utf8");
  rmSync(dir, { recursive: true });
  return key;
}

/** A loopback port nothing listens on; below those that the kernel hands out, so that it stays free for a moment. */
export function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const port = randomInt(10_000, 32_000);
    const probe = createServer();
    probe.once("error", () => resolve(freePort()));
    probe.listen(port, "127.0.0.1", () => probe.close(() => resolve(port)));
  });
}

function makeKey(file: string): void {
  execFileSync("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-C", "", "-f", file]);
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    socket.once("error", () => resolve(false));
    socket.once("connect", () => {
      socket.destroy();
      resolve(true);
    });
  });
}
