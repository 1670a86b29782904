import { secret } from "../converge/secrets";
import { directory, ensure, file, packages, port, service, unitText } from "../converge/text";
import { haproxy, haproxyAnswers } from "../haproxy/config";
import { addressMovesFirst, handOver, installVirtualIp, virtualIp } from "../virtual-ip";
import { caFile, renderHaproxy } from "./haproxy";
import { type PoolerConfig, role } from "./model";
import {
  fixedFile,
  home,
  renderFixed,
  renderPgbouncer,
  renderUsers,
  socketDirectory,
  tls,
  userFile,
} from "./pgbouncer";

const mainFile = `${home}/pgbouncer.ini`;
const dropIns = "/etc/systemd/system/pgbouncer.service.d";
const dropIn = `${dropIns}/hastack.conf`;
const readable = { mode: "0644", owner: "root:root" };
const searchable = { mode: "0755", owner: "root:root" };
const forPooler = { mode: "0640", owner: "root:postgres" };

const wanted = ["pgbouncer", "postgresql-client"];

/** Lines of the check for holding the address: the pooler and HAProxy here answer. The database is not asked. */
export function poolerAnswers(listenPort: number): string[] {
  return [
    "psql=$(ls /usr/lib/postgresql/*/bin/psql | tail -n 1)",
    "export PGCONNECT_TIMEOUT=2",
    `timeout 1 "$psql" -XAtq "host=${socketDirectory} port=${listenPort} user=pgbouncer dbname=pgbouncer" -c 'SHOW VERSION' >/dev/null || exit 1`,
    `${haproxyAnswers} || exit 1`,
  ];
}

/** The unit `pooler-install`: packages, on all hosts at once. */
export function renderInstall(config: PoolerConfig): string {
  return unitText(
    port(config.settings.port, "pgbouncer.service", "PgBouncer"),
    ...installVirtualIp(config.virtualIp),
    packages([...wanted, "haproxy"]),
  );
}

/** The unit `pooler`: one host's pooler, balancer and share in the address, one host at a time. */
export function renderPooler(config: PoolerConfig): string {
  const keys = ["ca.crt", "server.crt", "server.key"].map((name) => `${tls}/${name}`);
  return unitText(
    packages(wanted),
    ...haproxy(role, renderHaproxy(config), { [caFile]: secret("ca") }),
    directory(tls, { mode: "0750", owner: "root:postgres" }),
    ...["ca.crt", "server.crt", "server.key"].map((name) =>
      file(`${tls}/${name}`, secret(name === "ca.crt" ? "ca" : name), forPooler),
    ),
    file(userFile, renderUsers(), forPooler),
    file(fixedFile, renderFixed(config), forPooler),
    file(mainFile, renderPgbouncer(config), forPooler),
    directory(dropIns, searchable),
    file(dropIn, renderDropIn(config), readable),
    service("pgbouncer", {
      enabled: true,
      started: true,
      restartOn: [fixedFile, dropIn, "package:pgbouncer"],
      reloadOn: [mainFile, userFile, ...keys],
      beforeRestart: handOver(config.virtualIp),
      disturbs: addressMovesFirst,
    }),
    ensure("PgBouncer runs with what its file says", {
      check: renderRunsAs(config),
      fix: "systemctl reload pgbouncer",
    }),
    ...virtualIp(config.virtualIp),
  );
}

/** PgBouncer goes on with its old settings when it cannot read the new ones, and a reload succeeds all the same. */
function renderRunsAs({ settings }: PoolerConfig): string {
  const given = Object.keys(settings.settings).join(" ");
  return [
    "psql=$(ls /usr/lib/postgresql/*/bin/psql | tail -n 1)",
    "differs() {",
    `  live=$(cd / && runuser -u postgres -- "$psql" -XAtq "host=${socketDirectory} port=${settings.port} user=pgbouncer dbname=pgbouncer" -c 'SHOW CONFIG' 2>&1) ||`,
    '    { echo "it does not answer: $live"; return; }',
    `  printf '%s\\n' "$live" | awk -F'|' -v given=" ${given} " '`,
    "      NR == FNR { have[$1] = $2; next }",
    "      /^\\[/ { ours = /pgbouncer/ }",
    '      !ours || !(i = index($0, " = ")) { next }',
    "      { key = substr($0, 1, i - 1); value = substr($0, i + 3) }",
    '      !(key in have) { print key " is no setting of PgBouncer"; next }',
    "      # a value from outside may be written in more than one way",
    '      have[key] != value && !index(given, " " key " ") { print key " is " have[key] " instead of " value }',
    `    ' - ${mainFile}`,
    "}",
    "# a reload takes a moment",
    'for n in 1 2 3 4; do found=$(differs); [ -n "$found" ] || exit 0; sleep 0.5; done',
    'echo "$found"; exit 1',
  ].join("\n");
}

function renderDropIn({ settings, pools }: PoolerConfig): string {
  // A client, a server connection, and some for the program itself.
  const files = settings.maxClientConnections + pools.reduce((sum, pool) => sum + pool.size, 0) + 200;
  return [
    "[Unit]",
    "After=haproxy.service",
    "StartLimitIntervalSec=0",
    "[Service]",
    `LimitNOFILE=${Math.max(8192, 2 ** Math.ceil(Math.log2(files)))}`,
    "# SIGINT waits for every session to end; before a stop the address has gone to another host",
    "KillSignal=SIGTERM",
    "Restart=always",
    "RestartSec=1",
    "",
  ].join("\n");
}
