import { program } from "../converge/program";
import { secret } from "../converge/secrets";
import {
  type Disturbance,
  directory,
  ensure,
  file,
  generatedDirectory,
  packages,
  port,
  requirement,
  service,
  through,
  unitText,
  waitFor,
} from "../converge/text";
import { type Firewall, reachedFrom } from "../firewall/table";
import { aptSource } from "../host/config";
import type { NodeConfig } from "./args";
import { connectionString, databaseCa, databaseLetsIn } from "./connection";
import { debconfAnswers, debconfForgets, renderAnswers } from "./installer";

const settings = "/etc/hastack/workspad";
const connectionFile = `${settings}/connection-string`;
const programs = "/usr/local/lib/hastack/workspad";
const terminal = `${programs}/terminal.py`;
const database = `${programs}/database.py`;
export const outside = `${programs}/outside.py`;
/** A node that was ready once and is restarted has to be seen by balancers again before the next one stops. */
const rollout = "/var/lib/hastack/workspad";
const ready = `${rollout}/ready`;
const unseen = `${rollout}/unseen`;
const readable = { mode: "0644", owner: "root:root" };
const searchable = { mode: "0755", owner: "root:root" };
const executable = { mode: "0755", owner: "root:root" };
const forRoot = { mode: "0600", owner: "root:root" };
const rootOnly = { mode: "0700", owner: "root:root" };

/** The unit `workspad-install`, on all hosts at once: what the node needs besides WorksPad itself. */
export function renderInstall(config: NodeConfig): string {
  return unitText(
    port(config.httpsPort, config.services[0] ?? "", "WorksPad"),
    ...(config.runtimeSource ? aptSource("hastack-workspad", config.runtimeSource) : []),
    packages([config.runtimePackage, ...config.libraries, "postgresql-client", "python3"]),
    directory(programs, searchable),
    file(outside, program(__dirname, outside), executable),
  );
}

/** The unit `workspad`, on one host after the other. */
export function renderNode(config: NodeConfig): string {
  const certificates = certificatesOf(config);
  const restartOn = [
    `package:${config.packageName}`,
    ...[connectionFile, databaseCa, ...certificates.map(([path]) => path)],
    `step:${settingsStep}`,
  ];
  return unitText(
    requirement(
      `WorksPad was installed here by somebody else, with a data-protection certificate of its own in ${config.certificateFile}: ` +
        "what it protects would be lost. Give that certificate and its key as dataProtection, or remove the file",
      `[ ! -e ${config.certificateFile} ] || [ -e ${connectionFile} ] || ` +
        `[ "$(cat ${config.certificateFile})" = "$(printf %s ${secret("data-protection.crt", "shell")})" ]`,
    ),
    directory("/etc/hastack", searchable),
    directory(settings, searchable),
    file(databaseCa, secret("database-ca"), readable),
    databaseLetsIn(config),
    generatedDirectory(rollout, rootOnly),
    ensure("a node that serves already is awaited by balancers", {
      check: `[ -e ${ready} ] || ! systemctl --quiet is-active ${config.services[0]}`,
      fix: `: >${ready}`,
    }),
    directory(programs, searchable),
    ...[terminal, database].map((path) => file(path, program(__dirname, path), executable)),
    file(`${settings}/answers`, renderAnswers(config), forRoot),
    file(connectionFile, `${connectionString(config)}\n`, forRoot),
    ...debconfAnswers(config),
    through(terminal, config.install),
    ...debconfForgets(config),
    ...certificates.map(([path, name]) => file(path, secret(name), { mode: "0640", owner: `root:${config.group}` })),
    ensure(settingsStep, { check: `${database} check`, fix: `${database} write 2>&1` }),
    ...config.services.map((name, i) =>
      service(name, {
        enabled: true,
        started: true,
        restartOn,
        disturbs: oneAtATime,
        // The first one serves. One that has never been ready is awaited by nobody.
        ...(i === 0 && { beforeRestart: `[ ! -e ${ready} ] || : >${unseen}` }),
      }),
    ),
    waitFor("WorksPad is healthy", 90, healthy(`https://127.0.0.1:${config.httpsPort}${config.healthPath}`)),
    ensure("balancers have seen that it serves", {
      check: `[ -e ${ready} ] && [ ! -e ${unseen} ]`,
      fix: `[ ! -e ${unseen} ] || sleep ${config.minReadySeconds}\nrm -f ${unseen}\n: >${ready}`,
      timeout: config.minReadySeconds + 30,
    }),
  );
}

const oneAtATime: Disturbance = { by: "restart", how: "one node at a time" };

const settingsStep = "the settings of the services have the database";

/** Where the node's certificates and keys are, and which secret each is. */
function certificatesOf(config: NodeConfig): [path: string, secret: string][] {
  return [
    [config.certificateFile, "data-protection.crt"],
    [config.keyFile, "data-protection.key"],
    ...(config.ownServerCertificate
      ? ([
          [config.serverCertificateFile, "server.crt"],
          [config.serverKeyFile, "server.key"],
        ] satisfies [string, string][])
      : []),
  ];
}

/** Balancers reach the HTTPS port, and nobody else. */
export function firewallOf({ balancers = [], httpsPort }: NodeConfig): Firewall {
  return reachedFrom({ name: "balancers", from: balancers }, "workspad", [httpsPort]);
}

/** Exit 0 when the address answers, be it with a redirection; else the answer. Who answers is this host. */
function healthy(address: string): string {
  return [
    "python3 - 2>&1 <<'PYTHON'",
    "import ssl, sys, urllib.error, urllib.request",
    "class Stay(urllib.request.HTTPRedirectHandler):",
    "    def redirect_request(self, *_):",
    "        return None",
    "tls = urllib.request.HTTPSHandler(context=ssl._create_unverified_context())",
    "try:",
    `    urllib.request.build_opener(tls, Stay).open(${JSON.stringify(address)}, timeout=5)`,
    "except urllib.error.HTTPError as error:",
    "    if error.code >= 400:",
    "        sys.exit(f'{error}: {error.read(500).decode(errors=\"replace\")}')",
    "except OSError as error:",
    "    sys.exit(str(error))",
    "PYTHON",
  ].join("\n");
}
