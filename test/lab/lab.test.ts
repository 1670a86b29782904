import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { eventually, type Result, run } from "./support/process";
import { repository } from "./support/test-lab";

const command = join(repository, "lab/lab");
const addresses = {
  psql1: "192.168.1.130",
  psql2: "192.168.1.131",
  psql3: "192.168.1.132",
  proxy1: "192.168.1.140",
  proxy2: "192.168.1.141",
};

/** The command `lab/lab` with a state directory of its own. */
class Lab {
  readonly state = mkdtempSync(join(tmpdir(), "hastack-lab-"));
  /** Names of its namespaces and control groups carry it. */
  readonly id = `hastack-${createHash("sha256").update(this.state).digest("hex").slice(0, 8)}`;

  try(...args: string[]): Promise<Result> {
    return run(command, args, { env: { HASTACK_LAB_STATE: this.state }, seconds: 120 });
  }

  async do(...args: string[]): Promise<string> {
    const result = await this.try(...args);
    assert.equal(result.code, 0, `lab ${args.join(" ")}: ${result.stdout}${result.stderr}`);
    return result.stdout;
  }

  on(host: string, script: string): Promise<string> {
    return this.do("ssh", host, script);
  }

  /** Whether the host answers to a connection of another host. */
  async reaches(from: string, to: keyof typeof addresses): Promise<boolean> {
    return (await this.try("ssh", from, `ping -c 1 -W 1 ${addresses[to]} >/dev/null`)).code === 0;
  }

  remove(): void {
    rmSync(this.state, { recursive: true, force: true });
  }
}

/** What a lab could leave behind on this machine: everything that carries its id or its state directory. */
function traces(lab: Lab): string[] {
  const lines = (text: string) => text.split("\n").filter((line) => line.includes(lab.id) || line.includes(lab.state));
  const processes = execFileSync("ps", ["-eo", "pid,args"], { encoding: "utf8" });
  const groups = execFileSync("find", ["/sys/fs/cgroup", "-maxdepth", "3", "-name", `${lab.id}*`], {
    encoding: "utf8",
  });
  return [
    ...lines(readFileSync("/proc/mounts", "utf8")),
    ...lines(processes).filter((line) => !line.includes("ps -eo")),
    ...lines(groups),
    ...lines(execFileSync("ip", ["netns", "list"], { encoding: "utf8" })),
  ];
}

/** What this machine's own network looks like. */
function network(): string {
  return ["link", "address", "route"].map((what) => execFileSync("ip", ["-o", what], { encoding: "utf8" })).join("");
}

describe("the lab", () => {
  const lab = new Lab();
  const networkBefore = network();

  before(async () => {
    console.log((await lab.do("up", "postgres")).trim());
  });
  after(async () => {
    await lab.try("down");
    lab.remove();
  });

  test("hosts are whole Debian machines with systemd, their own name, address and key", async () => {
    for (const [host, address] of Object.entries(addresses)) {
      const said = await lab.on(host, "cat /proc/1/comm; hostname; hostname -I; systemctl is-system-running || true");
      assert.deepEqual(said.trim().split(/\s+/), ["systemd", host, address, "running"]);
    }
    const keys = readFileSync(join(lab.state, "ssh/known_hosts"), "utf8").match(/ssh-ed25519 \S+/g) ?? [];
    assert.equal(new Set(keys).size, Object.keys(addresses).length);
  });

  test("a second `up` changes nothing; of another topology it is refused with the cure", async () => {
    const boot = await lab.on("psql1", "cat /proc/sys/kernel/random/boot_id; stat -c %Y /proc/1");
    await lab.do("up", "postgres");
    assert.equal(await lab.on("psql1", "cat /proc/sys/kernel/random/boot_id; stat -c %Y /proc/1"), boot);
    const other = await lab.try("up", "single");
    assert.notEqual(other.code, 0);
    assert.match(other.stderr, /postgres.*down/s);
  });

  test("hosts are air-gapped, and this machine's own network knows nothing of them", async () => {
    assert.equal(network(), networkBefore);
    assert.equal(
      (await lab.on("psql1", "cat /proc/sys/net/ipv4/ip_forward; ip route get 203.0.113.1 2>&1 || true")).includes(
        "203.0.113.1 dev",
      ),
      false,
    );
    const outside = await lab.try("exec", "--", "ping", "-c", "1", "-W", "1", "203.0.113.1");
    assert.notEqual(outside.code, 0);
  });

  test("`exec` passes input, output and exit code, and finds the hosts by name", async () => {
    const result = await run(command, ["exec", "--", "sh", "-c", "cat; getent hosts psql2; exit 3"], {
      env: { HASTACK_LAB_STATE: lab.state },
      input: "hello\n",
    });
    assert.equal(result.code, 3);
    assert.match(result.stdout, /^hello\n192\.168\.1\.131 +psql2/);
  });

  test("power-off closes no connection, and loses nothing that is on the disk", async () => {
    await lab.on("psql1", "echo kept >/root/kept; sync");
    const client = spawn(command, ["ssh", "psql2", "python3", "-"], {
      env: { ...process.env, HASTACK_LAB_STATE: lab.state },
    });
    let said = "";
    client.stdout.on("data", (chunk: Buffer) => {
      said += chunk.toString();
    });
    // A client with an open connection: it must see neither its end nor a reset.
    client.stdin.end(`
import socket
s = socket.create_connection(("192.168.1.130", 22), 5)
s.recv(64)
print("connected", flush=True)
s.settimeout(4)
try:
    print("end" if s.recv(64) == b"" else "data", flush=True)
except socket.timeout:
    print("silence", flush=True)
except OSError as error:
    print("reset", error, flush=True)
`);
    await eventually("the client is connected", 10, async () => (said.includes("connected") ? true : undefined));
    await lab.do("power-off", "psql1");
    assert.match(await lab.do("status"), /psql1 .*off/);
    await eventually("the client gives up", 10, async () => (/silence|end|reset|data/.test(said) ? true : undefined));
    assert.match(said, /silence/);
    await lab.do("power-on", "psql1");
    assert.equal(await lab.on("psql1", "cat /root/kept"), "kept\n");
    assert.equal((await lab.on("psql1", "systemctl is-system-running || true")).trim(), "running");
  });

  test("a partition parts two hosts and nothing else; healing ends it", async () => {
    await lab.do("partition", "psql1", "psql2");
    assert.deepEqual(
      await Promise.all([lab.reaches("psql1", "psql2"), lab.reaches("psql2", "psql1"), lab.reaches("psql1", "psql3")]),
      [false, false, true],
    );
    await lab.do("heal");
    assert.equal(await lab.reaches("psql1", "psql2"), true);
  });

  test("an isolated host reaches no other, and is still reached by the controller", async () => {
    await lab.do("isolate", "psql3");
    assert.equal(await lab.reaches("psql1", "psql3"), false);
    assert.equal(await lab.on("psql3", "echo here"), "here\n");
    await lab.do("heal");
    assert.equal(await lab.reaches("psql1", "psql3"), true);
  });

  test("a frozen service stands still and goes on", async () => {
    await lab.on("psql1", "systemd-run --quiet --unit=clock sh -c 'while sleep 0.1; do date +%s%N >/run/tick; done'");
    const runs = async () => {
      const [before = "", after = ""] = (await lab.on("psql1", "cat /run/tick; sleep 1; cat /run/tick")).split("\n");
      return before !== after;
    };
    await eventually("the clock runs", 5, async () => ((await runs()) ? true : undefined));
    await lab.do("freeze", "psql1", "clock");
    assert.equal(await runs(), false);
    await lab.do("thaw", "psql1", "clock");
    assert.equal(await runs(), true);
  });

  test("a frozen host neither answers nor closes its connections, and goes on", async () => {
    await lab.do("freeze", "psql2");
    assert.equal(await lab.reaches("psql1", "psql2"), true, "the kernel of a stalled machine may answer");
    const asked = run(command, ["ssh", "psql2", "true"], { env: { HASTACK_LAB_STATE: lab.state }, seconds: 30 });
    assert.equal(
      await Promise.race([asked.then(() => "answer"), new Promise((r) => setTimeout(r, 2000, "none"))]),
      "none",
    );
    await lab.do("thaw", "psql2");
    assert.equal((await asked).code, 0);
  });

  test("a full disk is full to the last byte, and free again", async () => {
    const write = "echo x >/var/lib/postgresql/probe";
    await lab.do("fill-disk", "psql1");
    assert.match((await lab.try("ssh", "psql1", write)).stderr, /No space left on device/);
    await lab.do("fill-disk", "psql1", "--free");
    await lab.on("psql1", write);
  });

  test("a reboot comes back; a rebuilt host is empty, and has another key", async () => {
    await lab.do("reboot", "psql2");
    await lab.on("psql2", "true");
    const known = () =>
      readFileSync(join(lab.state, "ssh/known_hosts"), "utf8")
        .split("\n")
        .find((l) => l.includes(addresses.psql1));
    const old = known();
    await lab.do("rebuild", "psql1");
    assert.notEqual(known(), old);
    assert.equal(await lab.on("psql1", "ls /root"), "");
  });

  test("wrong words are refused, naming them and the cure", async () => {
    for (const [args, pattern] of [
      [["power-off", "psql9"], /psql9.*psql1/s],
      [["up", "nowhere"], /nowhere.*postgres/s],
      [["frobnicate"], /frobnicate/],
      [["fill-disk"], /HOST|usage/i],
    ] as const) {
      const result = await lab.try(...args);
      assert.notEqual(result.code, 0, args.join(" "));
      assert.match(result.stderr, pattern);
    }
  });

  test("another lab runs beside it, on the same addresses", async () => {
    const other = new Lab();
    try {
      await other.do("up", "single");
      await other.on("box", "true");
      await lab.on("psql1", "true");
    } finally {
      await other.do("down");
      assert.deepEqual(traces(other), []);
      other.remove();
    }
  });

  test("`down` leaves nothing behind", async () => {
    assert.notDeepEqual(traces(lab), []);
    await lab.do("down");
    assert.deepEqual(traces(lab), []);
    assert.equal(network(), networkBefore);
    assert.match((await lab.try("exec", "--", "true")).stderr, /no lab is running.*lab\/lab up/);
  });

  test("`down` clears up after an `up` that was killed half way", async () => {
    const up = spawn(command, ["up", "postgres"], {
      env: { ...process.env, HASTACK_LAB_STATE: lab.state },
      stdio: "ignore",
    });
    await eventually("the first host is on its way", 20, async () =>
      existsSync(`/run/netns/${lab.id}`) && traces(lab).some((line) => line.includes("systemd-nspawn"))
        ? true
        : undefined,
    );
    up.kill("SIGKILL");
    await lab.do("down");
    assert.deepEqual(traces(lab), []);
  });
});
