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
  const { readOnly, readOnlyLagMiB } = config.settings;
  return [
    ...frontend("hastack_primary", primaryPort),
    ...backend(config, "hastack_primary", "/primary", "1s", "on-marked-down shutdown-sessions"),
    "",
    ...(readOnly
      ? [
          ...frontend("hastack_replicas", replicaPort),
          // Once a replica is there, a client that had to be sent to the primary is to leave it.
          ...backend(
            config,
            "hastack_replicas",
            `/replica?lag=${readOnlyLagMiB}MB`,
            "2s",
            "on-marked-down shutdown-sessions on-marked-up shutdown-backup-sessions",
          ),
          "  # without a replica that keeps up, the primary answers",
          ...config.members.map(
            ({ name, address }) =>
              `  server ${name}-primary ${address}:${postgresPort} track hastack_primary/${name} backup`,
          ),
          "",
        ]
      : []),
  ].join("\n");
}

function frontend(name: string, listenPort: number): string[] {
  return [
    `frontend ${name}`,
    "  mode tcp",
    `  bind 127.0.0.1:${listenPort}`,
    `  timeout client ${longest}`,
    "  option clitcpka",
    `  default_backend ${name}`,
    "",
  ];
}

function backend(config: PoolerConfig, name: string, path: string, interval: string, onChange: string): string[] {
  return [
    `backend ${name}`,
    "  mode tcp",
    "  balance leastconn",
    `  timeout server ${longest}`,
    "  option srvtcpka",
    "  # who is refused is led to another one, or a second later to whoever is there then; PgBouncer sees a pause only",
    "  option redispatch 1",
    "  option httpchk",
    // OPTIONS brings the status line only: Patroni complains in its log of who does not read the rest.
    `  http-check send meth OPTIONS uri ${path} ver HTTP/1.1 hdr Host patroni`,
    "  http-check expect status 200",
    `  default-server port ${restPort} check-ssl verify required ca-file ${caFile} inter ${interval} fastinter 500ms downinter 500ms rise 1 fall 2 ${onChange}`,
    ...config.members.map(
      (member) => `  server ${member.name} ${member.address}:${postgresPort} check verifyhost ${member.name}`,
    ),
  ];
}
