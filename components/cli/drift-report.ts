import { daysLeft } from "../converge/certificates";
import type { DriftReport } from "./drift";

/** The report in each of its forms. */
export const reports: Readonly<Record<string, (report: DriftReport) => string>> = {
  text,
  markdown,
  json: (report) => `${JSON.stringify(report, null, 2)}\n`,
  prometheus,
};

interface Line {
  host: string;
  unit: string;
  what: string;
}

function linesOf({ hosts }: DriftReport): Line[] {
  return hosts.flatMap(({ host, unreachable, units }) =>
    unreachable !== undefined
      ? [{ host, unit: "", what: `cannot be asked: ${unreachable}` }]
      : Object.entries(units).flatMap(([unit, drift]) => drift.map((what) => ({ host, unit, what }))),
  );
}

function text(report: DriftReport): string {
  const lines = linesOf(report);
  if (lines.length === 0) return `no drift on ${report.hosts.length} hosts\n`;
  return lines.map(({ host, unit, what }) => `${host}${unit && `  ${unit}`}  ${what}\n`).join("");
}

function markdown(report: DriftReport): string {
  const lines = linesOf(report);
  const asked = `${report.hosts.length} hosts, asked at ${report.at}`;
  if (lines.length === 0) return `No drift on ${asked}.\n`;
  const cell = (value: string) => value.replaceAll("|", "\\|");
  return [
    `Drift on ${asked}:`,
    "",
    "| host | unit | what differs |",
    "|---|---|---|",
    ...lines.map(({ host, unit, what }) => `| ${host} | ${unit} | ${cell(what)} |`),
    "",
  ].join("\n");
}

/** For a node exporter's textfile directory (Prometheus, Exposition formats). */
function prometheus({ at, hosts }: DriftReport): string {
  const asked = new Date(at);
  return [
    ...metric("hastack_drift_timestamp_seconds", "When the hosts were asked for drift.", [
      ["", asked.getTime() / 1000],
    ]),
    ...metric(
      "hastack_host_up",
      "Whether the host could be asked for drift.",
      hosts.map(({ host, unreachable }) => [labels({ host }), unreachable === undefined ? 1 : 0]),
    ),
    ...metric(
      "hastack_drift",
      "Things of a unit that differ from what was applied last.",
      hosts.flatMap(({ host, units }) =>
        Object.entries(units).map(([unit, drift]): Sample => [labels({ host, unit }), drift.length]),
      ),
    ),
    ...metric(
      "hastack_certificate_expiry_days",
      "Days until the certificate ends.",
      hosts.flatMap(({ host, certificates }) =>
        certificates.map((certificate): Sample => {
          const { unit, path } = certificate;
          return [labels({ host, unit, path }), Math.round(daysLeft(certificate, asked) * 100) / 100];
        }),
      ),
    ),
    "",
  ].join("\n");
}

type Sample = readonly [labels: string, value: number];

function metric(name: string, help: string, samples: readonly Sample[]): string[] {
  const lines = samples.map(([of, value]) => `${name}${of} ${value}`);
  return [`# HELP ${name} ${help}`, `# TYPE ${name} gauge`, ...lines];
}

function labels(values: Readonly<Record<string, string>>): string {
  const quoted = (value: string) =>
    `"${value.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n")}"`;
  const pairs = Object.entries(values).map(([name, value]) => `${name}=${quoted(value)}`);
  return `{${pairs.join(",")}}`;
}
