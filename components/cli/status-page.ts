import { escaped, type Health } from "./markup";
import { type Group, isWell, isWellGroup, type Status } from "./status";
import { picture } from "./status-picture";
import { heading, wordsOf } from "./status-tree";

export interface PageOptions {
  /** Name of the stack. */
  stack: string;
  /** When the hosts were asked. */
  at: Date;
  /** Seconds after which a browser reads the page again; it is written anew by then. */
  refresh?: number;
}

/** The status as one page that asks nothing of any server: style and picture are in it, and there is no script. */
export function page(status: Status, { stack, at, refresh }: PageOptions): string {
  const well = isWell(status);
  const time = at.toISOString().replace(/\.\d+Z$/, "Z");
  return [
    "<!doctype html>",
    '<html lang="en">',
    "<head>",
    '<meta charset="utf-8">',
    '<meta name="viewport" content="width=device-width, initial-scale=1">',
    ...(refresh === undefined ? [] : [`<meta http-equiv="refresh" content="${refresh}">`]),
    `<title>${well ? "well" : "not well"}: ${escaped(stack)}</title>`,
    `<style>${style}</style>`,
    "</head>",
    "<body>",
    "<header>",
    `<h1>${escaped(stack)}</h1>`,
    `<p>${mark(well ? "ok" : "fail", well ? "All is well" : "Not all is well")} at <time datetime="${time}">${time.replace("T", " ").replace("Z", " UTC")}</time></p>`,
    "</header>",
    "<main>",
    `<div class="picture" tabindex="0">${picture(status)}</div>`,
    ...status.groups.map(table),
    hosts(status),
    "</main>",
    "</body>",
    "</html>",
    "",
  ].join("\n");
}

function table(group: Group): string {
  return [
    `<section><h2>${escaped(heading(group))}</h2>`,
    ...(isWellGroup(group) ? [] : [`<p>${mark("fail", group.wrong ?? "not all members are well")}</p>`]),
    "<table><thead><tr><th scope=col>member</th><th scope=col>health</th><th scope=col>what</th></tr></thead><tbody>",
    ...group.members.map(
      (member) =>
        `<tr><th scope=row>${escaped(member.name)}</th><td>${mark(member.well ? "ok" : "fail", member.well ? "well" : "not well")}</td><td>${escaped(wordsOf(member, group).join(", "))}</td></tr>`,
    ),
    "</tbody></table></section>",
  ].join("\n");
}

function hosts(status: Status): string {
  return [
    "<section><h2>hosts and drift</h2>",
    "<table><thead><tr><th scope=col>host</th><th scope=col>health</th><th scope=col>what</th></tr></thead><tbody>",
    ...Object.entries(status.hosts).map(([host, reason]) => {
      const differing = status.drift[host] ?? [];
      const [health, word]: [Health, string] =
        reason !== null ? ["fail", "no answer"] : differing.length > 0 ? ["warn", "drift"] : ["ok", "in order"];
      const what = reason !== null ? escaped(reason) : differing.map(escaped).join("<br>");
      return `<tr><th scope=row>${escaped(host)}</th><td>${mark(health, word)}</td><td>${what}</td></tr>`;
    }),
    "</tbody></table></section>",
  ].join("\n");
}

function mark(health: Health, words: string): string {
  const sign = { ok: "✓", warn: "!", fail: "✗" }[health];
  return `<span class="mark ${health}"><span aria-hidden="true">${sign}</span> ${escaped(words)}</span>`;
}

const style = `
:root { color-scheme: light dark; --back: #ffffff; --text: #1b1f24; --quiet: #57606a; --line: #8c959f;
  --ok: #116329; --ok-back: #e6f6ea; --warn: #7a4b00; --warn-back: #fff3d6; --fail: #a40e26; --fail-back: #ffe5e8; }
@media (prefers-color-scheme: dark) { :root { --back: #0d1117; --text: #e6edf3; --quiet: #9da7b3; --line: #6e7681;
  --ok: #7ee2a0; --ok-back: #10301b; --warn: #f0c36d; --warn-back: #3a2a06; --fail: #ffa198; --fail-back: #45131a; } }
body { margin: 0 auto; max-width: 90rem; padding: 1rem; background: var(--back); color: var(--text); font: 16px/1.5 system-ui, sans-serif; }
h1 { margin: 0; } h2 { font-size: 1.1rem; margin: 1.5rem 0 .4rem; }
.picture { overflow-x: auto; margin: 1rem 0; }
svg { font: 13px system-ui, sans-serif; }
svg text { fill: var(--text); } svg .title { font-weight: 600; font-size: 14px; } svg .name { font-weight: 600; } svg .words { font-size: 12px; }
svg .words.ok { fill: var(--quiet); } svg .words.warn { fill: var(--warn); } svg .words.fail { fill: var(--fail); font-weight: 600; }
.group { fill: none; stroke: var(--line); stroke-width: 1.5; } .group.fail { stroke: var(--fail); stroke-width: 2.5; }
.member, .clients { stroke: var(--line); stroke-width: 1; fill: var(--back); }
.member.ok { fill: var(--ok-back); stroke: var(--ok); } .member.warn { fill: var(--warn-back); stroke: var(--warn); stroke-dasharray: 5 3; }
.member.fail { fill: var(--fail-back); stroke: var(--fail); stroke-dasharray: 2 3; } .member.leads { stroke-width: 3; }
.arrow { fill: none; stroke: var(--line); stroke-width: 1.5; } .tip { fill: var(--line); }
table { border-collapse: collapse; width: 100%; } th, td { text-align: left; vertical-align: top; padding: .3rem .7rem .3rem 0; border-bottom: 1px solid var(--line); }
th:first-child { width: 12rem; } td:nth-child(2) { width: 10rem; } td { overflow-wrap: anywhere; }
.mark { font-weight: 600; } .mark.ok { color: var(--ok); } .mark.warn { color: var(--warn); } .mark.fail { color: var(--fail); }
`;
