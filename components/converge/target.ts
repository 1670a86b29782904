import type { remote, types } from "@pulumi/command";
import type * as pulumi from "@pulumi/pulumi";
import type { ProbeResult } from "./probe";

/** What the probe of a host brought: nothing when it is off, or when the host could not be asked. */
export interface Answer {
  result?: ProbeResult;
}

/** A host as a unit needs it. */
export interface Target {
  readonly hostName: string;
  readonly connection: pulumi.Output<types.input.remote.ConnectionArgs>;
  /** `sudo -n `, or nothing for root. */
  readonly sudo: pulumi.Output<string>;
  /** The resource after which units can be put on the host. */
  readonly ready: remote.Command;
  /** Key of the digests that stand for secrets. */
  readonly digestKey: pulumi.Output<string>;
  readonly answer: pulumi.Output<Answer>;
  /** Options of every command on the host. */
  readonly commandOptions: pulumi.CustomResourceOptions;
}
