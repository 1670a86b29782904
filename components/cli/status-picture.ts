import { escaped, type Health } from "./markup";
import { type Group, isWellGroup, type Member, type Status } from "./status";
import { heading, wordsOf } from "./status-tree";

/** Measures in pixels. */
const row = 46;
const head = 56;
const gap = 28;
const boxWidth = 290;
const between = 60;
const clientsWidth = 110;
const margin = 16;

/** In which column a kind stands: clients are on the left, data is on the right. */
const columns: readonly (readonly Group["kind"][])[] = [
  ["balancer"],
  ["nodes"],
  ["pooler", "redis"],
  ["database", "etcd"],
];

/** Who asks whom. */
const asks: readonly (readonly [Group["kind"], Group["kind"]])[] = [
  ["balancer", "nodes"],
  ["nodes", "pooler"],
  ["nodes", "redis"],
  ["pooler", "database"],
];

interface Box {
  group: Group;
  x: number;
  y: number;
  height: number;
}

/** The topology as an SVG: who asks whom, who leads, who holds which address, what is not well. */
export function picture(status: Status): string {
  const { boxes, width, height } = laidOut(status.groups);
  const middle = height / 2;
  const clients = { x: margin + clientsWidth, y: middle };
  const entries = boxes.filter(({ group }) => isEntry(group, status.groups));
  return [
    `<svg viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-labelledby="picture-title picture-text">`,
    `<title id="picture-title">Topology</title>`,
    `<desc id="picture-text">${escaped(status.groups.map(sentence).join(" "))}</desc>`,
    `<defs><marker id="arrow" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="8" markerHeight="8" orient="auto"><path class="tip" d="M0 0 8 4 0 8z"/></marker></defs>`,
    ...entries.map((box) => arrow(clients, leftOf(box))),
    ...asks.flatMap(([from, to]) => pairs(boxes, from, to).map(([a, b]) => arrow(rightOf(a), leftOf(b)))),
    ...pairs(boxes, "database", "etcd").map(([a, b]) => arrow(bottomOf(a), { x: b.x + boxWidth / 2, y: b.y })),
    `<g><rect class="clients" x="${margin}" y="${middle - 30}" width="${clientsWidth}" height="60" rx="30"/>`,
    `<text class="name" x="${margin + clientsWidth / 2}" y="${middle + 5}" text-anchor="middle">clients</text></g>`,
    ...boxes.map((box) => drawn(box, status)),
    "</svg>",
  ].join("\n");
}

/** One after the other in its column; columns that hold nothing are left out. */
function laidOut(groups: readonly Group[]): { boxes: Box[]; width: number; height: number } {
  const filled = columns
    .map((kinds) => kinds.flatMap((kind) => groups.filter((group) => group.kind === kind)))
    .filter((column) => column.length > 0);
  const heights = filled.map((column) => column.reduce((sum, group) => sum + heightOf(group) + gap, -gap));
  const highest = Math.max(80, ...heights);
  const boxes = filled.flatMap((column, i) => {
    let y = margin + (highest - (heights[i] ?? 0)) / 2;
    return column.map((group): Box => {
      const box = { group, x: margin + clientsWidth + between + i * (boxWidth + between), y, height: heightOf(group) };
      y += box.height + gap;
      return box;
    });
  });
  const width = 2 * margin + clientsWidth + filled.length * (boxWidth + between);
  return { boxes, width, height: highest + 2 * margin };
}

function heightOf({ members }: Group): number {
  return head + members.length * row + 8;
}

/** Clients come to the balancers; where there are none, to what has an address of its own. */
function isEntry({ kind }: Group, groups: readonly Group[]): boolean {
  if (groups.some((group) => group.kind === "balancer")) return kind === "balancer";
  return (
    kind === "pooler" || kind === "redis" || (kind === "database" && !groups.some((group) => group.kind === "pooler"))
  );
}

/** Entries and nodes come in pairs, in their order; of all else, each asks each. */
function pairs(boxes: readonly Box[], from: Group["kind"], to: Group["kind"]): [Box, Box][] {
  const of = (kind: Group["kind"]) => boxes.filter(({ group }) => group.kind === kind);
  const others = of(to);
  return of(from).flatMap((a, i) =>
    others.filter((_, j) => from !== "balancer" || i === j).map((b): [Box, Box] => [a, b]),
  );
}

interface Point {
  x: number;
  y: number;
}

const leftOf = ({ x, y, height }: Box): Point => ({ x, y: y + height / 2 });
const rightOf = ({ x, y, height }: Box): Point => ({ x: x + boxWidth, y: y + height / 2 });
const bottomOf = ({ x, y, height }: Box): Point => ({ x: x + boxWidth / 2, y: y + height });

function arrow(from: Point, to: Point): string {
  const bend = from.x === to.x ? from.x : (from.x + to.x) / 2;
  return `<path class="arrow" marker-end="url(#arrow)" d="M${from.x} ${from.y} C${bend} ${from.y} ${bend} ${to.y} ${to.x} ${to.y}"/>`;
}

function drawn({ group, x, y, height }: Box, status: Status): string {
  const health: Health = isWellGroup(group) ? "ok" : "fail";
  return [
    "<g>",
    `<rect class="group ${health}" x="${x}" y="${y}" width="${boxWidth}" height="${height}" rx="8"/>`,
    `<text class="title" x="${x + 14}" y="${y + 24}">${escaped(cut(heading(group), 34))}</text>`,
    `<text class="words ${health}" x="${x + 14}" y="${y + 43}">${escaped(cut(group.wrong ?? (health === "ok" ? "all is well" : "not all is well"), 36))}</text>`,
    ...group.members.map((member, i) => line(member, group, status, x + 8, y + head + i * row)),
    "</g>",
  ].join("\n");
}

function line(member: Member, group: Group, { drift }: Status, x: number, y: number): string {
  const differs = (drift[member.name] ?? []).length;
  const health: Health = !member.well ? "fail" : differs > 0 ? "warn" : "ok";
  const words = [...wordsOf(member, group), ...(differs > 0 ? [`drift: ${differs}`] : [])].join(", ");
  const leads = ["leader", "master"].includes(member.role) || group.holders?.includes(member.name);
  return [
    `<rect class="member ${health}${leads ? " leads" : ""}" x="${x}" y="${y}" width="${boxWidth - 16}" height="${row - 6}" rx="5"/>`,
    `<text class="name" x="${x + 10}" y="${y + 16}">${escaped(cut(member.name, 30))}</text>`,
    `<text class="words ${health}" x="${x + 10}" y="${y + 32}">${escaped(cut(words, 42))}<title>${escaped(words)}</title></text>`,
  ].join("\n");
}

/** What does not fit is in the table below the picture. */
function cut(text: string, length: number): string {
  return text.length > length ? `${text.slice(0, length - 1)}…` : text;
}

function sentence(group: Group): string {
  const members = group.members.map((member) => `${member.name} (${wordsOf(member, group).join(", ")})`);
  return `${heading(group)}: ${group.wrong ? `${group.wrong}; ` : ""}${members.join(", ")}.`;
}
