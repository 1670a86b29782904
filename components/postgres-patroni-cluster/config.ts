import { createHash } from "node:crypto";
import { program } from "../converge/program";
import { secret } from "../converge/secrets";
import {
  comment,
  dataDirectory,
  directory,
  disturbs,
  ensure,
  file,
  literal,
  packages,
  port,
  requirement,
  service,
  unitText,
  waitFor,
} from "../converge/text";
import { firewallOpening } from "../firewall/config";
import { shell } from "../formats";
import type { HostTraits } from "../host";
import { renderHba, renderIdent } from "./hba";
import { renderInside } from "./inside";
import { dynamicParameters, tunedParameters } from "./parameters";
import {
  type ClusterConfig,
  type ClusterMember,
  dataPath,
  firewallOf,
  hbaFile,
  home,
  identFile,
  memberParameters,
  postgresPort,
  renderDynamic,
  renderPatroni,
  restCaFile,
  restPort,
} from "./patroni";
import { waiting } from "./restarting";
import { renderApply, renderCheck } from "./sql";

const configFile = `${home}/config.yml`;
const dynamicFile = `${home}/dynamic.json`;
const programs = "/usr/local/lib/hastack/patroni";
const rest = `${programs}/rest.py`;
const roll = `${programs}/roll.py`;
const patroni = `${programs}/patroni.py`;
const adopt = `${programs}/adopt.py`;
const dropIns = "/etc/systemd/system/patroni.service.d";
const dropIn = `${dropIns}/hastack.conf`;
const logind = "/etc/systemd/logind.conf.d/hastack.conf";
const readable = { mode: "0644", owner: "root:root" };
const executable = { mode: "0755", owner: "root:root" };
const forPostgres = { mode: "0640", owner: "root:postgres" };

/** Says which cluster a data directory belongs to; it stays when the data stays. */
function scopeFile(config: Pick<ClusterConfig, "version">): string {
  return `/var/lib/postgresql/${config.version}/hastack-scope`;
}

/**
 * The unit `patroni-adopt`: a cluster that was set up by hand is in pause before etcd is taken from it. PostgreSQL runs on
 * without Patroni then, and nobody is promoted, until the last member is under the Patroni of this program.
 */
export function renderAdopt(): string {
  return unitText(
    ...adoptProgram(),
    ensure("a cluster that was set up by hand is in pause", {
      check: `${adopt} theirs >/dev/null || exit 0\n${adopt} paused`,
      fix: `${adopt} pause`,
      timeout: 90,
    }),
  );
}

function adoptProgram(): string[] {
  return [
    directory("/usr/local/lib/hastack", { mode: "0755", owner: "root:root" }),
    directory(programs, { mode: "0755", owner: "root:root" }),
    file(adopt, program(__dirname, adopt), executable),
  ];
}

/** The unit `patroni-install`: packages, on all hosts at once. */
export function renderInstall(config: ClusterConfig): string {
  const data = dataPath(config);
  return unitText(
    port(postgresPort, "patroni.service", "PostgreSQL"),
    port(restPort, "patroni.service", "Patroni's REST API"),
    requirement(
      `${data} holds a database that is not of the cluster ${config.scope}; nothing is done to it. ` +
        "Move it away, give this host to the cluster that it belongs to, or have that taken over (`adopt`, docs/adopt.md).",
      [
        `[ -n "$(ls -A ${data} 2>/dev/null)" ] || exit 0`,
        `[ "$(cat ${scopeFile(config)} 2>/dev/null)" != ${shell(config.scope)} ] || exit 0`,
        config.adopt ? `${adopt} paused` : "exit 1",
      ].join("\n"),
    ),
    comment("Debian's package would make and start a cluster of its own"),
    directory("/etc/postgresql-common", { mode: "0755", owner: "root:root" }),
    file("/etc/postgresql-common/createcluster.conf", "create_main_cluster = false\n", readable),
    install(config),
    ...(config.firewall ? [firewallOpening(firewallOf(config), "members")] : []),
    comment("Patroni alone starts and stops PostgreSQL"),
    service("postgresql", { enabled: false, started: false }),
  );
}

/** In both units: the first installs on all hosts at once, the second knows when a restart is due. */
function install(config: ClusterConfig): string {
  return packages([`postgresql-${config.version}`, "patroni", "python3-etcd"], { hold: true });
}

/** The unit `patroni`: one member's configuration and service. */
export function renderMember(config: ClusterConfig, member: ClusterMember, traits: HostTraits): string {
  const tls = `${home}/tls`;
  return unitText(
    install(config),
    directory(home, { mode: "0755", owner: "root:root" }),
    directory(tls, { mode: "0750", owner: "root:postgres" }),
    ...[`${tls}/ca.crt`, restCaFile(config)].map((path) => file(path, secret("ca"), forPostgres)),
    file(`${tls}/server.crt`, secret("server.crt"), forPostgres),
    file(`${tls}/server.key`, secret("server.key"), forPostgres),
    file(`${tls}/etcd.crt`, secret("etcd.crt"), forPostgres),
    file(`${tls}/etcd.key`, secret("etcd.key"), forPostgres),
    directory(`/var/lib/postgresql/${config.version}`, { mode: "0755", owner: "postgres:postgres" }),
    dataDirectory(dataPath(config), { mode: "0700", owner: "postgres:postgres" }),
    ensure("the data directory says whose it is", {
      check: `[ "$(cat ${scopeFile(config)} 2>/dev/null)" = ${shell(config.scope)} ]`,
      fix: `printf '%s\\n' ${shell(config.scope)} >${scopeFile(config)}`,
    }),
    file(configFile, renderPatroni(config, member, traits), forPostgres),
    file(hbaFile, literal(renderHba(config)), forPostgres),
    file(identFile, renderIdent(config), forPostgres),
    directory(programs, { mode: "0755", owner: "root:root" }),
    ...[rest, roll, patroni].map((path) => file(path, program(__dirname, path), executable)),
    directory(dropIns, { mode: "0755", owner: "root:root" }),
    file(dropIn, renderDropIn(config), readable),
    comment("IPC of PostgreSQL must not go when an operator's session as postgres ends (PostgreSQL manual, 19.4.2)"),
    directory("/etc/systemd/logind.conf.d", { mode: "0755", owner: "root:root" }),
    file(logind, "[Login]\nRemoveIPC=no\n", readable),
    service("systemd-logind", { restartOn: [logind], disturbs: { by: "quiet", how: "sessions go on" } }),
    ...(config.adopt
      ? [
          ensure("etcd knows the cluster that is taken over", {
            check: `${adopt} theirs >/dev/null || exit 0\n${adopt} known`,
            fix: `${adopt} announce`,
          }),
        ]
      : []),
    service("patroni", {
      enabled: true,
      started: true,
      reloadOn: [
        configFile,
        hbaFile,
        identFile,
        ...["ca.crt", "server.crt", "server.key", "etcd.crt", "etcd.key"].map((f) => `${tls}/${f}`),
      ],
      restartOn: [dropIn, patroni, "package:patroni"],
      beforeRestart: renderStepAside(config, member),
      disturbs: { by: "failover", how: "one member at a time, a leader hands over first" },
    }),
  );
}

/** The unit `patroni-cluster`: what is in the database, and so on all members. */
export function renderCluster(config: ClusterConfig, member: ClusterMember): string {
  const check = `${home}/roles-check.sql`;
  const apply = `${home}/roles-apply.sql`;
  return unitText(
    ...(config.adopt
      ? [
          ensure("the pause of its takeover is over", {
            check: "[ ! -e /etc/patroni/adopting.json ]",
            fix: `${adopt} resume`,
            timeout: 120,
          }),
        ]
      : []),
    waitFor(`${member.name} runs in the cluster ${config.scope}`, 180, `${rest} health`),
    ensure("a replica streams from its leader", streams),
    ensure("no parameter is set by ALTER SYSTEM", setBySystem),
    file(check, renderCheck(config), forPostgres),
    file(apply, renderApply(config), forPostgres),
    ensure("roles and databases", sqlStep("postgres", check, apply)),
    ...config.databases.flatMap((database, i) => {
      const inside = renderInside(database, config.poolers.length > 0);
      if (!inside) return [];
      const files = [`${home}/inside-${i}-check.sql`, `${home}/inside-${i}-apply.sql`] as const;
      return [
        file(files[0], inside.check, forPostgres),
        file(files[1], inside.apply, forPostgres),
        // a step's name stands in no block, where `@{` could be written otherwise
        ensure(`inside ${database.name.replaceAll("@{", "{")}`, sqlStep(database.name, ...files)),
      ];
    }),
  );
}

/**
 * The unit `patroni-dynamic`, on one member and after everything else: the configuration that all members share, and
 * what only a restart can put in force, on one member after the other. It names the parameters by a digest, so that
 * it comes up whenever they change.
 */
export function renderShared(config: ClusterConfig, traits: readonly HostTraits[]): string {
  const parameters = [dynamicParameters(config.parameters), ...traits.map((t) => memberParameters(config, t))];
  const digest = createHash("sha256").update(JSON.stringify(parameters)).digest("hex").slice(0, 12);
  const done = `${home}/rolled`;
  const members = config.members.map((member) => member.name);
  const names = members.join(" ");
  return unitText(
    file(dynamicFile, `${JSON.stringify(renderDynamic(config), null, 2)}\n`, readable),
    ...disturbs({ by: "reload", of: "PostgreSQL", hosts: members, on: [dynamicFile], how: "by Patroni" }),
    ensure("dynamic configuration", {
      check: `${rest} config check ${dynamicFile}`,
      fix: `${rest} config apply ${dynamicFile}`,
      timeout: 90,
    }),
    ...disturbs({
      by: "failover",
      of: "PostgreSQL",
      hosts: members,
      on: restarting(config, traits, "yes"),
      maybeOn: restarting(config, traits, "maybe"),
      how: "replicas first, the leader last and after a switchover; limits of replicas are lowered on the leader first",
    }),
    ensure("PostgreSQL runs with its parameters", {
      check: `[ "$(cat ${done} 2>/dev/null)" = ${digest} ] || { echo "they have changed"; exit 1; }\n${roll} check ${names}`,
      fix: `${roll} run ${names}\necho ${digest} >${done}`,
      timeout: 1800,
    }),
    comment("a member that leaves hands over before it is shut out"),
    ensure("one of the members leads", {
      check: `${roll} leads ${names}`,
      fix: `${roll} hand-over ${names}`,
      timeout: 300,
    }),
  );
}

/** Parameters that wait for a restart; those that follow from a host are told apart by its name. */
function restarting(config: ClusterConfig, traits: readonly HostTraits[], answer: "yes" | "maybe") {
  const own = config.members.flatMap(({ name }, i) => {
    const parameters = waiting(tunedParameters(traits[i] as HostTraits, config.parameters), answer);
    return Object.entries(parameters).map(([key, value]) => [`${name}.${key}`, value]);
  });
  return { ...waiting(dynamicParameters(config.parameters), answer), ...Object.fromEntries(own) };
}

const streaming = [
  "streams() {",
  "  query='SELECT NOT pg_is_in_recovery() OR EXISTS (SELECT FROM pg_stat_wal_receiver WHERE status = $$streaming$$)'",
  '  [ "$(runuser -u postgres -- psql -XAtq -d postgres -c "$query" 2>&1)" = t ]',
  "}",
].join("\n");
/**
 * A replica that was copied while its source lost the leadership can have gone another way than the new leader.
 * Patroni compares histories, and rewinds, when it starts.
 */
const streams = {
  check: `${streaming}\nstreams || { echo "it does not"; exit 1; }`,
  fix: [
    streaming,
    "n=0",
    "until streams; do",
    "  n=$((n + 1))",
    "  [ $n -ne 30 ] || systemctl restart patroni",
    '  [ $n -lt 120 ] || { echo "not even after a restart of Patroni: journalctl -u patroni"; exit 1; }',
    "  sleep 1",
    "done",
  ].join("\n"),
  timeout: 180,
};

/** Each member's own file, which goes before all that Patroni writes (PostgreSQL manual, 20.1.2). */
const setBySystem = {
  check: [
    `query="SELECT string_agg(name, ' ' ORDER BY name) FROM pg_file_settings WHERE sourcefile ~ 'postgresql\\.auto\\.conf$'"`,
    'found=$(runuser -u postgres -- psql -XAtq -d postgres -c "$query" 2>&1)',
    '[ -z "$found" ] || { echo "$found"; exit 1; }',
  ].join("\n"),
  fix: "runuser -u postgres -- psql -XAtq -d postgres -c 'ALTER SYSTEM RESET ALL' -c 'SELECT pg_reload_conf()' >/dev/null",
};

/** Checked on any member; done by the primary, and on a replica waited for: it arrives by replication. */
function sqlStep(database: string, check: string, apply: string) {
  // In the environment a name is nothing but a name; after `-d` one with `=` would be a connection string.
  const name = literal(shell(database));
  const psql = `runuser -u postgres -- env PGDATABASE=${name} psql -XAtq -v ON_ERROR_STOP=1`;
  return {
    check: [
      `found=$(${psql} -f ${check} 2>&1) || { echo "$found"; exit 1; }`,
      `[ -z "$found" ] || { echo "$found" | awk 'NR > 1 { printf "; " } { printf "%s", $0 }'; exit 1; }`,
    ].join("\n"),
    fix: [
      `if [ "$(runuser -u postgres -- psql -XAtq -d postgres -c 'SELECT pg_is_in_recovery()')" = f ]; then`,
      `  ${psql} -f ${apply}`,
      "else",
      `  until [ -z "$(${psql} -f ${check} 2>&1)" ]; do sleep 0.5; done`,
      "fi",
    ].join("\n"),
    timeout: 120,
  };
}

function renderDropIn(config: ClusterConfig): string {
  return [
    "[Unit]",
    "After=etcd.service",
    "[Service]",
    "ExecStart=",
    `ExecStart=${patroni} ${configFile}`,
    "SyslogIdentifier=patroni",
    // The kernel's last resort must take anything before the supervisor of the database.
    "OOMScoreAdjust=-600",
    // A stop includes PostgreSQL's last checkpoint.
    `TimeoutStopSec=${config.ttl + 60}`,
    "Restart=on-failure",
    "RestartSec=2",
    "RuntimeDirectory=patroni",
    "RuntimeDirectoryMode=0700",
    "",
  ].join("\n");
}

/** Before a restart of Patroni: every other member is well, and a leader hands over first, to one that has all of its WAL. */
function renderStepAside(config: ClusterConfig, member: ClusterMember): string {
  const others = config.members.length - 1;
  const standbys = "SELECT count(*) FROM pg_stat_replication WHERE state = 'streaming'";
  return [
    ...(config.adopt
      ? [
          "# in pause PostgreSQL runs on without Patroni",
          `if ${adopt} theirs >/dev/null; then ${adopt} paused; exit 0; fi`,
        ]
      : []),
    `leads() { ${rest} cluster | grep -q '^${member.name} leader '; }`,
    "well() {",
    `  [ "$(${rest} cluster | awk '$1 != "${member.name}" && ($3 == "running" || $3 == "streaming")' | wc -l)" = ${others} ] &&`,
    `    { ! leads || [ "$(runuser -u postgres -- psql -XAtq -d postgres -c "${standbys}")" -gt 0 ]; }`,
    "}",
    "# the member before was restarted just now",
    "n=0",
    "until well; do",
    "  n=$((n + 1))",
    `  [ $n -lt 60 ] || { echo "not all other members are running, or none streams:"; ${rest} cluster; exit 1; }`,
    "  sleep 1",
    "done",
    "if leads; then",
    `  patronictl -c ${configFile} switchover --force ${shell(config.scope)}`,
    "fi",
  ].join("\n");
}
