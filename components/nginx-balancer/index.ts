import type { remote } from "@pulumi/command";
import * as pulumi from "@pulumi/pulumi";
import * as random from "@pulumi/random";
import { z } from "zod";
import type { Certificate, CertificateAuthority } from "../certificate-authority";
import { commandsOf, unit } from "../converge/unit";
import { type ExtraArgs, extended } from "../extra";
import { fault } from "../fault";
import { firewallUnits } from "../firewall";
import type { Host } from "../host";
import { Internals } from "../internals";
import { inTurn } from "../rolling";
import type { Upstream } from "../upstream";
import { checked, parse } from "../validate";
import { apartFromPassword, authPassSecret, type VrrpArgs, virtualIpOn, vrrpPassword } from "../virtual-ip";
import { adopting, type Wanted } from "./adoption";
import { type BalancerSettings, balancerSchema, nameOf } from "./args";
import { refuseCertificate } from "./certificate";
import { nginxAnswers, renderBalancer, renderInstall } from "./config";
import { type BalancerConfig, firewallOf, role } from "./model";

/** How the balancer speaks to its upstreams. */
export interface UpstreamTlsArgs {
  /**
   * Speak TLS, and verify the certificate.
   * @default true
   */
  enabled?: pulumi.Input<boolean>;
  /**
   * PEM of the authorities that issue the upstreams' certificates, or of one certificate that they all have.
   * @default that of the balancer's `ca`
   */
  ca?: pulumi.Input<string>;
  /**
   * The name that is in every upstream's certificate.
   * @default the first of `serverNames`
   */
  serverName?: pulumi.Input<string>;
}

/** A certificate from outside. */
export interface ServerCertificateArgs {
  /** PEM: the certificate for all `serverNames`, then those of intermediate authorities. */
  certificate: pulumi.Input<string>;
  /** PEM, without a passphrase. */
  privateKey: pulumi.Input<string>;
}

/** How it is found out whether an upstream is ready: its answer to a GET is 2xx or 3xx. */
export interface HealthArgs {
  /** What it is asked for. @default "/" */
  path?: pulumi.Input<string>;
  /** Seconds between two questions. @default 2 */
  interval?: pulumi.Input<number>;
  /** Seconds to wait for an answer. @default 2 */
  timeout?: pulumi.Input<number>;
  /** So many bad answers in a row, and it gets no requests. @default 2 */
  fall?: pulumi.Input<number>;
  /** So many good answers in a row, and it gets requests again. @default 2 */
  rise?: pulumi.Input<number>;
}

export interface NginxBalancerArgs {
  /** One host; or 2 or 3, one of which holds the virtual address. */
  hosts: Host[];
  /** Who answers the requests. */
  upstreams: Upstream[];
  /**
   * Names by which clients know the entry; a pattern `*.company.com` is one, too. The entry's addresses always are names
   * of it, and requests for any other are refused.
   * @default []
   * @example ["workspad.company.com"]
   */
  serverNames?: pulumi.Input<pulumi.Input<string>[]>;
  /**
   * The address of the entry where it has several hosts, with the prefix of its network.
   * @example "192.168.1.210/24"
   */
  virtualIp?: pulumi.Input<string>;
  /** How the hosts agree on who holds the address. @default see `VrrpArgs` */
  vrrp?: pulumi.Input<VrrpArgs>;
  /** The certificate that clients see. @default one that `ca` issues to each host */
  certificate?: ServerCertificateArgs;
  /** Issues the certificates that clients see, unless `certificate` is given, and those of the upstreams. */
  ca?: CertificateAuthority;
  /** TLS to the upstreams. @default see `UpstreamTlsArgs` */
  upstreamTls?: UpstreamTlsArgs;
  /** TCP port for HTTPS and WebSockets. @default 443 */
  httpsPort?: pulumi.Input<number>;
  /** TCP port from which browsers are sent to HTTPS; 0 is none. @default 80 */
  httpPort?: pulumi.Input<number>;
  /**
   * `ip_hash`: clients of one /24 network keep their upstream; `least_conn`: the one with the fewest connections.
   * @default "ip_hash"
   */
  method?: pulumi.Input<string>;
  /**
   * Idle connections to upstreams that each worker keeps. A POST that meets an upstream just closing one fails.
   * @default 0
   */
  keepalive?: pulumi.Input<number>;
  /** When an upstream gets requests. @default see `HealthArgs` */
  health?: pulumi.Input<HealthArgs>;
  /** Seconds of silence after which a request or a WebSocket is given up, on either side. @default 300 */
  timeout?: pulumi.Input<number>;
  /** Seconds that a connection, e.g. a WebSocket, may go on after a reload. @default 3600 */
  drainTimeout?: pulumi.Input<number>;
  /** Largest body of a request in MiB; 0 is no limit. @default 1024 */
  maxBodyMiB?: pulumi.Input<number>;
  /** Most connections of one worker (there is one for each core), those to upstreams included. @default 8192 */
  maxConnections?: pulumi.Input<number>;
  /** Most connections of one client's address; 0 is no limit. Who exceeds it gets status 429. @default 1000 */
  connectionsPerClient?: pulumi.Input<number>;
  /**
   * Networks of proxies in front, whose `X-Forwarded-For` is believed.
   * @default [], so nobody's
   */
  trustedProxies?: pulumi.Input<pulumi.Input<string>[]>;
  /** Networks in CIDR notation that may connect. @default everybody */
  clients?: pulumi.Input<pulumi.Input<string>[]>;
  /** Let only clients reach the ports (a table of nftables of its own; nothing else is touched). @default true */
  firewall?: boolean;
  /** Seconds for which browsers insist on HTTPS (HSTS); 0 is no such header. @default 31536000 */
  hstsSeconds?: pulumi.Input<number>;
  /** Name servers that find the certificate's OCSP responder. @default [], without OCSP stapling */
  ocspResolvers?: pulumi.Input<pulumi.Input<string>[]>;
  /** Days for which logs are kept. @default 14 */
  logDays?: pulumi.Input<number>;
  /** Lines for nginx's `http` block. @example "map $uri $slow { default 0; ~^/report 1; }" */
  httpExtra?: pulumi.Input<string>;
  /** Lines for the `server` block of HTTPS. @example "location /metrics { return 404; }" */
  serverExtra?: pulumi.Input<string>;
  /** What the component does not foresee: files, lines, scripts around restarts. @default none */
  extra?: ExtraArgs;
}

interface BalancerInternals {
  hosts: readonly Host[];
  upstreams: pulumi.Output<BalancerSettings["upstreams"]>;
  ready: remote.Command[];
}

const internals = new Internals<NginxBalancer, BalancerInternals>("NginxBalancer");

/**
 * The entry for clients: nginx ends TLS and spreads requests and WebSockets over the nodes of an application; one host,
 * or several with a virtual address (keepalived).
 *
 * ```ts
 * new NginxBalancer("front", {
 *   hosts: [nginx1, nginx2],
 *   virtualIp: "192.168.1.210/24",
 *   serverNames: ["workspad.company.com"],
 *   upstreams: nodes,
 *   ca,
 * });
 * ```
 *
 * With a certificate that browsers trust, and nodes that have certificates of another authority:
 *
 * ```ts
 * new NginxBalancer("front", {
 *   hosts: [nginx1],
 *   serverNames: ["workspad.company.com"],
 *   certificate: { certificate: fullChain, privateKey },
 *   upstreams: [{ name: "node1", address: "192.168.1.122", port: 4430 }],
 *   upstreamTls: { ca: companyAuthority },
 * });
 * ```
 *
 * Operations: a change of anything but the limit on connections is a reload; no connection breaks, and WebSockets stay
 * for `drainTimeout`. A configuration that `nginx -t` refuses fails the run and is never served, nor found by a restart.
 * Where a restart is due the address moves away first. An upstream that is not ready is marked `down` on the host by
 * `hastack-nginx-readiness`, whose journal says why; that is no drift. A request is repeated on another upstream when one
 * cannot be reached, breaks off or answers 502, but POST, PATCH and LOCK never once something of them has been sent.
 * What nginx serves with is `/etc/nginx/hastack/tested/live/`; its status is at 127.0.0.1:7001/status. An nginx that was set
 * up by hand is looked at before, and taken over or refused (docs/adopt.md). Nodes of the program are changed before it.
 */
export class NginxBalancer extends pulumi.ComponentResource {
  /** Where clients connect: the virtual address, or the only host's own. */
  readonly address: pulumi.Output<string>;
  /** The entry by its first name, e.g. `https://workspad.company.com`. */
  readonly url: pulumi.Output<string>;

  constructor(name: string, args: NginxBalancerArgs, opts?: pulumi.ComponentResourceOptions) {
    // Arguments are not repeated as inputs of the component: hosts and upstreams are resources it would wait for.
    super("hastack:index:NginxBalancer", name, {}, opts);
    const { hosts, upstreams, ca, certificate, upstreamTls = {}, firewall = true, extra, ...given } = args;
    const { ca: authority = ca?.certificate, ...upstreamNames } = upstreamTls;
    const resource = `NginxBalancer ${name}`;
    const child = { parent: this };
    refuseHosts(resource, hosts, args.virtualIp !== undefined);
    refuseWithoutAuthority(resource, args);
    const { vrrp, authPass } = apartFromPassword(resource, given.vrrp);
    const settings = checked(resource, balancerSchema, {
      ...given,
      vrrp,
      upstreams: upstreams.map((upstream) => ({
        name: upstream.name,
        address: upstream.address,
        port: upstream.port,
      })),
      upstreamTls: upstreamNames,
    });
    const allowed = hosts.map((host) => adopting(resource, this, host, role, wantedOf(args), certificate?.certificate));
    const config = pulumi.all([configure(resource, hosts, settings), pulumi.all(allowed)]).apply(([c]) => c);
    const vrrpPassword = args.virtualIp === undefined ? undefined : makePassword(name, authPass, child);

    this.address = config.apply(([first]) => first?.virtualIp?.virtualIp.address ?? first?.self.address ?? "");
    this.url = pulumi.all([settings, this.address]).apply(([{ serverNames, httpsPort }, address]) => {
      const host = nameOf(serverNames) ?? address;
      return `https://${host}${httpsPort === 443 ? "" : `:${httpsPort}`}`;
    });

    const on = (host: Host) => config.apply((all) => all[hosts.indexOf(host)] as BalancerConfig);
    const installed = hosts.map((host) =>
      unit(
        `${name}-${host.hostName}-install`,
        { host, role: `${role}-install`, text: on(host).apply(renderInstall) },
        child,
      ),
    );
    // Nodes that the program makes get certificates first that nginx verifies.
    const nodes = upstreams.filter((upstream) => pulumi.Resource.isInstance(upstream));
    const running = inTurn(hosts, installed, (host, dependsOn) => {
      const server = certificate
        ? verified(resource, certificate, settings)
        : issued(name, args, host, on(host), child);
      return unit(
        `${name}-${host.hostName}`,
        {
          host,
          role,
          text: extended(resource, extra, on(host).apply(renderBalancer)),
          secrets: {
            "server.crt": server.certificate,
            "server.key": server.privateKey,
            ...(authority && { ca: authority }),
            ...(vrrpPassword && { [authPassSecret]: vrrpPassword }),
          },
        },
        { ...child, dependsOn: [...dependsOn, ...nodes] },
      );
    });
    const restricted = firewall && (args.clients !== undefined || args.virtualIp !== undefined);
    const shut = hosts
      .filter(() => restricted)
      .flatMap((host) =>
        firewallUnits(name, [host], on(host).apply(firewallOf), { ...child, role, dependsOn: running }),
      );
    internals.keep(this, { hosts, upstreams: settings.apply((s) => s.upstreams), ready: [...running, ...shut] });
    this.registerOutputs({ address: this.address, url: this.url });
  }

  /** The commands that it is made of, by name. */
  get commands(): Record<string, remote.Command> {
    return commandsOf(this);
  }

  /** @internal */
  get hosts(): readonly Host[] {
    return internals.of(this).hosts;
  }

  /** @internal Whom it leads to. */
  get upstreams(): pulumi.Output<BalancerSettings["upstreams"]> {
    return internals.of(this).upstreams;
  }

  /** @internal Depend on it: the entry answers afterwards. */
  get ready(): remote.Command[] {
    return internals.of(this).ready;
  }
}

function refuseHosts(resource: string, hosts: readonly Host[], hasVirtualIp: boolean): void {
  const names = z
    .array(z.string())
    .min(hasVirtualIp ? 2 : 1, {
      message: hasVirtualIp ? "one host cannot take over from itself: give 2 or 3, or no virtualIp" : "give one host",
    })
    .max(hasVirtualIp ? 3 : 1, {
      message: hasVirtualIp ? "give 2 or 3" : "several hosts need an address that moves between them: give a virtualIp",
    })
    .refine((list) => new Set(list).size === list.length, { message: "a host is named twice" });
  parse(resource, z.object({ hosts: names }), { hosts: hosts.map((host) => host.hostName) });
}

function refuseWithoutAuthority(resource: string, { ca, certificate, upstreamTls }: NginxBalancerArgs): void {
  if (!ca && !certificate)
    throw fault(`${resource}: certificate: missing: give a certificate and its key, or a ca that issues one`);
  if (!ca && upstreamTls?.ca === undefined && upstreamTls?.enabled !== false)
    throw fault(
      `${resource}: upstreamTls.ca: missing: the upstreams' certificates cannot be verified: give the authority that ` +
        "issues them, or upstreamTls.enabled: false if they speak plain HTTP",
    );
}

function makePassword(
  name: string,
  given: pulumi.Output<string | undefined>,
  opts: pulumi.CustomResourceOptions,
): pulumi.Output<string> {
  const seed = new random.RandomPassword(`${name}-seed`, { length: 64 }, opts).result;
  return pulumi.all([seed, given]).apply(([s, pass]) => vrrpPassword(s, pass));
}

/** A certificate of the stack's own authority, for all names of the entry. */
function issued(
  name: string,
  { ca }: NginxBalancerArgs,
  host: Host,
  config: pulumi.Output<BalancerConfig>,
  opts: pulumi.CustomResourceOptions,
): Certificate {
  return (ca as CertificateAuthority).issue(
    `${name}-${host.hostName}`,
    {
      commonName: host.hostName,
      dnsNames: config.apply(({ settings }) => [...settings.serverNames, host.hostName]),
      ipAddresses: config.apply(({ self, virtualIp }) => [
        ...(virtualIp ? [virtualIp.virtualIp.address] : []),
        self.address,
      ]),
      server: true,
    },
    opts,
  );
}

function verified(
  resource: string,
  given: ServerCertificateArgs,
  settings: pulumi.Output<BalancerSettings>,
): Certificate {
  const pair = pulumi
    .all([given.certificate, given.privateKey, settings])
    .apply(([certificate, privateKey, { serverNames }]) => {
      refuseCertificate(resource, certificate, privateKey, serverNames);
      return { certificate, privateKey };
    });
  return { certificate: pair.certificate, privateKey: pulumi.secret(pair.privateKey) };
}

/** It is known in the first preview, when the nodes are not there yet: their ports may follow from what is not. */
function wantedOf({
  serverNames = [],
  upstreams,
  httpsPort = 443,
  httpPort = 80,
}: NginxBalancerArgs): pulumi.Output<Wanted> {
  const addresses = upstreams.map((upstream) => upstream.address);
  return pulumi
    .all([serverNames, httpsPort, httpPort, pulumi.all(addresses)])
    .apply(([names, https, http, known]) => ({ serverNames: names, ports: [https, http], upstreams: known }));
}

/** The configuration of each host. */
function configure(
  resource: string,
  hosts: readonly Host[],
  settings: pulumi.Output<BalancerSettings>,
): pulumi.Output<BalancerConfig[]> {
  return pulumi
    .all([settings, pulumi.all(hosts.map((host) => host.address)), pulumi.all(hosts.map((host) => host.traits))])
    .apply(([s, addresses, traits]) => {
      const holders = hosts.map((host, i) => ({ name: host.hostName, address: addresses[i] ?? "" }));
      const { virtualIp } = s;
      const shared = virtualIp && { role, virtualIp, port: s.httpsPort, check: nginxAnswers, checkUser: "nobody" };
      return holders.map((self, i) => ({
        settings: s,
        self,
        virtualIp: shared && virtualIpOn(resource, shared, s.vrrp, holders, self, traits[i] as (typeof traits)[0]),
      }));
    });
}
