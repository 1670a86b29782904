import assert from "node:assert/strict";
import { eventually } from "../support/process";
import type { TestLab } from "../support/test-lab";
import { type PoolerCluster, services } from "./cluster";
import type { PoolerSuite } from "./suite";

/** Announces a router id to VRRP's multicast group every half second (RFC 5798, 5.2), until its standard input ends. */
const stranger = `
use Socket qw(:all);
my ($from, $id) = @ARGV;
socket my $s, PF_INET, SOCK_RAW, 112 or die "socket: $!";
setsockopt $s, IPPROTO_IP, IP_MULTICAST_IF, inet_aton($from) or die "interface: $!";
setsockopt $s, IPPROTO_IP, IP_MULTICAST_TTL, pack("C", 255) or die "ttl: $!";
bind $s, sockaddr_in(0, inet_aton($from)) or die "bind: $!";
vec(my $input, 0, 1) = 1;
do {
    defined send $s, pack("CCCCCCn a4", 0x21, $id, 100, 1, 0, 1, 0, inet_aton("192.168.1.99")), 0, sockaddr_in(0, inet_aton("224.0.0.18")) or die "send: $!";
} until select my $ended = $input, undef, undef, 0.5;
`;

/** What is in the way is said before anything is touched. */
export function refusesClashes({ promise, cluster }: PoolerSuite): void {
  promise("a router id that a stranger announces is refused before a package is installed", async (t) => {
    if (!cluster.fresh) return t.skip("the hosts of this lab are in use already");
    await whileAnnounced(cluster.lab, 70, async () => {
      assert.match(await cluster.stack.fails(cluster.stack.up()), /192\.168\.1\.1 announces the router id 70/);
    });
    for (const [host, packages] of Object.entries(
      await cluster.proxies.all("dpkg-query --list | awk '{ print $2 }'"),
    )) {
      assert.doesNotMatch(packages, /^(pgbouncer|haproxy|keepalived)$/m, host);
    }
  });
}

export function refusals({ promise, cluster }: PoolerSuite): void {
  promise("a running pair is not moved to a router id or an address that a stranger uses", async () => {
    const before = await state(cluster);
    const clashes: [object, RegExp][] = [
      [{ vrrp: { routerId: 71 } }, /192\.168\.1\.1 announces the router id 71/],
      [{ virtualIp: "192.168.1.1/24" }, /192\.168\.1\.1 is in use by the host with the MAC address [0-9a-f:]{17}/],
    ];
    for (const [pooler, message] of clashes) {
      const restore = cluster.stack.configure({ "hastack:pooler": pooler });
      try {
        await whileAnnounced(cluster.lab, 71, async () => {
          const printed = await cluster.stack.fails(cluster.stack.up());
          assert.match(printed, message);
          assert.match(printed, /give another vrrp\.routerId, or another virtualIp/);
        });
      } finally {
        restore();
      }
      assert.deepEqual(await state(cluster), before);
    }
    await cluster.up();
    await cluster.clean();
  });

  promise(
    "hosts that the cluster does not let in, and pools larger than PostgreSQL, are refused in the preview",
    async () => {
      const { stack } = cluster;
      const cases: [object, RegExp][] = [
        [{ poolSize: 400 }, /2 poolers x \(workspad 400 \+ workspad_ro 400\) = 1600 connections/],
        [{ poolMode: "query" }, /poolMode: "query": give session, transaction or statement/],
      ];
      for (const [pooler, message] of cases) {
        const restore = stack.configure({ "hastack:pooler": pooler });
        try {
          assert.match(await stack.fails(stack.preview()), message);
        } finally {
          restore();
        }
      }
    },
  );
}

/** What a refused change must leave alone. */
async function state({ proxies }: PoolerCluster): Promise<object> {
  const files = await proxies.all("find /etc /usr/local -type f -printf '%p %C@\\n' | sort");
  return { services: await proxies.invocations(...services), files };
}

async function whileAnnounced(lab: TestLab, id: number, attempt: () => Promise<void>): Promise<void> {
  const child = lab.begin(["perl", "-e", stranger, "192.168.1.1", String(id)]);
  let said = "";
  child.stderr.on("data", (chunk: Buffer) => {
    said += chunk.toString();
  });
  try {
    await attempt();
    assert.equal(child.exitCode, null, `the stranger is still there: ${said}`);
  } finally {
    child.stdin.end();
    await eventually("the stranger is gone", 5, async () => child.exitCode ?? undefined);
  }
}
