import { failure } from "./process";
import type { TestLab } from "./test-lab";

/** A member as Patroni's REST API lists it. */
export interface Member {
  name: string;
  role: string;
  state: string;
  timeline?: number;
  lag?: number | string;
}

/** The machines of the cluster. */
export class Hosts {
  constructor(
    private readonly lab: TestLab,
    readonly addresses: Readonly<Record<string, string>>,
    private readonly caFile: string,
  ) {}

  get names(): string[] {
    return Object.keys(this.addresses);
  }

  /** Runs shell text on a host as root, which has to succeed; returns what it printed. */
  sh(host: string, script: string, input?: string): Promise<string> {
    return this.lab.lab(["ssh", host, script], { ...(input !== undefined && { input }) });
  }

  /** The same on every host at once; by host what it printed. */
  async all(script: string, input?: string): Promise<Record<string, string>> {
    const answers = await Promise.all(this.names.map((host) => this.sh(host, script, input)));
    return Object.fromEntries(this.names.map((host, i) => [host, answers[i] ?? ""]));
  }

  /** A query as PostgreSQL's superuser on the host itself. */
  async superuser(host: string, query: string, database = "postgres"): Promise<string> {
    const psql = `cd / && runuser -u postgres -- psql -XAtq -v ON_ERROR_STOP=1 -d '${database}' -f -`;
    return (await this.sh(host, psql, query)).trim();
  }

  /** Asks Patroni on a host; the body and the status of its answer. */
  async patroni(host: string, path: string, ...options: string[]): Promise<{ status: number; body: string }> {
    const command = ["curl", "-sS", "--max-time", "5", "--cacert", this.caFile, "-w", "\n%{http_code}", ...options];
    const result = await this.lab.exec([...command, `https://${host}:8008${path}`]);
    if (result.code !== 0) throw new Error(failure("curl", [`https://${host}:8008${path}`], result));
    const lines = result.stdout.split("\n");
    return { status: Number(lines.pop()), body: lines.join("\n") };
  }

  /** The cluster as the first member sees it that answers. */
  async members(): Promise<Member[]> {
    const reasons: string[] = [];
    for (const host of this.names) {
      try {
        return (JSON.parse((await this.patroni(host, "/cluster")).body) as { members: Member[] }).members;
      } catch (error) {
        reasons.push((error as Error).message);
      }
    }
    throw new Error(`Patroni answers on no host:\n${reasons.join("\n")}`);
  }

  async leader(): Promise<string> {
    const leader = (await this.members()).find((member) => member.role === "leader");
    if (!leader) throw new Error("the cluster has no leader");
    return leader.name;
  }

  async replicas(): Promise<string[]> {
    const leader = await this.leader();
    return this.names.filter((name) => name !== leader);
  }

  /** systemd's id of this run of each service, by `HOST SERVICE`: it changes with every start. */
  async invocations(...services: string[]): Promise<Record<string, string>> {
    const found: Record<string, string> = {};
    const shown = await this.all(`systemctl show --property=InvocationID --value ${services.join(" ")} | grep .`);
    for (const [host, text] of Object.entries(shown)) {
      for (const [i, id] of text.trim().split("\n").entries()) found[`${host} ${services[i]}`] = id;
    }
    return found;
  }
}
