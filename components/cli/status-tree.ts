import { styleText } from "node:util";
import type { Group, Member, Status } from "./status";

type Paint = (color: "green" | "yellow" | "red" | "bold", text: string) => string;

export const titles: Readonly<Record<Group["kind"], string>> = {
  balancer: "balancers",
  nodes: "nodes",
  pooler: "poolers",
  database: "PostgreSQL",
  etcd: "etcd",
  redis: "Redis",
};

/** The status as a tree for a terminal. */
export function tree(status: Status, colors: boolean): string {
  const paint: Paint = (color, text) => (colors ? styleText(color, text, { validateStream: false }) : text);
  const hosts = Object.entries(status.hosts);
  const down = hosts.filter(([, reason]) => reason !== null);
  const differing = Object.entries(status.drift).flatMap(([host, what]) => what.map((line) => ({ host, line })));
  return [
    ...status.groups.flatMap((group) => [
      `${paint("bold", heading(group))}${group.wrong ? `  ${paint("red", group.wrong)}` : ""}`,
      ...branches(group.members.map((member) => memberLine(member, group, paint))),
    ]),
    `${paint("bold", "hosts")} ${hosts.length - down.length} of ${hosts.length} answer`,
    ...branches(down.map(([host, reason]) => `${host}  ${paint("red", reason ?? "")}`)),
    `${paint("bold", "drift")} ${differing.length === 0 ? `none on ${Object.keys(status.drift).length} hosts` : ""}`.trimEnd(),
    ...branches(differing.map(({ host, line }) => `${host}  ${paint("yellow", line)}`)),
    "",
  ].join("\n");
}

export function heading(group: Group): string {
  return group.kind === "etcd" ? titles.etcd : `${titles[group.kind]} ${group.name}`;
}

/** All that is said of a member, in words: `leader`, `running`, `lag 3 MiB`, `holds the address`. */
export function wordsOf(member: Member, group: Group): string[] {
  return [
    member.role,
    member.state,
    member.lag === undefined ? "" : `lag ${member.lag}`,
    group.holders?.includes(member.name) ? "holds the address" : "",
  ].filter((word) => word !== "");
}

function memberLine(member: Member, group: Group, paint: Paint): string {
  const words = wordsOf(member, group).map((word) => {
    if (word === member.state && !member.well) return paint("red", word);
    return ["leader", "master", "holds the address"].includes(word) ? paint("green", word) : word;
  });
  return [member.name, ...words].join("  ");
}

function branches(lines: readonly string[]): string[] {
  return lines.map((line, i) => `${i === lines.length - 1 ? "└─" : "├─"} ${line}`);
}
