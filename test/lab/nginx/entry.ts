import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { eventually, pause, run } from "../support/process";
import { Stack } from "../support/stack";
import { TestLab } from "../support/test-lab";
import { type Account, Traffic } from "./traffic";

export const serverName = "app.example.com";
export const virtualIp = "192.168.1.220";
export const balancers = ["nginx1", "nginx2"];
export const nodes = ["node1", "node2"];

export interface Answer {
  status: number;
  /** Names in lower case. */
  headers: Record<string, string>;
  body: string;
}

/** The stack `entry`, and two servers behind it that are no part of it. */
export class Entry {
  readonly lab = new TestLab();
  readonly stack = new Stack(this.lab, {}, "entry");
  /** The authority of the entry's certificates, when the stack is up. */
  readonly caFile = join(this.lab.state, "entry-ca.crt");

  async start(): Promise<void> {
    await this.lab.start("entry");
    if (await this.stack.init()) await this.startNodes();
    else await this.readOutputs();
  }

  stop(): void {
    this.lab.stop();
  }

  async up(): Promise<string> {
    const printed = await this.stack.succeeds(this.stack.up());
    await this.readOutputs();
    return printed;
  }

  private async readOutputs(): Promise<void> {
    const { ca } = await this.stack.outputs();
    if (typeof ca === "string") writeFileSync(this.caFile, ca);
  }

  /** Runs shell text on a host as root, which has to succeed. */
  sh(host: string, script: string, input?: string): Promise<string> {
    return this.lab.lab(["ssh", host, script], { ...(input !== undefined && { input }), seconds: 120 });
  }

  /** A request of a client in the lab's network, `/` of the entry by default; with curl's options. */
  async get(path = "/", ...options: string[]): Promise<Answer> {
    return this.ask(`https://${serverName}${path}`, ...options);
  }

  async ask(url: string, ...options: string[]): Promise<Answer> {
    const quiet = ["--silent", "--show-error", "--max-time", "15", "--include", "--http1.1"];
    const where = ["--cacert", this.caFile, "--connect-to", `${serverName}::${virtualIp}:`];
    const { code, stdout, stderr } = await this.lab.exec(["curl", ...quiet, ...where, ...options, url]);
    if (code !== 0) throw new Error(`curl ${url}: ${stderr}`);
    const end = stdout.indexOf("\r\n\r\n");
    const [status = "", ...lines] = stdout.slice(0, end).split("\r\n");
    const headers = lines.map((line) => [line.split(": ", 1)[0]?.toLowerCase(), line.replace(/^[^:]*: /, "")]);
    return { status: Number(status.split(" ")[1]), headers: Object.fromEntries(headers), body: stdout.slice(end + 4) };
  }

  /** The node that answers this machine's requests now. */
  async serving(): Promise<string> {
    return (JSON.parse((await this.get()).body) as { node: string }).node;
  }

  /** What clients see while something goes on. */
  async during(body: () => Promise<void>): Promise<Account> {
    const traffic = await Traffic.start(this.lab, virtualIp, serverName, this.caFile);
    try {
      await body();
      await pause(1);
    } finally {
      await traffic.stop();
    }
    return traffic.account();
  }

  /** Who has the virtual address. */
  async holder(): Promise<string> {
    return eventually("one host holds the virtual address", 20, async () => {
      const shown = await Promise.all(balancers.map((host) => this.sh(host, `ip -o address show to ${virtualIp}/32`)));
      const holders = balancers.filter((_, i) => shown[i] !== "");
      return holders.length === 1 ? holders[0] : undefined;
    });
  }

  /** Waits until every balancer has these upstreams marked down, and has loaded that. */
  async waitForDown(expected: readonly string[], seconds = 30): Promise<void> {
    const script = "/usr/local/lib/hastack/nginx/live check; cat /etc/nginx/hastack/tested/live/upstream.conf";
    await eventually(`marked down: ${expected.join(", ") || "none"}`, seconds, async () => {
      const texts = await Promise.all(balancers.map((host) => this.sh(host, script)));
      const found = texts.map((text) => [...text.matchAll(/ down; # (\S+)/g)].map(([, name]) => name));
      if (found.every((names) => names.join() === expected.join())) return true;
      throw new Error(texts.join("\n"));
    });
  }

  /** Requests that the nodes have received since the last time, but for those for their health. */
  async received(): Promise<string[]> {
    const script = "touch /run/upstream.requests; cat /run/upstream.requests; : >/run/upstream.requests";
    const texts = await Promise.all(nodes.map((node) => this.sh(node, script)));
    return texts.join("").trim().split("\n").filter(Boolean);
  }

  /** The servers behind the entry, with certificates of an authority of their own. */
  private async startNodes(): Promise<void> {
    const directory = join(this.lab.state, "upstream");
    mkdirSync(directory, { recursive: true });
    const key = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2".split(" ");
    const names = ["-subj", "/O=nodes", "-addext", `subjectAltName=DNS:${serverName}`];
    const files = ["-keyout", join(directory, "server.key"), "-out", join(directory, "server.crt")];
    const made = await run("openssl", [...key, ...names, ...files]);
    if (made.code !== 0) throw new Error(made.stderr);
    const read = (file: string) => readFileSync(join(directory, file), "utf8");
    this.stack.configure({ "hastack:balancer": { upstreamTls: { ca: read("server.crt") } } });

    const program = readFileSync(join(__dirname, "upstream.py"), "utf8");
    await Promise.all(
      nodes.map(async (node) => {
        const mirror = "deb [trusted=yes] http://192.168.1.1:8080/debian-12 ./";
        await this.sh(node, "cat >/etc/apt/sources.list && apt-get -q update && apt-get -qy install python3", mirror);
        await this.sh(node, "mkdir -p /etc/upstream; cat >/etc/upstream/server.py", program);
        await this.sh(node, "cat >/etc/upstream/server.crt", read("server.crt"));
        await this.sh(node, "cat >/etc/upstream/server.key", read("server.key"));
        await this.sh(
          node,
          "cat >/etc/systemd/system/upstream.service; systemctl enable --now upstream",
          `[Service]\nExecStart=/usr/bin/python3 /etc/upstream/server.py ${node} 4430\n[Install]\nWantedBy=multi-user.target\n`,
        );
      }),
    );
  }
}
