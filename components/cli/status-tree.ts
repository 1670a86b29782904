import { styleText } from "node:util";
import type { Member, Status } from "./status";

type Paint = (color: "green" | "yellow" | "red" | "bold", text: string) => string;

/** The status as a tree for a terminal. */
export function tree(status: Status, colors: boolean): string {
  const paint: Paint = (color, text) => (colors ? styleText(color, text, { validateStream: false }) : text);
  const down = Object.entries(status.hosts).filter(([, reason]) => reason !== null);
  return [
    ...status.virtualIps.flatMap(({ address, holders, hosts }) => [
      `${paint("bold", address)} ${holder(holders, paint)}`,
      ...branches(hosts.map((host) => `${host}${holders.includes(host) ? paint("green", "  holds it") : ""}`)),
    ]),
    ...status.clusters.flatMap(({ scope, members, unknown }) => [
      `${paint("bold", scope)}${unknown ? ` ${paint("red", unknown)}` : ""}`,
      ...branches(members.map((member) => memberLine(member, paint))),
    ]),
    `${paint("bold", "hosts")} ${Object.keys(status.hosts).length - down.length} of ${Object.keys(status.hosts).length} answer`,
    ...branches(down.map(([host, reason]) => `${host}  ${paint("red", reason ?? "")}`)),
    "",
  ].join("\n");
}

function holder(holders: readonly string[], paint: Paint): string {
  if (holders.length === 1) return `on ${holders[0]}`;
  return paint("red", holders.length === 0 ? "on no host" : `on ${holders.length} hosts at once`);
}

function memberLine({ name, role, state, lagMiB }: Member, paint: Paint): string {
  const well = state === "running" || state === "streaming";
  const lag = lagMiB === undefined ? "" : `  lag ${lagMiB} MiB`;
  return `${name}  ${role === "leader" ? paint("green", role) : role}  ${well ? state : paint("red", state)}${lag}`;
}

function branches(lines: readonly string[]): string[] {
  return lines.map((line, i) => `${i === lines.length - 1 ? "└─" : "├─"} ${line}`);
}
