import type { remote } from "@pulumi/command";
import * as pulumi from "@pulumi/pulumi";
import type { CertificateAuthority } from "../certificate-authority";
import { secretsDigest } from "../converge/secrets";
import { command, commandsOf, unit } from "../converge/unit";
import type { DatabaseEndpointArgs, RedisEndpointArgs } from "../endpoint";
import { type ExtraArgs, extended } from "../extra";
import { firewallUnits } from "../firewall";
import type { Host } from "../host";
import { Internals } from "../internals";
import { installationOf, type PackageArgs } from "../package-source";
import type { Upstream } from "../upstream";
import { checked } from "../validate";
import { type NodeConfig, nodeSchema } from "./args";
import { check, firewallOf, renderInstall, renderNode, type SharedValues, sharedOf } from "./config";

/** What is the same on every node of one installation. */
export interface RuDesktopSettings {
  /** RuDesktop's package. */
  package: PackageArgs;
  /** Issues the certificates of the nodes' nginx. */
  ca: CertificateAuthority;
  /** RuDesktop's database: an address that always leads to the primary. */
  database: DatabaseEndpointArgs;
  /** RuDesktop's Redis: an address that always leads to the master. Without TLS. */
  redis: RedisEndpointArgs;
  /**
   * Names that every node's certificate holds besides its own: by the first of them a balancer verifies them all.
   * @default []
   * @example ["rudesktop.company.com"]
   */
  serverNames?: pulumi.Input<pulumi.Input<string>[]>;
  /**
   * How the database's certificate is treated: `verify-ca`, or `require` (encrypted, but not verified).
   * @default "verify-ca"
   */
  sslMode?: pulumi.Input<string>;
  /**
   * Arguments of the relay.
   * @default "-C /etc/rudesktop-relay.toml"
   */
  relayArgs?: pulumi.Input<string>;
  /**
   * Further variables of /etc/default/rudesktop. They are shown in previews: no secrets.
   * @default {}
   */
  variables?: pulumi.Input<Record<string, pulumi.Input<string>>>;
  /**
   * Further lines of /etc/rudesktop-relay.toml. They are shown in previews: no secrets.
   * @default none
   */
  relaySettings?: pulumi.Input<string>;
  /**
   * Files in /etc/rudesktop/ by name, with their content in TOML. They are shown in previews: no secrets.
   * @default {}
   * @example { "rz.toml": "expiry = 30" }
   */
  tomlFiles?: pulumi.Input<Record<string, pulumi.Input<string>>>;
  /**
   * systemd units of the PostgreSQL and Redis that come with the package: off, and kept from being started.
   * @default ["rudesktop-postgresql", "rudesktop-redis"]
   */
  embeddedServices?: pulumi.Input<pulumi.Input<string>[]>;
  /**
   * systemd units that `rude restart` restarts.
   * @default ["rudesktop", "rudesktop-relay"]
   */
  services?: pulumi.Input<pulumi.Input<string>[]>;
  /**
   * Group that RuDesktop's processes belong to: it may read the TOML files.
   * @default "rudesktop"
   */
  group?: pulumi.Input<string>;
  /**
   * Port of the web page and the API on loopback.
   * @default 8000
   */
  webPort?: pulumi.Input<number>;
  /**
   * Port of the relay's WebSocket on loopback.
   * @default 21117
   */
  relayPort?: pulumi.Input<number>;
  /**
   * Requests whose path begins with it go to the relay.
   * @default "/relay/"
   */
  relayPath?: pulumi.Input<string>;
  /**
   * Path that answers 200 when the node can serve.
   * @default "/health"
   */
  healthPath?: pulumi.Input<string>;
  /**
   * Port of the node's nginx.
   * @default 443
   */
  httpsPort?: pulumi.Input<number>;
  /**
   * Seconds for which a node has to serve again after `rude restart` before the next one may stop: as long as balancers
   * take to see it. Without it there are moments in which they know of no node that serves.
   * @default 10, more than an `NginxBalancer` takes by default
   */
  minReadySeconds?: pulumi.Input<number>;
  /**
   * Largest request in MiB, e.g. an uploaded file; 0 is no limit.
   * @default 1024
   */
  largestBodyMiB?: pulumi.Input<number>;
  /**
   * Addresses or networks in CIDR notation of the balancers. Only they reach the node's nginx, and only they are
   * believed about a client's address.
   * @default everybody reaches it, and nobody is believed
   */
  balancers?: pulumi.Input<pulumi.Input<string>[]>;
  /** What the component does not foresee: files, lines, scripts around restarts. @default none */
  extra?: ExtraArgs;
}

export interface RuDesktopNodeArgs extends RuDesktopSettings {
  /** Where it runs. */
  host: Host;
  /** Signs sessions: the same on every node. Secret. */
  secretKey: pulumi.Input<string>;
  /**
   * Nodes that are changed before this one, each until it is healthy.
   * @default none
   */
  after?: RuDesktopNode[];
}

interface NodeInternals {
  host: Host;
  shared: pulumi.Output<SharedValues>;
  ready: remote.Command;
}

const internals = new Internals<RuDesktopNode, NodeInternals>("RuDesktopNode");

/**
 * One node of RuDesktop: the server, its relay, and an nginx that ends TLS. PostgreSQL and Redis are elsewhere, and
 * shared with the other nodes. `RuDesktopCluster` makes several that agree in everything.
 *
 * ```ts
 * const node = new RuDesktopNode("node1", {
 *   host: node1, ca, secretKey,
 *   package: PackageSource.apt("rudesktop"),
 *   database: db.endpoint("rudesktop"),
 *   redis: redis.endpoint(),
 * });
 * ```
 *
 * Operations: nginx listens on 443 of the host's address. RuDesktop is restarted by `rude restart`, when one of its files
 * or its package has changed and not else; for that time nginx is stopped, so that balancers go elsewhere, and it stays
 * stopped if the node does not become healthy. To ask on the node what it reaches, and how fast:
 * `/usr/local/lib/hastack/rudesktop/check.py throughput`.
 */
export class RuDesktopNode extends pulumi.ComponentResource implements Upstream {
  /** Name of its host. */
  readonly name: string;
  /** Address of its nginx. */
  readonly address: pulumi.Output<string>;
  /** Port of its nginx. */
  readonly port: pulumi.Output<number>;
  /** Path that answers 200 when the node can serve. */
  readonly healthPath: pulumi.Output<string>;
  /** PEM of what the certificate of its nginx is verified with; it holds the host's name and address. */
  readonly caCertificate: pulumi.Output<string>;
  /** What was measured when it was changed last: how far PostgreSQL and Redis are away. */
  readonly connectivity: pulumi.Output<string>;

  constructor(name: string, args: RuDesktopNodeArgs, opts?: pulumi.ComponentResourceOptions) {
    // Arguments are not repeated as inputs of the component: they hold secrets, and resources it would wait for.
    super("hastack:index:RuDesktopNode", name, {}, opts);
    const { host, ca, package: source, after = [], extra, ...given } = args;
    const config = configure(`RuDesktopNode ${name}`, host, source, given);
    const child = { parent: this };

    const installed = unit(
      `${name}-install`,
      { host, role: "rudesktop-install", text: plain(config, renderInstall) },
      child,
    );
    const certificate = ca.issue(
      `${name}-server`,
      {
        commonName: host.hostName,
        ipAddresses: [host.address],
        dnsNames: plain(config, (c) => [host.hostName, ...c.serverNames]),
        server: true,
      },
      child,
    );
    const secrets = pulumi
      .all([config, certificate.certificate, certificate.privateKey])
      .apply(([c, crt, key]) => ({ ...secretsOf(c), "server.crt": crt, "server.key": key }));
    const text = extended(`RuDesktopNode ${name}`, extra, plain(config, renderNode));
    const ready = unit(
      name,
      { host, role: "rudesktop", text, secrets },
      { ...child, dependsOn: [installed, ...after.map((node) => node.ready)] },
    );
    const state = pulumi
      .all([text, secrets, host.digestKey])
      .apply(([t, values, key]) => secretsDigest(JSON.stringify([t, values]), key));
    this.connectivity = this.measured(name, host, pulumi.unsecret(state), ready);
    if (args.balancers) {
      firewallUnits(name, [host], plain(config, firewallOf), { ...child, role: "rudesktop", dependsOn: [ready] });
    }

    this.address = host.address;
    this.name = host.hostName;
    this.port = plain(config, (c) => c.httpsPort);
    this.healthPath = plain(config, (c) => c.healthPath);
    this.caCertificate = ca.certificate;
    internals.keep(this, { host, shared: pulumi.secret(config.apply(sharedOf)), ready });
    this.registerOutputs({ address: this.address, port: this.port, connectivity: this.connectivity });
  }

  /** The commands that it is made of, by name. */
  get commands(): Record<string, remote.Command> {
    return commandsOf(this);
  }

  /** @internal */
  get host(): Host {
    return internals.of(this).host;
  }

  /** @internal What has to be the same on every node. */
  get shared(): pulumi.Output<SharedValues> {
    return internals.of(this).shared;
  }

  /** @internal Depend on it: the node is healthy afterwards. */
  get ready(): remote.Command {
    return internals.of(this).ready;
  }

  /** Measured anew whenever the node's state has changed; what is too slow is a warning of the run. */
  private measured(
    name: string,
    host: Host,
    state: pulumi.Output<string>,
    ready: remote.Command,
  ): pulumi.Output<string> {
    const measurement = command(
      `${name}-connectivity`,
      { connection: host.connection, create: pulumi.interpolate`${host.sudo}${check} all ${state}` },
      { parent: this, dependsOn: [ready] },
      host,
    );
    return measurement.stdout.apply(async (said) => {
      for (const line of said.split("\n").filter((l) => l.startsWith("warning: "))) {
        await pulumi.log.warn(line.replace("warning: ", `${host.hostName}: `), this);
      }
      return said;
    });
  }
}

function configure(
  resource: string,
  host: Host,
  source: PackageArgs,
  given: Omit<RuDesktopNodeArgs, "host" | "ca" | "package" | "after" | "extra">,
): pulumi.Output<NodeConfig> {
  return pulumi
    .all([checked(resource, nodeSchema, given), installationOf(resource, source), host.address])
    .apply(([settings, installation, address]) => ({ ...settings, ...installation, name: host.hostName, address }));
}

function secretsOf({ database, redis, secretKey }: NodeConfig): Record<string, string> {
  return {
    "database-ca": database.caCertificate,
    "database-password": database.password,
    "redis-password": redis.password,
    "secret-key": secretKey,
  };
}

/** What is rendered names secrets and holds none. */
function plain<T>(config: pulumi.Output<NodeConfig>, of: (config: NodeConfig) => T): pulumi.Output<T> {
  return pulumi.unsecret(config.apply(of)) as pulumi.Output<T>;
}
