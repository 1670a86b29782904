import { secret } from "../converge/secrets";
import { directory, file, packages, port, service, unitText } from "../converge/text";
import { haproxy, haproxyAnswers } from "../haproxy/config";
import { handOver, installVirtualIp, virtualIp } from "../virtual-ip";
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
    }),
    ...virtualIp(config.virtualIp),
  );
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
