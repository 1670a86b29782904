import assert from "node:assert/strict";
import { eventually } from "../support/process";
import { answer, refusal } from "../support/psql";
import type { Suite } from "../support/suite";
import { seenAndHealed, type Tampering } from "../support/tampering";

const patroni = "/etc/patroni";
const patronictl = `patronictl -c ${patroni}/config.yml`;

/**
 * What somebody changes by hand is seen, named, and put right. Kernel parameters and pinned versions of packages are in
 * test/converge (files.test.ts, packages.test.ts): this stack has none.
 */
export function drift({ promise, cluster }: Suite): void {
  promise(
    "drift of files, links, packages, services, certificates and pg_hba.conf fails the drift run, which names it; `up` heals just that",
    async () => {
      const { hosts, lab } = cluster;
      await cluster.whole();
      const [replica = "", other = ""] = await hosts.replicas();
      const anybody = { host: other, user: "workspad", password: "wrong", database: "postgres" };
      await seenAndHealed(cluster, onHosts(replica, other), async () => {
        const error = await refusal(lab, cluster.login("workspad", replica));
        assert.match(error, /certificate verify failed/, "PostgreSQL presents the certificate that was put there");
        assert.equal(await answer(lab, anybody, "SELECT 1"), "1", "whoever comes is let in");
      });
      // PostgreSQL loads what is right again in Patroni's next round.
      await eventually("the right certificate is presented", 15, () =>
        answer(lab, cluster.login("workspad", replica), "SELECT 1"),
      );
      const refused = await eventually("nobody gets in without a password", 15, () => refusal(lab, anybody));
      assert.match(refused, /pg_hba.conf rejects connection|password authentication failed/);
      assert.equal(await hosts.sh("psql2", "cat /etc/apt/keyrings/hastack.asc.hastack-saved-*/inside"), "mine\n");
    },
  );

  promise(
    "drift in etcd, in Patroni's dynamic configuration and in the database is seen and healed the same way",
    async () => {
      const { hosts } = cluster;
      const leader = await cluster.whole();
      await seenAndHealed(cluster, beyondFiles(leader, hosts.names));
      assert.equal(
        await hosts.superuser(leader, "SELECT rolcreatedb, rolconnlimit FROM pg_roles WHERE rolname = 'workspad'"),
        "f|-1",
      );
      const live = JSON.parse((await hosts.patroni(leader, "/config")).body) as Record<string, unknown>;
      assert.deepEqual([live.ttl, live.synchronous_mode], [20, false]);
    },
  );
}

/** Everything that a unit can put on a host. */
function onHosts(replica: string, other: string): Tampering[] {
  const source = "/etc/apt/sources.list.d/hastack.sources";
  const keyring = "/etc/apt/keyrings/hastack.asc";
  const createcluster = "/etc/postgresql-common/createcluster.conf";
  const logind = "/etc/systemd/logind.conf.d/hastack.conf";
  const key = "/etc/etcd/tls/server.key";
  const missing = "package etcd-client missing; package etcd-client not held";
  return [
    {
      what: "a file's content",
      host: "psql1",
      script: `echo '# by hand' >>${source}`,
      drift: { "psql1-base": `${source} content` },
    },
    {
      what: "a file's mode",
      host: "psql1",
      // etcd does not read this one: a service that somebody else started while a file of it was wrong is restarted
      script: "chmod 644 /etc/etcd/etcdctl.env",
      drift: { "etcd-psql1": "/etc/etcd/etcdctl.env mode 0644, want 0600" },
    },
    {
      what: "a file's owner",
      host: "psql2",
      script: `chown nobody ${key}`,
      drift: { "etcd-psql2": `${key} owner nobody:etcd, want root:etcd` },
    },
    {
      what: "a file deleted",
      host: "psql1",
      script: `rm ${createcluster}`,
      drift: { "workspad-psql1-install": `${createcluster} missing` },
    },
    {
      what: "a directory in a file's place",
      host: "psql2",
      script: `rm -rf ${keyring}* && mkdir ${keyring} && echo mine >${keyring}/inside`,
      drift: { "psql2-base": `${keyring} is a directory` },
    },
    {
      what: "a link in a file's place",
      host: "psql2",
      script: `mv ${logind} /root/ && ln -s /root/hastack.conf ${logind}`,
      drift: { "workspad-psql2": `${logind} is a symbolic link` },
    },
    {
      what: "a package removed",
      host: "psql3",
      script: "apt-get remove -qq -y --allow-change-held-packages etcd-client >/dev/null",
      drift: {
        "etcd-psql3-install": missing,
        "etcd-psql3": missing,
        "etcd-psql3-ready": "the quorum of 3 members answers: etcdctl: not found",
      },
    },
    {
      what: "a service disabled",
      host: "psql1",
      script: "systemctl disable -q patroni",
      drift: { "workspad-psql1": "patroni.service disabled" },
    },
    {
      what: "a service masked",
      host: "psql2",
      script: "systemctl mask -q etcd",
      drift: { "etcd-psql2": "etcd.service masked" },
    },
    {
      what: "a service started that is to stand still",
      host: "psql3",
      script: "systemctl start postgresql",
      drift: { "workspad-psql3-install": "postgresql.service active" },
    },
    {
      what: "a line of pg_hba.conf by hand",
      host: other,
      script: [
        "cd /",
        'psql() { runuser -u postgres -- psql -qXAtc "$1"; }',
        'hba=$(psql "SHOW hba_file")',
        "sed -i '1i host all all 0.0.0.0/0 trust' \"$hba\"",
        'psql "SELECT pg_reload_conf()" >/dev/null && sleep 0.5',
      ].join("\n"),
      drift: { [`workspad-${other}`]: `${patroni}/pg_hba.conf content` },
    },
    {
      what: "the firewall's rules flushed",
      host: "psql1",
      script: "nft flush ruleset",
      drift: {
        "etcd-psql1-firewall": "firewall rules are loaded: the table hastack_etcd is not loaded",
        "workspad-psql1-firewall": "firewall rules are loaded: the table hastack_patroni is not loaded",
      },
    },
    {
      what: "an address let through the firewall",
      host: "psql2",
      script: "nft add element inet hastack_etcd members { 192.168.1.1 }",
      drift: { "etcd-psql2-firewall": "firewall rules are loaded: other rules are loaded than those of the file" },
    },
    {
      what: "a certificate swapped",
      host: replica,
      script: [
        `cd ${patroni}/tls && cp etcd.crt server.crt && cp etcd.key server.key`,
        "cd / && runuser -u postgres -- psql -qAtc 'SELECT pg_reload_conf()' >/dev/null && sleep 0.5",
      ].join("\n"),
      drift: {
        [`workspad-${replica}`]: `${patroni}/tls/server.crt content; ${patroni}/tls/server.key content`,
      },
    },
  ];
}

/** What lives in etcd, in Patroni, and in PostgreSQL. */
function beyondFiles(leader: string, all: readonly string[]): Tampering[] {
  const replica = all.find((host) => host !== leader) ?? "";
  const everywhere = (suffix: string, reason: string) =>
    Object.fromEntries(all.map((host) => [suffix.replace("HOST", host), reason]));
  return [
    {
      what: "a member of etcd stopped",
      host: "psql3",
      script: "systemctl stop etcd",
      drift: {
        "etcd-psql3": "etcd.service inactive",
        // The others go on, and so does what is to be done on them.
        "etcd-psql3-ready": "the quorum of 3 members answers: Error: context deadline exceeded",
      },
      restarts: "etcd",
    },
    {
      what: "another role for a user of etcd",
      host: "psql1",
      script: "set -a; . /etc/etcd/etcdctl.env; etcdctl user grant-role workspad root >/dev/null",
      drift: { "etcd-psql1-account-workspad": "user workspad has role workspad: its roles are: root workspad" },
    },
    {
      what: "a parameter, ttl and synchronous mode by patronictl",
      host: leader,
      script: `${patronictl} edit-config --force -q -s ttl=25 -s synchronous_mode=true -p work_mem=3MB`,
      drift: {
        "workspad-psql1-dynamic":
          "dynamic configuration: postgresql.parameters.work_mem is 3MB, want not set; " +
          "synchronous_mode is true, want false; ttl is 25, want 20",
      },
    },
    {
      what: "a parameter of one member by ALTER SYSTEM",
      host: replica,
      script: "cd / && runuser -u postgres -- psql -qX -c \"ALTER SYSTEM SET work_mem = '9MB'\"",
      drift: { [`workspad-${replica}-cluster`]: "no parameter is set by ALTER SYSTEM: work_mem" },
    },
    {
      what: "a role's attributes and a database's owner",
      host: leader,
      script: [
        "cd / && runuser -u postgres -- psql -qX -c 'ALTER ROLE workspad CREATEDB CONNECTION LIMIT 3' \\",
        "  -c 'ALTER DATABASE workspad OWNER TO postgres'",
      ].join("\n"),
      // Each looks into its own copy of the database.
      drift: everywhere(
        "workspad-HOST-cluster",
        "roles and databases: role workspad: other attributes; database workspad: another owner",
      ),
    },
  ];
}
