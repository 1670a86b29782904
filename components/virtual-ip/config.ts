import { secret } from "../converge/secrets";
import { type Disturbance, directory, ensure, file, packages, requirement, service } from "../converge/text";
import type { VirtualIpConfig } from "./model";
import { segmentIsFree } from "./segment";

const main = "/etc/keepalived/keepalived.conf";
const fragments = "/etc/keepalived/hastack";
const programs = "/usr/local/lib/hastack/vip";
/** What is told at run time: keepalived's state, and whether this host stands aside. */
const runtime = "/run/hastack-vip";
const dropIns = "/etc/systemd/system/keepalived.service.d";
const dropIn = `${dropIns}/hastack.conf`;
const readable = { mode: "0644", owner: "root:root" };
const searchable = { mode: "0755", owner: "root:root" };
const executable = { mode: "0755", owner: "root:root" };
const forRoot = { mode: "0600", owner: "root:root" };

/** Name of the secret that the address's text names. */
export const authPassSecret = "vrrp-auth-pass";

/** Directives for all hosts at once, before anything runs. */
export function installVirtualIp(config: VirtualIpConfig): string[] {
  return [
    requirement(
      `another VRRP on the segment of ${config.interface} uses the router id ${config.routerId}, ` +
        `or another host the address ${config.virtualIp.address}: give another vrrp.routerId, or another virtualIp`,
      segmentIsFree(config),
    ),
    packages(["keepalived"]),
  ];
}

/** Directives that make a host one of those which may hold the address; they come after those of its services. */
export function virtualIp(config: VirtualIpConfig): string[] {
  const fragment = `${fragments}/${config.role}.conf`;
  return [
    packages(["keepalived"]),
    directory(programs, searchable),
    file(checkProgram(config.role), renderCheck(config), executable),
    directory(fragments, searchable),
    file(notifyProgram(config.role), renderNotify(config), executable),
    file(fragment, renderInstance(config), forRoot),
    file(main, renderMain(), readable),
    directory(dropIns, searchable),
    file(dropIn, renderDropIn(), readable),
    service("keepalived", {
      enabled: true,
      started: true,
      restartOn: [dropIn],
      reloadOn: [main, fragment],
      disturbs: { by: "failover", how: "one host at a time, the address moves" },
    }),
    ensure("takes part in holding the address", {
      check: `[ ! -e ${aside(config.role)} ] || { echo "it stands aside"; exit 1; }`,
      fix: `rm ${aside(config.role)}`,
    }),
    ensure("one host holds the address", holdsRightly(config)),
  ];
}

/**
 * The address is where keepalived has put it, and somebody holds it. That nobody does is told, and left to keepalived;
 * an apply does not ask, for the first host comes up before any can hold it.
 */
function holdsRightly({ role, interface: device, virtualIp: { address }, port }: VirtualIpConfig) {
  const here = `ip -o address show dev ${device} to ${address}/32`;
  return {
    check: [
      "wrong() {",
      `  if ${here} | grep -q .; then`,
      `    case $(cat ${stateFile(role)} 2>/dev/null) in "" | MASTER) return 1 ;; esac`,
      `    reason="${address} is here, and keepalived has not put it here"`,
      "  else",
      `    [ -z "\${HASTACK_TOKEN:-}" ] || return 1`,
      `    ! ${answers(address, port)} || return 1`,
      `    reason="nobody holds ${address}"`,
      "  fi",
      "}",
      "# a move takes a moment",
      "for wait in 1 1 0; do wrong || exit 0; sleep $wait; done",
      'echo "$reason"; exit 1',
    ].join("\n"),
    fix: `${here} | awk '{ print $4 }' | while read -r found; do ip address delete "$found" dev ${device}; done`,
  };
}

/** Succeeds where somebody takes connections. */
function answers(address: string, port: number): string {
  return `timeout 2 bash -c '</dev/tcp/${address}/${port}' 2>/dev/null`;
}

/** What keepalived has said last of its part in holding the address: MASTER, BACKUP, FAULT or STOP. */
function stateFile(role: string): string {
  return `${runtime}/${role}.state`;
}

function notifyProgram(role: string): string {
  return `${programs}/${role}-notify`;
}

/** keepalived.conf(5), notify: TYPE NAME STATE PRIORITY. */
function renderNotify({ role }: VirtualIpConfig): string {
  return [
    "#!/bin/sh",
    "# keepalived's own umask would shut the check out, which runs as another user",
    "umask 022",
    `mkdir -p ${runtime}`,
    `echo "$3" >${stateFile(role)}`,
    "",
  ].join("\n");
}

/** What the restart of a service behind the address is, with `handOver` before it. */
export const addressMovesFirst: Disturbance = {
  by: "failover",
  how: "one host at a time, the address moves to another one first",
};

/**
 * A script to run before a service behind the address is restarted: if this host holds the address, another one takes
 * it first. It stands aside until `virtualIp`'s last directive.
 */
export function handOver(config: VirtualIpConfig): string {
  const { address } = config.virtualIp;
  const held = `ip -o address show dev ${config.interface} to ${address}/32 | grep -q .`;
  const ready = config.peers.map(
    ({ name, address: peer }) => `${answers(peer, config.port)} && ready="$ready ${name}"`,
  );
  return [
    `${held} || exit 0`,
    "# a keepalived that was set up by hand cannot stand aside: its end gives the address up",
    `grep -qsF ${fragments}/ ${main} || { systemctl stop keepalived; exit 0; }`,
    "# another port than the one that is served until now: its clients have to change theirs, and lose nothing by a move",
    `${answers(config.self.address, config.port)} || exit 0`,
    "ready=",
    ...ready.map((line) => `${line} || true`),
    `[ -n "$ready" ] || { echo "this host holds ${address}, and none of ${config.peers.map((p) => p.name).join(", ")} serves port ${config.port} to take it over"; exit 1; }`,
    `mkdir -p ${runtime}`,
    `touch ${aside(config.role)}`,
    "tries=0",
    `while ${held}; do`,
    "  tries=$((tries + 1))",
    `  [ $tries -lt 100 ] || { rm -f ${aside(config.role)}; echo "keepalived did not give ${address} up within 10 s"; exit 1; }`,
    "  sleep 0.1",
    "done",
    "# the other host announces the address within a second",
    "tries=0",
    `until ${answers(address, config.port)}; do`,
    "  tries=$((tries + 1))",
    "  # nobody takes it: keepalived there is to be mended by this very run, maybe, so this host does not wait for it",
    `  [ $tries -lt 20 ] || { rm -f ${aside(config.role)}; exit 0; }`,
    "  sleep 0.2",
    "done",
  ].join("\n");
}

/** While this file is there, the host does not want the address. */
function aside(role: string): string {
  return `${runtime}/${role}.aside`;
}

function checkProgram(role: string): string {
  return `${programs}/${role}`;
}

/** keepalived.conf(5). One file for every address, so that a host can take part in several. */
function renderMain(): string {
  return [
    "global_defs {",
    "  enable_script_security",
    "  script_user root",
    "  # switches and hosts that missed the first announcements hear the next; after a time in which two hosts held an",
    "  # address, it is the only one that tells them which of the two has kept it",
    "  vrrp_garp_master_refresh 2",
    "}",
    `include ${fragments}/*.conf`,
    "",
  ].join("\n");
}

function renderInstance(config: VirtualIpConfig): string {
  const { role, virtualIp: vip } = config;
  return [
    `vrrp_script hastack_${role} {`,
    `  script ${checkProgram(role)}`,
    `  user ${config.checkUser}`,
    "  interval 1",
    "  timeout 2",
    "  fall 2",
    "  rise 2",
    "  init_fail",
    "}",
    `vrrp_instance hastack_${role} {`,
    "  # whoever holds the address keeps it: a host that comes back causes no second move",
    "  state BACKUP",
    "  nopreempt",
    `  interface ${config.interface}`,
    `  virtual_router_id ${config.routerId}`,
    `  priority ${config.priority}`,
    `  advert_int ${config.advertInterval}`,
    `  unicast_src_ip ${config.self.address}`,
    "  unicast_peer {",
    ...config.peers.map((peer) => `    ${peer.address}`),
    "  }",
    "  authentication {",
    "    auth_type PASS",
    `    auth_pass ${secret(authPassSecret)}`,
    "  }",
    "  virtual_ipaddress {",
    `    ${vip.address}/${vip.prefix} dev ${config.interface}`,
    "  }",
    `  notify ${notifyProgram(role)} root`,
    "  track_script {",
    `    hastack_${role}`,
    "  }",
    "}",
    "",
  ].join("\n");
}

function renderCheck(config: VirtualIpConfig): string {
  return [
    "#!/bin/sh",
    "# Exit code 0: this host can serve. keepalived runs it every second; at most two seconds.",
    `[ ! -e ${aside(config.role)} ] || exit 1`,
    ...config.check,
    "",
  ].join("\n");
}

/** It starts after what is behind its addresses, and so stops before: at a shutdown the address goes first. */
function renderDropIn(): string {
  return [
    "[Unit]",
    "After=haproxy.service pgbouncer.service nginx.service redis-server.service",
    "StartLimitIntervalSec=0",
    "[Service]",
    "Restart=always",
    "RestartSec=1",
    "",
  ].join("\n");
}
