import type { remote } from "@pulumi/command";
import type * as pulumi from "@pulumi/pulumi";

/** Where an application finds its PostgreSQL database: one address that always leads to the primary. */
export interface DatabaseEndpoint {
  /** Address or name. */
  host: pulumi.Input<string>;
  port: pulumi.Input<number>;
  database: pulumi.Input<string>;
  user: pulumi.Input<string>;
  /** Secret. */
  password: pulumi.Input<string>;
  /** PEM of what the server's certificate is verified with. */
  caCertificate: pulumi.Input<string>;
  /** @internal The endpoint serves when this is there. */
  ready?: remote.Command;
}

/** Where an application finds its Redis: one address that always leads to the master. */
export interface RedisEndpoint {
  /** Address or name. */
  host: pulumi.Input<string>;
  port: pulumi.Input<number>;
  /**
   * User of Redis's access control lists.
   * @default Redis's own user `default`
   */
  user?: pulumi.Input<string>;
  /** Secret. */
  password: pulumi.Input<string>;
  /**
   * The port speaks TLS.
   * @default false
   */
  tls?: pulumi.Input<boolean>;
  /** PEM of what the server's certificate is verified with; with `tls`. */
  caCertificate?: pulumi.Input<string>;
  /** @internal The endpoint serves when this is there. */
  ready?: remote.Command;
}
