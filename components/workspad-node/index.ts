import { createHash } from "node:crypto";
import type { remote } from "@pulumi/command";
import * as pulumi from "@pulumi/pulumi";
import type { CertificateAuthority } from "../certificate-authority";
import { command, commandsOf, unit } from "../converge/unit";
import type { DatabaseEndpointArgs } from "../endpoint";
import { type ExtraArgs, extended } from "../extra";
import { firewallUnits } from "../firewall";
import type { AptSourceArgs, Host } from "../host";
import { Internals } from "../internals";
import { installationOf, type PackageArgs } from "../package-source";
import type { Upstream } from "../upstream";
import { checked } from "../validate";
import { adopting, type Places } from "./adoption";
import { type NodeConfig, nodeSchema, placesSchema } from "./args";
import { firewallOf, outside, renderInstall, renderNode } from "./config";
import { DataProtectionCertificate } from "./data-protection";
import { renderOutside } from "./outside";

/** The four questions of the package's installer. */
export interface WorksPadQuestionsArgs {
  /** Address and port of the database server. */
  host: pulumi.Input<string>;
  /** Name of the database. */
  name: pulumi.Input<string>;
  /** Who logs in. */
  user: pulumi.Input<string>;
  /** Secret; in `debconf` the question's name. */
  password: pulumi.Input<string>;
}

/** What they look like on the terminal: regular expressions, for which case does not matter. */
export interface WorksPadPromptsArgs {
  /** For the server. @default "Database Server host" */
  host?: pulumi.Input<string>;
  /** For the database. @default "Database name" */
  name?: pulumi.Input<string>;
  /** For the user. @default "Database User" */
  user?: pulumi.Input<string>;
  /** For the password. @default "Password" */
  password?: pulumi.Input<string>;
}

/** Domain controllers; whether they answer is looked at, nothing is set up. */
export interface ActiveDirectoryArgs {
  /** Names or addresses. */
  hosts: pulumi.Input<pulumi.Input<string>[]>;
  /** Port 389. @default true */
  ldap?: pulumi.Input<boolean>;
  /** Port 636. @default true */
  ldaps?: pulumi.Input<boolean>;
  /** Port 88. @default true */
  kerberos?: pulumi.Input<boolean>;
}

/** The mail server; whether it answers is looked at, nothing is set up. */
export interface ExchangeArgs {
  /** Name or address. */
  host: pulumi.Input<string>;
  /**
   * Path of Exchange Web Services on port 443.
   * @default "/EWS/Exchange.asmx"
   */
  ewsPath?: pulumi.Input<string>;
}

/** What is the same on every node of one installation. */
export interface WorksPadSettings {
  /** WorksPad's package. */
  package: PackageArgs;
  /** WorksPad's database: an address that always leads to the primary. */
  database: DatabaseEndpointArgs;
  /**
   * How the database's certificate is treated, in Npgsql's words: `VerifyFull`, `VerifyCA`, or `Require` (encrypted, but
   * not verified).
   * @default "VerifyFull"
   */
  sslMode?: pulumi.Input<string>;
  /**
   * Further keywords of the connection string. They are shown in previews: no secrets.
   * @default {}
   * @example { "Maximum Pool Size": "50" }
   */
  connectionSettings?: pulumi.Input<Record<string, pulumi.Input<string>>>;
  /**
   * Package of the ASP.NET Core runtime.
   * @default "aspnetcore-runtime-6.0"
   */
  runtimePackage?: pulumi.Input<string>;
  /**
   * Where the runtime comes from, beside the host's other package sources.
   * @default those sources have it
   */
  runtimeSource?: pulumi.Input<AptSourceArgs>;
  /**
   * System libraries that WorksPad uses.
   * @default ["libgdiplus", "libc6-dev", "libicu-dev", "gss-ntlmssp"]
   */
  libraries?: pulumi.Input<pulumi.Input<string>[]>;
  /** How the installer asks its questions on the terminal. @default see `WorksPadPromptsArgs` */
  prompts?: pulumi.Input<WorksPadPromptsArgs>;
  /**
   * The questions' names in debconf, for a package that asks there.
   * @default it asks on the terminal
   * @example { host: "workspad/db-host", name: "workspad/db-name", user: "workspad/db-user", password: "workspad/db-password" }
   */
  debconf?: pulumi.Input<WorksPadQuestionsArgs>;
  /**
   * Issues the certificates of the nodes' HTTPS port.
   * @default the nodes keep those that their package has made
   */
  ca?: CertificateAuthority;
  /**
   * Names that are in the nodes' certificates, beside the host's own; with `ca`. A balancer verifies one name for all
   * nodes: the one that users dial.
   * @default none
   * @example ["workspad.company.com"]
   */
  serverNames?: pulumi.Input<pulumi.Input<string>[]>;
  /**
   * Where WorksPad has its data-protection certificate, PEM.
   * @default "/opt/workspad/certificates/dataprotection.crt"
   */
  certificateFile?: pulumi.Input<string>;
  /**
   * Where it has the key of that, PEM.
   * @default "/opt/workspad/certificates/dataprotection.key"
   */
  keyFile?: pulumi.Input<string>;
  /**
   * Where it has the certificate of its HTTPS port, PEM; with `ca`.
   * @default "/opt/workspad/certificates/server.crt"
   */
  serverCertificateFile?: pulumi.Input<string>;
  /**
   * Where it has the key of that, PEM; with `ca`.
   * @default "/opt/workspad/certificates/server.key"
   */
  serverKeyFile?: pulumi.Input<string>;
  /**
   * Group that WorksPad's processes belong to: it may read certificates and keys.
   * @default "workspad"
   */
  group?: pulumi.Input<string>;
  /**
   * WorksPad's systemd units; the first one serves HTTPS.
   * @default ["workspad-gateway", "workspad-assistant", "workspad-adminapi"]
   */
  services?: pulumi.Input<pulumi.Input<string>[]>;
  /**
   * The port that WorksPad serves HTTPS on.
   * @default 4430
   */
  httpsPort?: pulumi.Input<number>;
  /**
   * Path that answers with a page, or a redirection, when the node can serve.
   * @default "/", the page where users sign in
   */
  healthPath?: pulumi.Input<string>;
  /**
   * Seconds for which a node has to serve again after a restart before the next one may stop: as long as balancers take
   * to see it. Without it there are moments in which they know of no node that serves.
   * @default 10, more than an `NginxBalancer` takes by default
   */
  minReadySeconds?: pulumi.Input<number>;
  /**
   * Addresses or networks in CIDR notation of the balancers: only they reach the HTTPS port.
   * @default everybody does
   */
  balancers?: pulumi.Input<pulumi.Input<string>[]>;
  /** The directory that users sign in with. @default not looked at */
  activeDirectory?: pulumi.Input<ActiveDirectoryArgs>;
  /** The mail server that users work with. @default not looked at */
  exchange?: pulumi.Input<ExchangeArgs>;
  /** What the component does not foresee: files, lines, scripts around restarts. @default none */
  extra?: ExtraArgs;
}

export interface WorksPadNodeArgs extends WorksPadSettings {
  /** Where it runs. */
  host: Host;
  /**
   * What sessions are protected with: the same for all nodes of an installation.
   * @default one of this node's own
   */
  dataProtection?: DataProtectionCertificate;
  /**
   * Nodes that are changed before this one, each until it is healthy.
   * @default none
   */
  after?: WorksPadNode[];
}

const internals = new Internals<WorksPadNode, { ready: remote.Command }>("WorksPadNode");

/**
 * One node of WorksPad: the runtime, the package with its installer's questions answered, the services. The database is
 * elsewhere, and shared with the other nodes. `WorksPadCluster` makes several that share what they must.
 *
 * ```ts
 * const node = new WorksPadNode("node1", {
 *   host: node1,
 *   package: PackageSource.apt("workspad"),
 *   database: db.endpoint("workspad"),
 * });
 * ```
 *
 * Operations: HTTPS is served on port 4430. The services are restarted when the package, a certificate, or the database in
 * their settings has changed, and not else. Of appsettings.json only the connection string is ours: the rest is left as
 * it is, and no change of it is drift. To ask on the node what it reaches of the systems outside, see
 * `/usr/local/lib/hastack/workspad/outside.py`. What is removed leaves the package, and /opt/workspad with its settings. A
 * WorksPad that was installed by hand is looked at before, and taken over or refused (docs/adopt.md).
 */
export class WorksPadNode extends pulumi.ComponentResource implements Upstream {
  /** Name of its host. */
  readonly name: string;
  /** Address that serves HTTPS. */
  readonly address: pulumi.Output<string>;
  /** Port that serves HTTPS. */
  readonly port: pulumi.Output<number>;
  /** Path that answers when the node can serve. */
  readonly healthPath: pulumi.Output<string>;
  /** PEM of what the node's certificate is verified with, which holds the host's name and address; with `ca`. */
  readonly caCertificate: pulumi.Output<string | undefined>;
  /** Which systems outside answered when that was asked last, a line each. */
  readonly outside: pulumi.Output<string>;

  constructor(name: string, args: WorksPadNodeArgs, opts?: pulumi.ComponentResourceOptions) {
    // Arguments are not repeated as inputs of the component: they hold secrets, and resources it would wait for.
    super("hastack:index:WorksPadNode", name, {}, opts);
    const { host, ca, package: source, dataProtection, after = [], extra, ...given } = args;
    const resource = `WorksPadNode ${name}`;
    const child = { parent: this };
    const protection = dataProtection ?? new DataProtectionCertificate(name, undefined, child);
    const planned = configure(resource, source, ca !== undefined, given);
    const allowed = adopting(resource, this, host, placesOf(resource, source, given), protection, ca !== undefined);
    const config = pulumi.all([planned, allowed]).apply(([c]) => c);

    const installed = unit(
      `${name}-install`,
      { host, role: "workspad-install", text: plain(config, renderInstall) },
      child,
    );
    const text = extended(resource, extra, plain(config, renderNode));
    const looked =
      args.activeDirectory || args.exchange
        ? [this.look(name, host, plain(config, renderOutside), text, installed)]
        : [];
    this.outside = this.warned(host, pulumi.concat(...looked.map((look) => look.stdout)));
    const ready = unit(
      name,
      {
        host,
        role: "workspad",
        text,
        secrets: secretsOf(
          config,
          protection,
          ca?.issue(
            `${name}-server`,
            {
              commonName: host.hostName,
              ipAddresses: [host.address],
              dnsNames: plain(config, (c) => [host.hostName, ...c.serverNames]),
              server: true,
            },
            child,
          ),
        ),
      },
      { ...child, dependsOn: [installed, ...looked, ...after.map((node) => node.ready)] },
    );
    if (args.balancers) {
      firewallUnits(name, [host], plain(config, firewallOf), { ...child, role: "workspad", dependsOn: [ready] });
    }

    internals.keep(this, { ready });
    this.name = host.hostName;
    this.address = host.address;
    this.port = plain(config, (c) => c.httpsPort);
    this.healthPath = plain(config, (c) => c.healthPath);
    this.caCertificate = pulumi.output(ca?.certificate);
    this.registerOutputs({ address: this.address, port: this.port, outside: this.outside });
  }

  /** The commands that it is made of, by name. */
  get commands(): Record<string, remote.Command> {
    return commandsOf(this);
  }

  /** @internal Depend on it: the node is healthy afterwards. */
  get ready(): remote.Command {
    return internals.of(this).ready;
  }

  /** Looked at before the node is made, and again before it is changed. */
  private look(
    name: string,
    host: Host,
    list: pulumi.Output<string>,
    text: pulumi.Output<string>,
    installed: remote.Command,
  ): remote.Command {
    const state = text.apply((t) => createHash("sha256").update(t).digest("hex").slice(0, 12));
    return command(
      `${name}-outside`,
      { connection: host.connection, create: pulumi.interpolate`${host.sudo}${outside} ${state}`, stdin: list },
      { parent: this, dependsOn: [installed] },
      host,
    );
  }

  /** What does not answer is a warning of the run, and no failure: it is not this node's, and may come back. */
  private warned(host: Host, printed: pulumi.Output<string>): pulumi.Output<string> {
    return printed.apply(async (said) => {
      for (const line of said.split("\n").filter((l) => l.startsWith("warning: "))) {
        await pulumi.log.warn(line.replace("warning: ", `${host.hostName}: `), this);
      }
      return said;
    });
  }
}

type GivenSettings = Omit<WorksPadNodeArgs, "host" | "ca" | "package" | "dataProtection" | "after" | "extra">;

function configure(
  resource: string,
  source: PackageArgs,
  ownServerCertificate: boolean,
  settings: GivenSettings,
): pulumi.Output<NodeConfig> {
  return pulumi
    .all([checked(resource, nodeSchema, settings), installationOf(resource, source)])
    .apply(([checkedSettings, installation]) => ({ ...checkedSettings, ...installation, ownServerCertificate }));
}

/** They are known in the first preview, when the database is not there yet. */
function placesOf(resource: string, source: PackageArgs, settings: GivenSettings): pulumi.Output<Places> {
  const { certificateFile, keyFile, serverCertificateFile, services } = settings;
  const files = checked(resource, placesSchema, { certificateFile, keyFile, serverCertificateFile, services });
  return pulumi.all([files, installationOf(resource, source)]).apply(([f, { packageName }]) => ({ ...f, packageName }));
}

function secretsOf(
  config: pulumi.Output<NodeConfig>,
  dataProtection: DataProtectionCertificate,
  server: { certificate: pulumi.Output<string>; privateKey: pulumi.Output<string> } | undefined,
): Record<string, pulumi.Input<string>> {
  return {
    "database-ca": config.apply((c) => c.database.caCertificate),
    "database-password": config.apply((c) => c.database.password),
    "data-protection.crt": dataProtection.certificate,
    "data-protection.key": dataProtection.privateKey,
    ...(server && { "server.crt": server.certificate, "server.key": server.privateKey }),
  };
}

/** What is rendered names secrets and holds none. */
function plain<T>(config: pulumi.Output<NodeConfig>, of: (config: NodeConfig) => T): pulumi.Output<T> {
  return pulumi.unsecret(config.apply(of)) as pulumi.Output<T>;
}
