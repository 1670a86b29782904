import assert from "node:assert/strict";
import type { Suite } from "../support/suite";

/** What the stack says is what runs: asked of the running programs, not of their files. */
export function settings({ promise, cluster }: Suite): void {
  promise("PostgreSQL runs with the parameters of the stack and those that follow from memory and cores", async () => {
    const expected = {
      max_connections: "500",
      shared_buffers: "256MB", // a quarter of the 1024 MiB that the stack gives each host
      effective_cache_size: "768MB",
      max_parallel_workers: "2",
      max_wal_size: "256MB",
      max_slot_wal_keep_size: "256MB",
      data_checksums: "on",
      wal_log_hints: "on",
      password_encryption: "scram-sha-256",
      ssl: "on",
      ssl_min_protocol_version: "TLSv1.2",
      shared_preload_libraries: "pg_stat_statements",
    };
    const query = Object.keys(expected).map((name) => `SELECT '${name}', current_setting('${name}')`);
    for (const host of cluster.hosts.names) {
      const rows = (await cluster.hosts.superuser(host, `${query.join(" UNION ALL ")};`)).split("\n");
      assert.deepEqual(Object.fromEntries(rows.map((row) => row.split("|"))), expected, host);
      assert.equal(await cluster.hosts.superuser(host, "SELECT count(*) FROM pg_settings WHERE pending_restart"), "0");
    }
  });

  promise("Patroni runs with the dynamic configuration of the stack", async () => {
    for (const host of cluster.hosts.names) {
      const live = JSON.parse((await cluster.hosts.patroni(host, "/config")).body) as Record<string, unknown>;
      const { ttl, loop_wait, retry_timeout, primary_start_timeout, failsafe_mode, synchronous_mode } = live;
      assert.deepEqual(
        { ttl, loop_wait, retry_timeout, primary_start_timeout, failsafe_mode, synchronous_mode },
        // failover: fast
        {
          ttl: 20,
          loop_wait: 5,
          retry_timeout: 5,
          primary_start_timeout: 30,
          failsafe_mode: true,
          synchronous_mode: false,
        },
      );
    }
  });

  promise("nothing else on a host touches the database", async () => {
    const { hosts } = cluster;
    const held = ["etcd-client", "etcd-server", "patroni", "postgresql-15", "python3-etcd"];
    for (const packages of Object.values(await hosts.all("apt-mark showhold"))) {
      assert.deepEqual(packages.trim().split("\n").sort(), held);
    }
    const ofDebian =
      "ls /etc/postgresql/15 2>/dev/null; systemctl is-enabled postgresql; systemctl is-active postgresql; true";
    const logind =
      "busctl get-property org.freedesktop.login1 /org/freedesktop/login1 org.freedesktop.login1.Manager RemoveIPC";
    for (const host of hosts.names) {
      assert.equal(await hosts.sh(host, ofDebian), "disabled\ninactive\n", `Debian's own cluster on ${host}`);
      assert.equal(await hosts.sh(host, logind), "b false\n", `systemd-logind of ${host} removes no IPC of PostgreSQL`);
    }
  });
}
