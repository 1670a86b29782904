/** How a block of commands is known to work: a test does it, or why none does. */
export type Run = { by: string; test: string } | { not: string };

const doctor = "test/lab/doctor.test.ts";
const status: Run = { by: "test/lab/pooler/status.ts", test: "`hastack status` knows leader, lag, holders" };
const redisLibrary: Run = { by: "test/lab/redis/test-redis.ts", test: ". /etc/hastack/redis/library.sh" };
const switchover: Run = { by: "test/lab/pooler/runbooks.ts", test: "runbook: the leader hands over" };

/** By document, heading and first command. */
export const runs: Readonly<Record<string, Run>> = {
  "README.md | Ten minutes: from nothing to a running stack | npm run dev": {
    by: "test/lab/rudesktop-site/comes-up.ts",
    test: "`up` on twelve fresh hosts makes a RuDesktop that answers at the entry's address",
  },
  "README.md | Ten minutes: from nothing to a running stack | npm run dev -- ask": {
    by: "test/lab/rudesktop-site/comes-up.ts",
    test: "`up` on twelve fresh hosts makes a RuDesktop that answers at the entry's address",
  },
  "README.md | On machines of your own | hastack doctor --stack production": {
    by: doctor,
    test: "hosts that are fit: nothing stands in the way",
  },
  "README.md | Test it: one command | npm test": { not: "it is what runs this test" },
  "README.md | The command `hastack` | lab/lab exec -- node --import tsx components/cli/main.ts status --stack dev --html topology.html":
    status,
  "docs/components/etcd-quorum.md | Day 2 | set -a": {
    by: "test/lab/changes/cluster.ts",
    test: "set -a; . /etc/etcd/etcdctl.env; etcdctl",
  },
  "docs/components/host.md | Day 2 | hastack doctor": { by: doctor, test: "hosts that are fit" },
  "docs/components/nginx-balancer.md | Day 2 | journalctl -u hastack-nginx-readiness -n 20": {
    not: "it reads a journal; the unit's name is that in components/nginx-balancer/config.ts",
  },
  "docs/components/pgbouncer-vip-pair.md | Day 2 | systemctl stop keepalived": {
    by: "test/lab/faults/of-proxies.ts",
    test: "keepalived-stopped",
  },
  "docs/components/postgres-patroni-cluster.md | Day 2 | patronictl -c /etc/patroni/config.yml switchover --force":
    switchover,
  "docs/components/postgres-patroni-cluster.md | Day 2 | pulumi stack output passwords --show-secrets": {
    by: "test/lab/support/stack.ts",
    test: '"stack", "output", "--json", "--show-secrets"',
  },
  "docs/components/redis-secured.md | Day 2 | . /etc/hastack/redis/library.sh": redisLibrary,
  "docs/components/rudesktop-node.md | Day 2 | /usr/local/lib/hastack/rudesktop/check.py throughput": {
    by: "test/lab/rudesktop.test.ts",
    test: "how fast the network is can be asked on a node",
  },
  "docs/converge.md | converge: the program on the host, and the language it reads | converge apply etcd - my-token <etcd.unit":
    {
      by: "test/converge/runs.test.ts",
      test: "preflight answers every condition of a text",
    },
  "docs/decisions/toolchain.md | Forcing one or the other | lab/toolchain/install": {
    by: "test/lab/support/test-lab.ts",
    test: "lab/toolchain/install",
  },
  "docs/lab.md | The lab | lab/lab up postgres": {
    by: "test/lab/lab.test.ts",
    test: "a second `up` changes nothing; of another topology it is refused with the cure",
  },
  "docs/other-languages.md | TypeScript and JavaScript | npm install hastack": {
    by: "test/lab/import.test.ts",
    test: "three components of it make a Redis that answers over TLS",
  },
  "docs/other-languages.md | Python, Go, C#, Java, YAML | npm install hastack": {
    not: "`pulumi package add` takes the language hosts of the official CLI; by hand: test/lab/other-languages/python.ts",
  },
  "docs/policies.md | Policies | pulumi preview --policy-pack policy": {
    by: "test/conformance/policy.test.ts",
    test: "lets a database cluster with its poolers pass",
  },
  "docs/operations.md | An interrupted run | pulumi up": {
    by: "test/lab/changes/interrupted.ts",
    test: "is killed is finished by the next",
  },
  "docs/operations.md | Before a change | pulumi preview --json": {
    by: "test/lab/cluster/review.ts",
    test: "a preview announces the restarts and reloads of a change, and `up` makes just these",
  },
  "docs/operations.md | Failover and switchover | hastack status": status,
  "docs/operations.md | Failover and switchover | patronictl -c /etc/patroni/config.yml switchover --force": switchover,
  "docs/operations.md | Failover and switchover | systemctl stop keepalived": switchover,
  "docs/operations.md | Back up, and restore | runuser -u postgres -- pg_dump --format=custom --file=/var/lib/postgresql/workspad.dump workspad":
    {
      by: "test/lab/pooler/runbooks.ts",
      test: "runbook: a dump is taken on a replica",
    },
  "docs/operations.md | Back up, and restore | runuser -u postgres -- pg_restore --clean --if-exists --single-transaction --dbname=workspad /var/lib/postgresql/workspad.dump":
    {
      by: "test/lab/pooler/runbooks.ts",
      test: "runbook: a dump is taken on a replica",
    },
  "docs/operations.md | Jobs that only look | pulumi config set --secret hastack:probeKey <probe_key": {
    by: "test/lab/cluster/probe-user.ts",
    test: "a user that may only probe is made on request, and a preview works with its key alone",
  },
  "docs/operations.md | The end of a cluster | pulumi up": {
    by: "test/lab/changes/removal.ts",
    test: "`purge: true` removes the databases",
  },
  "docs/rudesktop.md | How far PostgreSQL and Redis are away | /usr/local/lib/hastack/rudesktop/check.py throughput": {
    by: "test/lab/rudesktop.test.ts",
    test: "how fast the network is can be asked on a node",
  },
  "docs/rudesktop.md | Runbook: switching to the other site | npm run switch-site -- --stack rudesktop south": {
    by: "test/lab/rudesktop-site/switching.ts",
    test: "one command hands over to the other site",
  },
  "docs/workspad.md | WorksPad | lab/setup": {
    by: "test/lab/workspad-site/comes-up.ts",
    test: "`up` on ten fresh hosts makes a WorksPad that answers at the entry's address",
  },
};
