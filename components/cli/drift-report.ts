import type { HostDrift } from "./drift";

/** The report in each of its forms. */
export const reports: Readonly<Record<string, (hosts: readonly HostDrift[]) => string>> = {
  text,
  markdown,
  json: (hosts) => `${JSON.stringify(hosts, null, 2)}\n`,
  prometheus,
};

interface Line {
  host: string;
  unit: string;
  what: string;
}

function linesOf(hosts: readonly HostDrift[]): Line[] {
  return hosts.flatMap(({ host, unreachable, units }) =>
    unreachable !== undefined
      ? [{ host, unit: "", what: `cannot be asked: ${unreachable}` }]
      : Object.entries(units).flatMap(([unit, drift]) => drift.map((what) => ({ host, unit, what }))),
  );
}

function text(hosts: readonly HostDrift[]): string {
  const lines = linesOf(hosts);
  if (lines.length === 0) return `no drift on ${hosts.length} hosts\n`;
  return lines.map(({ host, unit, what }) => `${host}${unit && `  ${unit}`}  ${what}\n`).join("");
}

function markdown(hosts: readonly HostDrift[]): string {
  const lines = linesOf(hosts);
  if (lines.length === 0) return `No drift on ${hosts.length} hosts.\n`;
  const cell = (value: string) => value.replaceAll("|", "\\|");
  return [
    "| host | unit | what differs |",
    "|---|---|---|",
    ...lines.map(({ host, unit, what }) => `| ${host} | ${unit} | ${cell(what)} |`),
    "",
  ].join("\n");
}

/** For a node exporter's textfile directory (Prometheus, Exposition formats). */
function prometheus(hosts: readonly HostDrift[]): string {
  const label = (value: string) => `"${value.replaceAll("\\", "\\\\").replaceAll('"', '\\"')}"`;
  return [
    "# HELP hastack_host_up Whether the host could be asked for drift.",
    "# TYPE hastack_host_up gauge",
    ...hosts.map(
      ({ host, unreachable }) => `hastack_host_up{host=${label(host)}} ${unreachable === undefined ? 1 : 0}`,
    ),
    "# HELP hastack_drift Things of a unit that differ from what was applied last.",
    "# TYPE hastack_drift gauge",
    ...hosts.flatMap(({ host, units }) => [
      ...Object.entries(units).map(
        ([unit, drift]) => `hastack_drift{host=${label(host)},unit=${label(unit)}} ${drift.length}`,
      ),
    ]),
    "",
  ].join("\n");
}
