import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { ProbeResult } from "../../../components/converge/probe";
import type { Result } from "../support/process";
import { leaked, secretsOf } from "../support/secrets";
import { driftIn } from "../support/stack";
import type { Suite } from "../support/suite";

const user = "hastack-probe";

/** A key of its own for jobs that only look: what it opens, and what it does not. */
export function probeUser({ promise, cluster }: Suite): void {
  const keyFile = join(cluster.lab.state, "probe-key");

  /** OpenSSH's client with just that key. */
  const ssh = (host: string, options: readonly string[], ...command: string[]): Promise<Result> =>
    cluster.lab.exec(
      [
        "ssh",
        ...["-F", "none", "-i", keyFile, "-o", "IdentitiesOnly=yes", "-o", "BatchMode=yes"],
        ...["-o", `UserKnownHostsFile=${join(cluster.lab.state, "ssh/known_hosts")}`],
        ...options,
        `${user}@${cluster.hosts.addresses[host]}`,
        ...command,
      ],
      { seconds: 60 },
    );

  promise("a user that may only probe is made on request, and a preview works with its key alone", async () => {
    const { stack, hosts } = cluster;
    if (!existsSync(keyFile)) spawnSync("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-C", "ci", "-f", keyFile]);
    stack.configure({ "hastack:ssh": { probePublicKey: readFileSync(`${keyFile}.pub`, "utf8").trim() } });
    await cluster.up();

    const restore = stack.configure({
      "hastack:probe": "required",
      // no such file: nothing but the key of the probe is there
      "hastack:ssh": { privateKeyFile: "/nowhere/id_ed25519" },
    });
    try {
      await stack.configureSecrets({ "hastack:probeKey": readFileSync(keyFile, "utf8") });
      await stack.unchanged();
      await hosts.sh("psql2", "chmod 644 /etc/etcd/etcdctl.env");
      const found = await stack.preview("--diff", "--expect-no-changes");
      assert.equal(found.code, 7, found.stdout + found.stderr);
      assert.deepEqual(driftIn(found.stdout), { "etcd-psql2": "/etc/etcd/etcdctl.env mode 0644, want 0600" });
      assert.match(await stack.fails(stack.up()), /hastack:probeKey: only for previews/);
      const logins = await hosts.sh("psql2", `journalctl -u ssh -o cat | grep -c '^Accepted publickey for ${user} '`);
      assert.ok(Number(logins) >= 2, logins);
    } finally {
      restore();
      await hosts.sh("psql2", "chmod 600 /etc/etcd/etcdctl.env");
    }
    await stack.unchanged();
  });

  promise("whatever is asked with its key, the answer is that of the probe, and nothing else happens", async () => {
    const { hosts } = cluster;
    const [host = ""] = hosts.names;
    const before = await hosts.sh(host, "find /etc /usr/local /var/lib/hastack-probe -printf '%p %C@ %m %u\\n' | sort");
    const attempts: [options: string[], ...command: string[]][] = [
      [[]],
      [[], "id"],
      [[], "touch /tmp/by-probe"],
      [[], "cat /etc/patroni/config.yml"],
      [[], "sudo -n cat /etc/etcd/etcdctl.env"],
      [[], "/usr/local/lib/hastack/converge", "remove", "base"],
      [["-o", "SetEnv=LC_ALL=C PERL5OPT=-Mevil"], "id"],
    ];
    for (const [options, ...command] of attempts) {
      const { stdout, code } = await ssh(host, options, ...command);
      const what = `${options.join(" ")} ${command.join(" ")}`;
      assert.equal(code, 0, what);
      const answer = JSON.parse(stdout) as { units: object };
      assert.deepEqual(Object.keys(answer).sort(), ["agent", "certificates", "facts", "units"], what);
    }
    const terminal = await ssh(host, ["-tt"], "sh");
    assert.match(terminal.stderr, /PTY allocation request failed/);
    const subsystem = await ssh(host, ["-s"], "sftp");
    assert.match(subsystem.stdout, /^\{"agent"/, "no files through SFTP either");
    const after = await hosts.sh(host, "find /etc /usr/local /var/lib/hastack-probe -printf '%p %C@ %m %u\\n' | sort");
    assert.equal(after, before);
    assert.equal(await hosts.sh(host, "ls /tmp/by-probe 2>/dev/null || true"), "");
  });

  promise("its key forwards nothing, and its user may do nothing else on the host", async () => {
    const { hosts } = cluster;
    const [host = ""] = hosts.names;
    // A forwarded port that is refused closes at once; the database behind it would answer.
    const forwarded = await ssh(host, ["-W", "127.0.0.1:22"]);
    assert.notEqual(forwarded.code, 0);
    assert.match(forwarded.stderr, /administratively prohibited|forwarding failed/);
    const remote = await ssh(host, ["-o", "ExitOnForwardFailure=yes", "-N", "-R", "127.0.0.1:9911:127.0.0.1:22"]);
    assert.notEqual(remote.code, 0);
    assert.match(remote.stderr, /remote port forwarding failed/);

    const asUser = (script: string) =>
      hosts.sh(host, `cd /; runuser -u ${user} -- sh -c ${JSON.stringify(script)} 2>&1 || echo refused`);
    for (const attempt of [
      "sudo -n id",
      "sudo -n /usr/local/lib/hastack/converge check",
      "sudo -n /usr/local/lib/hastack/converge probe --help",
      "sudo -n /usr/local/lib/hastack/converge remove base",
      "sudo -n -u postgres true",
      "echo >>/var/lib/hastack-probe/.ssh/authorized_keys",
      "mv /var/lib/hastack-probe/.ssh /var/lib/hastack-probe/ssh",
      "cat /etc/patroni/config.yml",
      "ls /var/lib/hastack/units",
    ]) {
      assert.match(await asUser(attempt), /refused$/m, attempt);
    }
  });

  promise("what the probe answers holds texts and ends of certificates, and no secret", async () => {
    // see secrecy.ts: everything that a preview with its key prints is searched there, and here what travels
    const [host = ""] = cluster.hosts.names;
    const { stdout } = await ssh(host, []);
    assert.deepEqual(leaked(stdout, await secretsOf(cluster.stack)), []);
    const { units, certificates = [] } = JSON.parse(stdout) as ProbeResult;
    assert.match(units.etcd?.text ?? "", /@\{secret:server\.key/, "the names of secrets");
    const ours = certificates.find(({ path }) => path === "/etc/etcd/tls/server.crt");
    const days = (Date.parse(ours?.ends ?? "") - Date.now()) / 86_400_000;
    assert.ok(days > 300 && days < 3700, `it ends in ${days} days`);
  });

  promise("without the request its key opens nothing", async () => {
    const { stack } = cluster;
    stack.configure({ "hastack:ssh": { probePublicKey: undefined } });
    await cluster.up();
    const { code, stderr } = await ssh("psql1", []);
    assert.equal(code, 255);
    assert.match(stderr, /Permission denied/);
    await stack.unchanged();
  });
}
