import type { remote } from "@pulumi/command";
import * as pulumi from "@pulumi/pulumi";
import * as random from "@pulumi/random";
import type { CertificateAuthority } from "../certificate-authority";
import { commandsOf, unit } from "../converge/unit";
import { type RedisEndpoint, redisEndpoint } from "../endpoint";
import { type ExtraArgs, extended } from "../extra";
import { fault } from "../fault";
import { firewallUnits } from "../firewall";
import { firstWord } from "../founding";
import type { Host } from "../host";
import { clockSkewRefused } from "../host/clock";
import { Internals } from "../internals";
import { inTurn } from "../rolling";
import { checked, parse } from "../validate";
import { apartFromPassword, authPassSecret, type VrrpArgs, virtualIpOn, vrrpPassword } from "../virtual-ip";
import { hostsSchema, type RedisSettings, redisSchema, refuseAddress, refusePassword } from "./args";
import { addressCheck, renderInstall, renderMember, renderReady } from "./config";
import { firewallOf, type RedisConfig, readyRole, role } from "./model";
import { adminPassword, applicationPassword, userSecrets } from "./users";

export interface RedisSecuredArgs {
  /** 1 host, or 3 or 5 with a copy of the data each. Which of them is the master is the Sentinels' business. */
  hosts: Host[];
  /** Issues the hosts' certificates. */
  ca: CertificateAuthority;
  /**
   * With several hosts: the address that always leads to the master, with the prefix of its network.
   * @example "192.168.1.210/24"
   */
  virtualIp?: pulumi.Input<string>;
  /** How the hosts agree on who holds the address. @default see `VrrpArgs` */
  vrrp?: pulumi.Input<VrrpArgs>;
  /**
   * TCP port of Redis, on the hosts and on the address.
   * @default 6379
   */
  port?: pulumi.Input<number>;
  /**
   * Speak TLS and nothing else: to clients, between Redis servers, and between Sentinels. Where several hosts run
   * already it cannot be changed: one that speaks TLS does not understand one that does not.
   * @default true
   */
  tls?: pulumi.Input<boolean>;
  /**
   * Addresses, or networks in CIDR notation, that may connect.
   * @default none but the hosts themselves
   */
  clients?: pulumi.Input<pulumi.Input<string>[]>;
  /**
   * Password of the application (`requirepass`): 12 characters or more, any but a line break.
   * @default made at random, once
   */
  password?: pulumi.Input<string>;
  /** With `password`: the one before, accepted besides while clients change over. */
  previousPassword?: pulumi.Input<string>;
  /**
   * Raise it by one to have every generated password made anew. The application's password before is accepted besides,
   * see `acceptPrevious`. No connection is closed.
   * @default 0
   */
  passwordRotation?: pulumi.Input<number>;
  /**
   * Whether the application's password before the last rotation is accepted. Set it to false when all clients use the
   * new one.
   * @default true
   */
  acceptPrevious?: pulumi.Input<boolean>;
  /**
   * Commands that the application may use although Redis counts them among the dangerous ones (`ACL CAT dangerous`).
   * @default ["info"]
   * @example ["info", "keys", "flushdb"]
   */
  allowedCommands?: pulumi.Input<pulumi.Input<string>[]>;
  /**
   * MiB that the data may take.
   * @default half of the host's memory; of the smallest where there are several
   */
  maxMemoryMiB?: pulumi.Input<number>;
  /**
   * What happens when they are used up (Redis manual, Key eviction): `noeviction` refuses to write, and so never
   * forgets what it has acknowledged; `volatile-lru`, `allkeys-lru` and others forget.
   * @default "noeviction"
   */
  evictionPolicy?: pulumi.Input<string>;
  /**
   * Most connections, 200 to 60000. On several hosts 100 of them are for the hosts themselves; further clients wait.
   * @default 10000
   */
  maxClients?: pulumi.Input<number>;
  /**
   * Milliseconds without an answer after which a master is taken for dead. A command that blocks Redis for longer
   * causes a failover.
   * @default 2000
   */
  downAfterMs?: pulumi.Input<number>;
  /**
   * Let only `clients` and the hosts themselves reach the ports (a table of nftables of its own; nothing else is touched).
   * @default true
   */
  firewall?: boolean;
  /**
   * Other settings of redis.conf, in the form in which `CONFIG GET` shows them: text or numbers.
   * @example { "notify-keyspace-events": "Ex" }
   */
  // biome-ignore lint/suspicious/noExplicitAny: a schema for other languages has no unions; values are checked
  settings?: pulumi.Input<Record<string, any>>;
  /** What the component does not foresee: files, lines, scripts around restarts. @default none */
  extra?: ExtraArgs;
}

interface RedisInternals {
  hosts: readonly Host[];
  ca: CertificateAuthority;
  tls: pulumi.Output<boolean>;
  ready: remote.Command[];
}

const internals = new Internals<RedisSecured, RedisInternals>("RedisSecured");

/**
 * Redis that only its clients reach: TLS, passwords, no dangerous commands for the application, data on disk. On one
 * host, or on three with replication, Sentinel and one address that always leads to the master.
 *
 * ```ts
 * const redis = new RedisSecured("cache", {
 *   hosts: [redis1, redis2, redis3],
 *   ca,
 *   virtualIp: "192.168.1.210/24",
 *   clients: ["192.168.1.122", "192.168.1.123"],
 * });
 * export const url = redis.endpoint().url; // rediss://:PASSWORD@192.168.1.210:6379
 * ```
 *
 * One host: leave `virtualIp` out. A client that cannot speak TLS: `tls: false`.
 *
 * Operations: Redis listens on 6379, Sentinel on 26379 (reached by the hosts only). The application logs in as `default`
 * (with the password only). One of three hosts may be lost: after `downAfterMs` and about two seconds the Sentinels have
 * made another one the master, and the address leads there; connections to the lost one are cut. Replication is
 * asynchronous: a failover may lose what was acknowledged within its last moments, unless the client says `WAIT 1 …`
 * after a write. A master without a replica refuses to write. Most changes are loaded while Redis runs; for the others the
 * replicas are restarted one by one, then the master, after it has handed over without losing a write (connections are
 * cut once). Redis and Sentinel keep what they find out in files of their own, so a failover is no drift.
 * To administer it on a host, as root: `. /etc/hastack/redis/library.sh; redis INFO; sentinel SENTINEL MASTERS`.
 */
export class RedisSecured extends pulumi.ComponentResource {
  /** The address that clients use: the virtual one, or the host's. */
  readonly address: pulumi.Output<string>;
  /** TCP port of Redis. */
  readonly port: pulumi.Output<number>;
  /** Password of the user `admin`, who may do everything. Secret. */
  readonly adminPassword: pulumi.Output<string>;
  /** Password of the application. Secret. */
  readonly password: pulumi.Output<string>;

  constructor(name: string, args: RedisSecuredArgs, opts?: pulumi.ComponentResourceOptions) {
    // Arguments are not repeated as inputs of the component: they hold secrets, and hosts it would wait for.
    super("hastack:index:RedisSecured", name, {}, opts);
    const { hosts, ca, password, previousPassword, firewall = true, extra, ...given } = args;
    const resource = `RedisSecured ${name}`;
    const child = { parent: this };
    refuseHosts(resource, hosts, given.virtualIp);
    const { vrrp, authPass } = apartFromPassword(resource, given.vrrp);
    const settings = checked(resource, redisSchema, { ...given, vrrp });
    const seed = new random.RandomPassword(`${name}-seed`, { length: 64 }, child).result;
    const passwords = givenPasswords(resource, { password, previousPassword });

    this.port = open(settings, (s) => s.port);
    this.address = open(pulumi.all([settings, hosts[0]?.address]), ([s, own]) => s.virtualIp?.address ?? own ?? "");
    this.adminPassword = pulumi.secret(pulumi.all([seed, settings]).apply(([s, c]) => adminPassword(s, c)));
    this.password = pulumi.secret(
      pulumi.all([seed, settings, passwords]).apply(([s, c, p]) => applicationPassword(s, c, p.password)),
    );
    const secrets = pulumi.all([seed, settings, passwords, authPass]).apply(
      ([s, c, p, pass]): Record<string, string> => ({
        ...userSecrets(s, c, p),
        [authPassSecret]: vrrpPassword(s, pass),
      }),
    );

    const config = configure(resource, { name, hosts, firewall }, settings);
    const on = (host: Host) => config.apply((all) => all[hosts.indexOf(host)] as RedisConfig);
    const installed = hosts.map((host) =>
      unit(
        `${name}-${host.hostName}-install`,
        { host, role: `${role}-install`, text: on(host).apply(renderInstall) },
        child,
      ),
    );
    const first = firstWord(hosts, readyRole);
    const running = inTurn(hosts, installed, (host, dependsOn) =>
      unit(
        `${name}-${host.hostName}`,
        {
          host,
          role,
          first,
          text: extended(resource, extra, on(host).apply(renderMember)),
          secrets: withCertificate(secrets, this.certificateOf(name, host, ca)),
        },
        { ...child, dependsOn, protect: opts?.protect ?? true },
      ),
    );
    // Before the last look: a host that leaves is shut out, and does not make itself known again.
    const shut = firewall
      ? firewallUnits(
          name,
          hosts,
          open(config, ([c]) => firewallOf(c as RedisConfig)),
          {
            ...child,
            role,
            dependsOn: running,
          },
        )
      : [];
    const ready = inTurn(hosts, [...running, ...shut], (host, dependsOn) =>
      unit(
        `${name}-${host.hostName}-ready`,
        { host, role: readyRole, text: on(host).apply(renderReady) },
        { ...child, dependsOn },
      ),
    );
    internals.keep(this, { hosts, ca, tls: open(settings, (s) => s.tls), ready });
    this.registerOutputs({ address: this.address, port: this.port });
  }

  /** The commands that it is made of, by name. */
  get commands(): Record<string, remote.Command> {
    return commandsOf(this);
  }

  /** @internal */
  get hosts(): readonly Host[] {
    return internals.of(this).hosts;
  }

  /** @internal Depend on it: the endpoint answers afterwards. */
  get ready(): remote.Command[] {
    return internals.of(this).ready;
  }

  /** How an application reaches the master. */
  endpoint(): RedisEndpoint {
    const { ca, tls: encrypted } = internals.of(this);
    return redisEndpoint(
      pulumi
        .all([this.address, this.port, this.password, encrypted, ca.certificate])
        .apply(([host, port, password, tls, caCertificate]) => ({ host, port, password, tls, caCertificate })),
      this.ready,
    );
  }

  private certificateOf(name: string, host: Host, ca: CertificateAuthority) {
    const { certificate, privateKey } = ca.issue(
      `${name}-${host.hostName}`,
      {
        commonName: host.hostName,
        ipAddresses: pulumi.all([this.address, host.address]).apply((all) => [...new Set(all), "127.0.0.1"]),
        dnsNames: [host.hostName, "localhost"],
        server: true,
        // A replica, and Sentinel, present it to the master.
        client: true,
      },
      { parent: this },
    );
    return pulumi.all({ ca: ca.certificate, "server.crt": certificate, "server.key": privateKey });
  }
}

/** What all hosts share, and the host's certificate. */
function withCertificate(
  shared: pulumi.Output<Record<string, string>>,
  certificate: pulumi.Output<Record<string, string>>,
): pulumi.Output<Record<string, string>> {
  return pulumi.all([shared, certificate]).apply(([all, own]) => ({ ...all, ...own }));
}

function refuseHosts(resource: string, hosts: readonly Host[], virtualIp: unknown): void {
  parse(resource, hostsSchema, { hosts: hosts.map((host) => host.hostName) });
  refuseAddress(resource, hosts.length, virtualIp);
}

function givenPasswords(
  resource: string,
  given: { password: pulumi.Input<string> | undefined; previousPassword: pulumi.Input<string> | undefined },
): pulumi.Output<{ password?: string | undefined; previousPassword?: string | undefined }> {
  const refuse = (values: Record<string, unknown>) => {
    for (const [argument, value] of Object.entries(values)) {
      if (typeof value === "string") refusePassword(resource, argument, value);
    }
  };
  // A plain one is refused in the constructor.
  refuse(given);
  return pulumi.output(given).apply((values) => {
    refuse(values);
    return values;
  });
}

/** What of it is no secret, even where it stands beside one. */
function open<T, U>(output: pulumi.Output<T>, pick: (values: T) => U): pulumi.Output<U> {
  return pulumi.unsecret(output.apply(pick) as pulumi.Output<U>);
}

/** The configuration of each host. */
function configure(
  resource: string,
  { name, hosts, firewall }: { name: string; hosts: readonly Host[]; firewall: boolean },
  settings: pulumi.Output<RedisSettings>,
): pulumi.Output<RedisConfig[]> {
  return pulumi
    .all([
      settings,
      pulumi.all(hosts.map((host) => host.address)),
      pulumi.all(hosts.map((host) => host.traits)),
      clockSkewRefused(resource, hosts),
    ])
    .apply(([s, addresses, traits]) => {
      const members = hosts.map((host, i) => ({ name: host.hostName, address: addresses[i] ?? "" }));
      const taken = members.find((member) => member.address === s.virtualIp?.address);
      if (taken) {
        throw fault(
          `${resource}: virtualIp: ${taken.address}: is the address of ${taken.name} itself: give one that no host has`,
        );
      }
      const memoryMiB = Math.min(...traits.map((t) => t.memoryMiB));
      return members.map((self, i) => {
        const shared = { name, settings: s, self, members, memoryMiB, firewall };
        if (!s.virtualIp) return shared;
        const address = { role, virtualIp: s.virtualIp, port: s.port, ...addressCheck };
        const own = traits[i] as (typeof traits)[0];
        return { ...shared, virtualIp: virtualIpOn(resource, address, s.vrrp, members, self, own) };
      });
    });
}
