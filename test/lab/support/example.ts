import assert from "node:assert/strict";
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { stringify } from "yaml";
import { knownHosts } from "../../../stacks/known-hosts";
import { PackedPackage } from "../../unit/packed";
import { failure, type Result } from "./process";
import { repository, type TestLab } from "./test-lab";

/** The host of the topology `single`. */
export const box = { name: "box", address: "192.168.1.10" };

/**
 * One of the examples, as it is, outside of this repository: in a folder where the npm package is installed, with a stack
 * for the lab's host. Each makes the same in its language: a Redis on that host.
 */
export class Example {
  readonly folder = mkdtempSync(join(tmpdir(), "hastack-example-"));
  /** Folders where programs are looked for first. */
  readonly path: string[] = [];
  private packed: PackedPackage | undefined;

  constructor(
    private readonly lab: TestLab,
    private readonly name: string,
  ) {}

  get package(): PackedPackage {
    return this.packed ?? assert.fail(`the example ${this.name} was not installed`);
  }

  /** @param settings beside how the host is reached */
  async install(settings: Readonly<Record<string, unknown>> = {}): Promise<void> {
    cpSync(join(repository, "examples", this.name), this.folder, { recursive: true });
    this.packed = new PackedPackage();
    this.packed.installInto(this.folder);
    const all = {
      address: box.address,
      hostKey: knownHosts(this.ofLab("ssh/known_hosts")).get(box.address),
      privateKey: this.ofLab("ssh/id_ed25519"),
      ...settings,
    };
    const config = Object.entries(all).map(([name, value]) => [`my-infrastructure:${name}`, value]);
    writeFileSync(join(this.folder, "Pulumi.example.yaml"), stringify({ config: Object.fromEntries(config) }));
    await this.pulumi("stack", "select", "--create", "example");
  }

  /** A file of the running lab. */
  ofLab(path: string): string {
    return readFileSync(join(this.lab.state, path), "utf8");
  }

  exec(...command: string[]): Promise<Result> {
    const env = { PATH: [...this.path, process.env.PATH].join(":") };
    return this.lab.exec(["env", "-C", this.folder, ...command], { seconds: 300, env });
  }

  async run(...command: string[]): Promise<string> {
    const result = await this.exec(...command);
    if (result.code !== 0) throw new Error(failure(command[0] ?? "", command.slice(1), result));
    return result.stdout;
  }

  pulumi(...args: string[]): Promise<string> {
    return this.run("pulumi", ...args, "--non-interactive", "--color", "never");
  }

  up(): Promise<string> {
    return this.pulumi("up", "--yes", "--skip-preview", "--suppress-progress");
  }

  async outputs(): Promise<Record<string, unknown>> {
    return JSON.parse(await this.pulumi("stack", "output", "--json", "--show-secrets"));
  }

  /** What its Redis says to a client with the password. */
  ping(password: string): Promise<string> {
    const cli = `redis-cli --tls --cacert /etc/hastack/redis/tls/ca.crt -h ${box.address} --no-auth-warning --askpass PING`;
    return this.lab.lab(["ssh", box.name, cli], { input: `${password}\n` });
  }

  dispose(): void {
    this.packed?.dispose();
    rmSync(this.folder, { recursive: true, force: true });
  }
}
