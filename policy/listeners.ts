import type { StackValidationPolicy } from "@pulumi/policy";
import { isThere, type Seen, unitOf } from "./commands";

/** Lines of configuration files by which a program listens on every address of its host. */
const everywhere = [
  /^\s*listen_addr(esses)? *= *['"]?(0\.0\.0\.0|\*|::)/m, // PgBouncer, PostgreSQL
  /^\s*listen: *['"]?(0\.0\.0\.0|\*|\[?::)/m, // Patroni
  /^\s*listen +(\d+|0\.0\.0\.0|\*:|\[::\])/m, // nginx
  /^\s*bind +(0\.0\.0\.0|\*|:\d|::)/m, // HAProxy, Redis
  /^\s*ETCD_LISTEN_\w+=.*0\.0\.0\.0/m,
];

/** What listens everywhere answers everybody who reaches the host, unless a firewall says otherwise. */
export const listenersAreGuarded: StackValidationPolicy = {
  name: "listeners-are-guarded",
  description: "What listens on every address of a host has a firewall in front of it.",
  configSchema: {
    properties: { public: { type: "array", items: { type: "string" }, default: ["balancer"] } },
  },
  validateStack: (args, report) => {
    const { public: open = ["balancer"] } = args.getConfig<{ public?: string[] }>();
    const units = args.resources.map((resource) => unitOf(resource as Seen)).filter(isThere);
    const guarded = new Set(
      units
        .filter(({ text }) => /tcp dport/.test(text))
        .map(({ host, role }) => `${host} ${role.replace(/-firewall$/, "")}`),
    );
    for (const { name, urn, host, role, text } of units) {
      const line = everywhere.map((pattern) => pattern.exec(text)?.[0]).find(isThere);
      if (line === undefined || open.includes(role) || guarded.has(`${host} ${role}`)) continue;
      report(`${name}: listens everywhere ("${line.trim()}…") and has no firewall: leave \`firewall: true\``, urn);
    }
  },
};
