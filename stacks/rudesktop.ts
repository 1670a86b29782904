import * as pulumi from "@pulumi/pulumi";
import { z } from "zod";
import { type Host, inventory, RedisSecured, RuDesktopCluster } from "../components";
import { parse } from "../components/validate";
import { databaseOf } from "./database";
import { frontOf } from "./front";
import { entrySettings, hostList, hostsWanted, named, packageSettings, serverNames, sourceOf } from "./settings";

/** `hastack:rudesktop` of a stack; the components check what they are given themselves. */
export const rudesktopSettings = z
  .strictObject({
    serverNames,
    /** `active-active`: all nodes serve; `active-passive`: those of one site do. */
    scheme: z
      .enum(["active-active", "active-passive"], {
        message:
          "give active-active or active-passive. DNS round robin is none of them: a name server goes on naming a node that is down",
      })
      .default("active-active"),
    /** With `active-passive`, the site that serves; `npm run switch-site` changes it. */
    activeSite: z.string().optional(),
    /** By host: the site that it stands in, and whether balancers may lead to it: a node that is to leave serves no more. */
    nodes: z.record(
      z.string(),
      z.strictObject({ site: z.string().default("main"), serves: z.boolean().default(true) }),
      {
        message: "give the nodes' hosts, each with its site, e.g. { node1: { site: north }, node2: { site: south } }",
      },
    ),
    balancer: entrySettings,
    redis: z.looseObject({ hosts: hostList }, hostsWanted),
    databases: z.strictObject({ hosts: hostList }, hostsWanted),
    package: packageSettings,
    node: z.looseObject({}).default({}),
  })
  .superRefine(({ scheme, activeSite, nodes }, context) => {
    const sites = [...new Set(Object.values(nodes).map(({ site }) => site))];
    const wrong = (path: string, message: string) => context.addIssue({ code: "custom", path: [path], message });
    const active = activeSite !== undefined && sites.includes(activeSite) ? [activeSite] : sites;
    if (!Object.values(nodes).some(({ site, serves }) => serves && active.includes(site))) {
      wrong("nodes", "none of them serves: give one without serves: false");
    }
    if (scheme === "active-active") {
      if (activeSite !== undefined) {
        wrong("activeSite", "with active-active all sites serve: leave it out, or give scheme: active-passive");
      }
    } else if (sites.length < 2) {
      wrong("nodes", `they are all in site ${sites.join()}, and active-passive needs two: give the nodes of another`);
    } else if (activeSite === undefined || !sites.includes(activeSite)) {
      wrong("activeSite", `active-passive needs the site that serves: give ${sites.join(" or ")}`);
    }
  });

/** RuDesktop, highly available: balancers, nodes, PostgreSQL with its poolers, Redis. */
export function rudesktop(hosts: Record<string, Host>, config: pulumi.Config) {
  const stack = `stack ${pulumi.getStack()}`;
  const settings = parse(stack, z.object({ rudesktop: rudesktopSettings }), {
    rudesktop: config.requireObject("rudesktop"),
  }).rudesktop;
  const { hosts: redisNames, ...redisSettings } = settings.redis;
  const at = (key: string, names: readonly string[]) => names.map((name) => named(stack, hosts, key, name));
  const members = at("rudesktop.databases.hosts", settings.databases.hosts);
  const redisHosts = at("rudesktop.redis.hosts", redisNames);
  const balancers = at("rudesktop.balancer.hosts", settings.balancer.hosts);
  const nodes = at("rudesktop.nodes", Object.keys(settings.nodes));
  const addresses = nodes.map((node) => node.address);

  const { ca, pg, db, endpoint, opts } = databaseOf(stack, hosts, config, {
    name: "rudesktop",
    members,
    clients: addresses.map((address) => pulumi.interpolate`${address}/32`),
  });
  // RuDesktop speaks redis:// only: the firewall lets in its nodes and nobody else.
  const redis = new RedisSecured(
    "redis",
    { hosts: redisHosts, ca, tls: false, clients: addresses, ...redisSettings },
    opts,
  );
  const site = new RuDesktopCluster("rudesktop", {
    hosts: nodes,
    ca,
    serverNames: settings.serverNames,
    package: sourceOf(settings.package),
    database: endpoint,
    redis: redis.endpoint(),
    balancers: balancers.map((balancer) => balancer.address),
    ...settings.node,
  });
  const willing = site.nodes.filter(({ name }) => settings.nodes[name]?.serves);
  const serving = willing.filter(
    ({ name }) => settings.activeSite === undefined || settings.nodes[name]?.site === settings.activeSite,
  );
  const front = frontOf(settings.balancer, {
    hosts: balancers,
    upstreams: serving,
    healthPath: site.healthPath,
    serverNames: settings.serverNames,
    ca,
  });

  return {
    entry: front.address,
    ca: ca.certificate,
    /** What `npm run switch-site` asks and changes. */
    sites: {
      scheme: settings.scheme,
      activeSite: settings.activeSite,
      nodes: Object.fromEntries(
        willing.map(({ name, address, port }) => [name, { site: settings.nodes[name]?.site, address, port }]),
      ),
      balancers: settings.balancer.hosts,
      url: front.url,
      address: front.address,
      healthPath: site.healthPath,
    },
    endpoints: { rudesktop: endpoint },
    hastack: inventory({
      hosts: Object.values(hosts),
      clusters: [pg],
      poolers: [db],
      caches: [redis],
      balancers: [front],
    }),
  };
}
