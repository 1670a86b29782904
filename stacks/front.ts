import type * as pulumi from "@pulumi/pulumi";
import type { z } from "zod";
import { type CertificateAuthority, type Host, NginxBalancer, type Upstream } from "../components";
import type { entrySettings } from "./settings";

interface Wanted {
  hosts: Host[];
  /** Nodes that get requests. */
  upstreams: Upstream[];
  /** Path that answers on a node when it can serve. */
  healthPath: pulumi.Input<string>;
  /** The entry's names; nodes prove the first one. */
  serverNames: string[];
  ca: CertificateAuthority;
}

/** The entry of an application's stack: balancers in front of its nodes, as `balancer` of its settings says. */
export function frontOf({ hosts: _, ...settings }: z.output<typeof entrySettings>, wanted: Wanted): NginxBalancer {
  const { healthPath, ...args } = wanted;
  const [serverName = ""] = wanted.serverNames;
  return new NginxBalancer("front", {
    ...args,
    upstreamTls: { serverName },
    ...settings,
    health: { path: healthPath, ...settings.health },
  });
}
