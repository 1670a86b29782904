import type { remote } from "@pulumi/command";
import type * as pulumi from "@pulumi/pulumi";
import { unitText } from "../converge/text";
import { unit } from "../converge/unit";
import type { Host } from "../host";
import { firewall } from "./config";
import type { Firewall } from "./table";

/** The firewall of a role on all its hosts at once: the unit `ROLE-firewall` on each. */
export function firewallUnits(
  name: string,
  hosts: readonly Host[],
  rules: pulumi.Output<Firewall>,
  opts: pulumi.CustomResourceOptions & { role: string },
): remote.Command[] {
  const { role, ...resource } = opts;
  const text = rules.apply((r) => unitText(...firewall(r)));
  return hosts.map((host) =>
    unit(`${name}-${host.hostName}-firewall`, { host, role: `${role}-firewall`, text }, resource),
  );
}
