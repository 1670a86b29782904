import type { remote } from "@pulumi/command";
import * as pulumi from "@pulumi/pulumi";
import { z } from "zod";
import type { Host } from "../host";
import { Internals } from "../internals";
import { parse } from "../validate";
import { WorksPadNode, type WorksPadSettings } from "../workspad-node";
import { DataProtectionCertificate } from "../workspad-node/data-protection";

export interface WorksPadClusterArgs extends WorksPadSettings {
  /** One node on each; 2 or more. */
  hosts: Host[];
  /**
   * What sessions are protected with.
   * @default made once, for all nodes
   */
  dataProtection?: DataProtectionCertificate;
}

const hostsSchema = z.object({
  hosts: z
    .array(z.string())
    .min(2, { message: "one node serves nobody while it is changed or lost: give 2 or more" })
    .refine((names) => new Set(names).size === names.length, { message: "a host is named twice" }),
});

const internals = new Internals<WorksPadCluster, { ready: remote.Command[] }>("WorksPadCluster");

/**
 * WorksPad on several nodes with one data-protection certificate, so that a session made on one is known to all.
 *
 * ```ts
 * const workspad = new WorksPadCluster("workspad", {
 *   hosts: [node1, node2, node3],
 *   ca,
 *   serverNames: ["workspad.company.com"],
 *   package: PackageSource.apt("workspad"),
 *   database: db.endpoint("workspad"),
 * });
 * new NginxBalancer("front", {
 *   hosts: [nginx1, nginx2],
 *   virtualIp: "192.168.1.210/24",
 *   serverNames: ["workspad.company.com"],
 *   ca,
 *   upstreams: workspad.nodes,
 * });
 * ```
 *
 * Operations: nodes are changed one after the other, in the order of `hosts`, each until it is healthy; if one does not
 * become so, those after it are left as they are. Which of them get traffic is the balancer's business.
 */
export class WorksPadCluster extends pulumi.ComponentResource {
  /** In the order of `hosts`. */
  readonly nodes: WorksPadNode[];
  /** What sessions are protected with. */
  readonly dataProtection: DataProtectionCertificate;
  /** Path that answers on a node when it can serve. */
  readonly healthPath: pulumi.Output<string>;

  constructor(name: string, args: WorksPadClusterArgs, opts?: pulumi.ComponentResourceOptions) {
    // Arguments are not repeated as inputs of the component: they hold secrets, and resources it would wait for.
    super("hastack:index:WorksPadCluster", name, {}, opts);
    const { hosts, dataProtection, ...settings } = args;
    parse(`WorksPadCluster ${name}`, hostsSchema, { hosts: hosts.map((host) => host.hostName) });
    const child = { parent: this };
    this.dataProtection = dataProtection ?? new DataProtectionCertificate(name, undefined, child);

    this.nodes = [];
    for (const host of hosts) {
      const after = this.nodes.slice(-1);
      const node = { ...settings, host, dataProtection: this.dataProtection, after };
      this.nodes.push(new WorksPadNode(`${name}-${host.hostName}`, node, child));
    }
    internals.keep(this, { ready: this.nodes.map((node) => node.ready) });
    this.healthPath = pulumi.output(this.nodes[0]?.healthPath ?? "");
    this.registerOutputs({ healthPath: this.healthPath });
  }

  /** @internal Depend on it: all nodes are healthy afterwards. */
  get ready(): remote.Command[] {
    return internals.of(this).ready;
  }
}
