import { secret } from "../converge/secrets";
import { haproxyFile } from "../haproxy/config";
import type { RedisSettings } from "./args";
import { majority, type ReplicatedConfig, role, sentinelPort } from "./model";
import { checker } from "./users";

/** A subscriber is silent for days: only a dead connection may be given up, and TCP's keepalive finds that. HAProxy's limit. */
const longest = "24d";

export const caFile = haproxyFile(role, "ca.crt");

/** Connections of Redis that its clients do not get: replicas, Sentinels, checks, an operator. */
const reserved = 100;

/** Connections that pass HAProxy, which all come to the master. */
export function connectionsLetIn({ maxClients }: Pick<RedisSettings, "maxClients">): number {
  return maxClients - reserved;
}

/**
 * The address leads to the host that most Sentinels name the master and that says so itself (HAProxy manual, 4.2,
 * tcp-check). One of the two alone is not enough: a master that was cut off goes on believing that it is one.
 */
export function renderHaproxy(config: ReplicatedConfig): string {
  const { members, settings, virtualIp } = config;
  return [
    "frontend hastack_redis",
    "  mode tcp",
    "  # the address may be on another host",
    `  bind ${virtualIp.virtualIp.address}:${settings.port} transparent`,
    `  timeout client ${longest}`,
    "  option clitcpka",
    "  # more wait: without room for the checks Redis would be taken for dead",
    `  maxconn ${connectionsLetIn(settings)}`,
    ...members.map(({ name }) => {
      const backend = `hastack_redis_${name}`;
      return `  use_backend ${backend} if { nbsrv(${backend}) ge 1 } { nbsrv(${backend}_named) ge ${majority(config)} }`;
    }),
    "",
    ...members.flatMap(({ name, address }) => [
      `backend hastack_redis_${name}`,
      "  mode tcp",
      "  # who is led to a master that has just died is told at once, and comes again",
      "  timeout connect 1s",
      "  retries 0",
      `  timeout server ${longest}`,
      "  timeout check 1s",
      "  option srvtcpka",
      ...ask("ROLE", "master"),
      `  default-server${secure(config)} inter 1s fastinter 500ms downinter 500ms rise 1 fall 2 on-marked-down shutdown-sessions`,
      `  server ${name} ${address}:${settings.port}${verified(config, name)} check`,
      "",
      `backend hastack_redis_${name}_named`,
      "  mode tcp",
      "  timeout check 1s",
      ...ask(`SENTINEL\\ GET-MASTER-ADDR-BY-NAME\\ ${config.name}`, `$${address.length}\\r\\n${address}\\r\\n`),
      `  default-server${secure(config)} inter 1s fastinter 500ms downinter 500ms rise 1 fall 2`,
      ...members.map(
        (member) => `  server ${member.name} ${member.address}:${sentinelPort}${verified(config, member.name)} check`,
      ),
      "",
    ]),
  ].join("\n");
}

/** A reply that is long enough and does not match is an answer: nothing more is waited for. */
function ask(command: string, answer: string): string[] {
  return [
    "  option tcp-check",
    `  tcp-check send AUTH\\ ${checker}\\ ${secret(`${checker}-password`)}\\r\\n`,
    "  tcp-check expect min-recv 5 string +OK",
    `  tcp-check send ${command}\\r\\n`,
    `  tcp-check expect min-recv 14 string ${answer}`,
  ];
}

function secure({ settings }: ReplicatedConfig): string {
  return settings.tls ? ` check-ssl verify required ca-file ${caFile}` : "";
}

function verified({ settings }: ReplicatedConfig, name: string): string {
  return settings.tls ? ` verifyhost ${name}` : "";
}
