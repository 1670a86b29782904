import { haproxyFile } from "../haproxy/config";
import { postgresPort, restPort } from "../postgres-patroni-cluster/patroni";
import { type PoolerConfig, primaryPort, replicaPort, role } from "./model";

/** A long query is silence: only a dead connection may be given up, and TCP's keepalive finds that. HAProxy's limit. */
const longest = "24d";

export const caFile = haproxyFile(role, "ca.crt");

/**
 * HAProxy finds the primary by asking Patroni on every member (HAProxy manual, 5.2; Patroni manual, REST API). A member
 * that stops being the primary loses its connections at once: nobody goes on writing to it, or waits for it.
 */
export function renderHaproxy(config: PoolerConfig): string {
  const lag = `${config.settings.readOnlyLagMiB}MB`;
  return [
    "frontend hastack_primary",
    "  mode tcp",
    `  bind 127.0.0.1:${primaryPort}`,
    `  timeout client ${longest}`,
    "  option clitcpka",
    "  default_backend hastack_primary",
    "",
    ...backend(config, "hastack_primary", "/primary", "1s"),
    ...(config.settings.readOnly
      ? [
          "frontend hastack_replicas",
          "  mode tcp",
          `  bind 127.0.0.1:${replicaPort}`,
          `  timeout client ${longest}`,
          "  option clitcpka",
          "  # without a replica that keeps up, the primary answers",
          "  use_backend hastack_primary if { nbsrv(hastack_replicas) eq 0 }",
          "  default_backend hastack_replicas",
          "",
          ...backend(config, "hastack_replicas", `/replica?lag=${lag}`, "2s"),
        ]
      : []),
  ].join("\n");
}

function backend(config: PoolerConfig, name: string, path: string, interval: string): string[] {
  return [
    `backend ${name}`,
    "  mode tcp",
    "  balance leastconn",
    `  timeout server ${longest}`,
    "  option srvtcpka",
    "  option httpchk",
    `  http-check send meth OPTIONS uri ${path} ver HTTP/1.1 hdr Host patroni`,
    "  http-check expect status 200",
    `  default-server check port ${restPort} check-ssl verify required ca-file ${caFile} inter ${interval} fastinter 500ms downinter 500ms rise 1 fall 2 on-marked-down shutdown-sessions`,
    ...config.members.map(
      (member) => `  server ${member.name} ${member.address}:${postgresPort} verifyhost ${member.name}`,
    ),
    "",
  ];
}
