import type * as pulumi from "@pulumi/pulumi";

/** A server behind a balancer: what a node of an application is for the entry in front of it. */
export interface Upstream {
  /** Its name, for messages and comments. */
  readonly name: string;
  /** Address or name at which the balancer reaches it. */
  readonly address: pulumi.Input<string>;
  /** Its TCP port. */
  readonly port: pulumi.Input<number>;
}
