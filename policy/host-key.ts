import type { ResourceValidationPolicy } from "@pulumi/policy";
import { connectionOf, known, type Seen } from "./commands";

/** Whoever answers at an address whose key is not pinned, gets the host's secrets. */
export const hostKeyIsPinned: ResourceValidationPolicy = {
  name: "host-key-is-pinned",
  description: "SSH accepts a host, and a bastion, by its own key only.",
  validateResource: (resource, report) => {
    const connection = connectionOf(resource as Seen);
    if (!connection) return;
    const cure = "give `connection.hostKey`; `ssh-keyscan -t ed25519 ADDRESS` shows it";
    if (known(() => !connection.hostKey))
      report(`${known(() => connection.host) ?? "its host"} has no pinned key: ${cure}`);
    if (known(() => connection.proxy && !connection.proxy.hostKey)) {
      report(
        `the bastion ${known(() => connection.proxy?.host) ?? ""} has no pinned key: ${cure.replace("connection", "connection.proxy")}`,
      );
    }
  },
};
