import type { remote } from "@pulumi/command";
import * as pulumi from "@pulumi/pulumi";
import * as random from "@pulumi/random";
import { z } from "zod";
import { unit } from "../converge/unit";
import type { Host } from "../host";
import { Internals } from "../internals";
import { RuDesktopNode, type RuDesktopSettings } from "../rudesktop-node";
import { parse } from "../validate";
import { identityOf, renderShared } from "./config";

export interface RuDesktopClusterArgs extends RuDesktopSettings {
  /** One node on each; 2 or more. */
  hosts: Host[];
  /**
   * Signs sessions. Secret; 16 characters or more.
   * @default made at random, once
   */
  secretKey?: pulumi.Input<string>;
}

const hostsSchema = z.object({
  hosts: z
    .array(z.string())
    .min(2, { message: "one node serves nobody while it is changed or lost: give 2 or more" })
    .refine((names) => new Set(names).size === names.length, { message: "a host is named twice" }),
});

const internals = new Internals<RuDesktopCluster, { ready: remote.Command[] }>("RuDesktopCluster");

/**
 * RuDesktop on several nodes that agree in everything: SECRET_KEY, REDIS_URL, RELAY_ARGS and redis_server are given
 * once, and compared on the hosts when all nodes are up.
 *
 * ```ts
 * const rudesktop = new RuDesktopCluster("rudesktop", {
 *   hosts: [node1, node2],
 *   ca,
 *   package: PackageSource.apt("rudesktop"),
 *   database: db.endpoint("rudesktop"),
 *   redis: redis.endpoint(),
 * });
 * new NginxBalancer("front", { hosts: [nginx1, nginx2], virtualIp: "192.168.1.210/24", upstreams: rudesktop.nodes });
 * ```
 *
 * Operations: nodes are changed one after the other, in the order of `hosts`, each until it is healthy; if one does not
 * become so, those after it are left as they are. Which of them get traffic is the balancer's business.
 */
export class RuDesktopCluster extends pulumi.ComponentResource {
  /** In the order of `hosts`. */
  readonly nodes: RuDesktopNode[];
  /** Path that answers 200 when a node can serve. */
  readonly healthPath: pulumi.Output<string>;
  /** What signs sessions. Secret. */
  readonly secretKey: pulumi.Output<string>;

  constructor(name: string, args: RuDesktopClusterArgs, opts?: pulumi.ComponentResourceOptions) {
    // Arguments are not repeated as inputs of the component: they hold secrets, and resources it would wait for.
    super("hastack:index:RuDesktopCluster", name, {}, opts);
    const { hosts, secretKey, ...settings } = args;
    parse(`RuDesktopCluster ${name}`, hostsSchema, { hosts: hosts.map((host) => host.hostName) });
    const child = { parent: this };
    this.secretKey = pulumi.secret(
      secretKey ?? new random.RandomPassword(`${name}-secret-key`, { length: 64, special: false }, child).result,
    );

    this.nodes = [];
    for (const host of hosts) {
      const after = this.nodes.slice(-1);
      const node = { ...settings, host, secretKey: this.secretKey, after };
      this.nodes.push(new RuDesktopNode(`${name}-${host.hostName}`, node, child));
    }
    this.healthPath = pulumi.output(this.nodes[0]?.healthPath ?? "");
    internals.keep(this, { ready: this.compared(name) });
    this.registerOutputs({ healthPath: this.healthPath, secretKey: this.secretKey });
  }

  /** @internal Depend on it: all nodes are healthy and agree afterwards. */
  get ready(): remote.Command[] {
    return internals.of(this).ready;
  }

  private compared(name: string): remote.Command[] {
    const child = { parent: this };
    const key = new random.RandomPassword(`${name}-digest-key`, { length: 64, special: false }, child).result;
    const all = this.nodes.map(({ host }) => host.hostName);
    return this.nodes.map(({ host, shared }) => {
      const text = pulumi
        .all([shared, key])
        .apply(([values, k]) => renderShared(identityOf(values, k), host.hostName, all));
      return unit(
        `${name}-${host.hostName}-shared`,
        // The digests tell nothing without their key: they must be readable in a preview.
        { host, role: "rudesktop-shared", text: pulumi.unsecret(text), secrets: { "digest-key": key } },
        { ...child, dependsOn: this.nodes.map((node) => node.ready) },
      );
    });
  }
}
