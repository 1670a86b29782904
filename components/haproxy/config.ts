import { directory, file, packages, service, waitFor } from "../converge/text";

const home = "/etc/haproxy/hastack";
const shared = `${home}/00-shared.cfg`;
const defaults = "/etc/default/haproxy";
const dropIns = "/etc/systemd/system/haproxy.service.d";
const dropIn = `${dropIns}/hastack.conf`;
const readable = { mode: "0644", owner: "root:root" };
const forRoot = { mode: "0600", owner: "root:root" };
const searchable = { mode: "0755", owner: "root:root" };

/** A file that HAProxy reads with a role's configuration. */
export function haproxyFile(role: string, file: string): string {
  return `${home}/${role}.${file}`;
}

/**
 * Files that HAProxy may open. It derives from them how many connections it holds, of two files each: more than any role
 * lets in.
 */
export const haproxyFiles = 131072;

/** Exit code 0 when HAProxy answers within a second: a line for a check. Any user may ask, and only look. */
export const haproxyAnswers =
  'timeout 1 perl -MIO::Socket::UNIX -e \'my $s = IO::Socket::UNIX->new(Peer => "/run/haproxy/look.sock") or exit 1; ' +
  'print $s "show info\\n"; exit((<$s> // "") !~ /^Name: HAProxy/)\'';

/**
 * A directive: HAProxy was really given the files for so many connections. In a container, say, it may get fewer.
 * @param argument that asks for them
 */
export function haproxyHolds(connections: number, argument: string): string {
  const asked =
    'my $s = IO::Socket::UNIX->new(Peer => "/run/haproxy/look.sock") or exit 1; print $s "show info\\n"; print <$s>';
  return waitFor(
    `HAProxy can hold ${connections} connections`,
    10,
    [
      `most=$(perl -MIO::Socket::UNIX -e '${asked}' | sed -n 's/^Maxconn: //p')`,
      `[ "\${most:-0}" -ge ${connections} ] || { echo "it can hold \${most:-none}: let services of this machine open ${haproxyFiles} files, or give a smaller ${argument}"; exit 1; }`,
    ].join("\n"),
  );
}

/**
 * HAProxy with the configuration of one role; several roles share it, each with a file of its own. It is checked before
 * it is loaded, and a reload breaks no connection.
 * @param files other files that the role's configuration names, by path: a change in them is a reload too
 */
export function haproxy(role: string, configuration: string, files: Readonly<Record<string, string>>): string[] {
  const own = haproxyFile(role, "cfg");
  return [
    packages(["haproxy"]),
    directory(home, searchable),
    file(shared, renderShared(), readable),
    ...Object.entries(files).map(([path, content]) => file(path, content, readable)),
    // It may hold a password with which servers are asked how they are.
    file(own, configuration, forRoot),
    file(defaults, `CONFIG=${home}\n`, readable),
    directory(dropIns, searchable),
    file(
      dropIn,
      `[Unit]\nStartLimitIntervalSec=0\n[Service]\nRestart=always\nRestartSec=1\nLimitNOFILE=${haproxyFiles}\n`,
      readable,
    ),
    service("haproxy", {
      enabled: true,
      started: true,
      restartOn: [defaults, dropIn, "package:haproxy"],
      reloadOn: [shared, own, ...Object.keys(files)],
      disturbs: { by: "restart", how: "one host at a time, connections through it end" },
    }),
  ];
}

/** HAProxy configuration manual, 3 (global) and 4 (defaults). */
function renderShared(): string {
  return [
    "global",
    "  log /dev/log local0",
    "  user haproxy",
    "  group haproxy",
    "  stats socket /run/haproxy/admin.sock mode 600 level admin",
    "  stats socket /run/haproxy/look.sock mode 666 level user",
    "  ssl-default-server-options ssl-min-ver TLSv1.2",
    "",
    "defaults",
    "  log global",
    "  timeout connect 3s",
    "  timeout check 2s",
    "",
    "listen hastack_statistics",
    "  mode http",
    "  bind 127.0.0.1:7000",
    "  timeout client 10s",
    "  timeout server 10s",
    "  stats enable",
    "  stats uri /",
    "",
  ].join("\n");
}
