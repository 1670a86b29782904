import * as pulumi from "@pulumi/pulumi";
import { z } from "zod";
import {
  CertificateAuthority,
  EtcdQuorum,
  type Host,
  inventory,
  NginxBalancer,
  PgBouncerVipPair,
  PostgresPatroniCluster,
  RedisSecured,
  RuDesktopCluster,
} from "../components";
import { parse } from "../components/validate";
import {
  authoritySettings,
  clusterSettings,
  defined,
  hostList,
  named,
  packageSettings,
  poolerSettings,
  sourceOf,
} from "./settings";

const namesWanted = { message: "give the names under which users reach it" };
const hostsWanted = { message: "give its hosts, e.g. { hosts: [host1, host2] }" };

/** `hastack:rudesktop` of a stack; the components check what they are given themselves. */
export const rudesktopSettings = z
  .strictObject({
    /** Names under which users reach it. */
    serverNames: z.array(z.string(), namesWanted).min(1, namesWanted),
    /** `active-active`: all nodes serve; `active-passive`: those of one site do. */
    scheme: z
      .enum(["active-active", "active-passive"], {
        message:
          "give active-active or active-passive. DNS round robin is none of them: a name server goes on naming a node that is down",
      })
      .default("active-active"),
    /** With `active-passive`, the site that serves; `npm run switch-site` changes it. */
    activeSite: z.string().optional(),
    /** By host: the site that it stands in. */
    nodes: z.record(z.string(), z.strictObject({ site: z.string().default("main") }), {
      message: "give the nodes' hosts, each with its site, e.g. { node1: { site: north }, node2: { site: south } }",
    }),
    balancer: z.looseObject({ hosts: hostList, health: z.looseObject({}).default({}) }, hostsWanted),
    redis: z.looseObject({ hosts: hostList }, hostsWanted),
    databases: z.strictObject({ hosts: hostList }, hostsWanted),
    package: packageSettings,
    node: z.looseObject({}).default({}),
  })
  .superRefine(({ scheme, activeSite, nodes }, context) => {
    const sites = [...new Set(Object.values(nodes).map(({ site }) => site))];
    const wrong = (path: string, message: string) => context.addIssue({ code: "custom", path: [path], message });
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
  const { protect, ...cluster } = parse(stack, clusterSettings, config.getObject("postgres") ?? {});
  const { hosts: poolerNames, ...pair } = parse(stack, poolerSettings, config.requireObject("pooler"));
  const { hosts: redisNames, ...redisSettings } = settings.redis;
  const { hosts: balancerNames, ...balancerSettings } = settings.balancer;
  const at = (key: string, names: readonly string[]) => names.map((name) => named(stack, hosts, key, name));
  const members = at("rudesktop.databases.hosts", settings.databases.hosts);
  const poolers = at("pooler.hosts", poolerNames);
  const redisHosts = at("rudesktop.redis.hosts", redisNames);
  const balancers = at("rudesktop.balancer.hosts", balancerNames);
  const nodes = at("rudesktop.nodes", Object.keys(settings.nodes));
  const opts = { protect };

  const ca = new CertificateAuthority("ca", defined(parse(stack, authoritySettings, config.getObject("ca") ?? {})));
  const etcd = new EtcdQuorum("etcd", { members, ca }, opts);
  const pg = new PostgresPatroniCluster(
    "rudesktop-db",
    { members, etcd, poolers, databases: [{ name: "rudesktop" }], ...cluster },
    opts,
  );
  const addresses = nodes.map((node) => node.address);
  const db = new PgBouncerVipPair("db", {
    hosts: poolers,
    cluster: pg,
    clients: addresses.map((address) => pulumi.interpolate`${address}/32`),
    ...pair,
  });
  // RuDesktop speaks redis:// only: the firewall lets in its nodes and nobody else.
  const redis = new RedisSecured(
    "redis",
    { hosts: redisHosts, ca, tls: false, clients: addresses, ...redisSettings },
    opts,
  );
  const [serverName = ""] = settings.serverNames;
  const site = new RuDesktopCluster("rudesktop", {
    hosts: nodes,
    ca,
    serverNames: settings.serverNames,
    package: sourceOf(settings.package),
    database: db.endpoint("rudesktop"),
    redis: redis.endpoint(),
    balancers: balancers.map((balancer) => balancer.address),
    ...settings.node,
  });
  const serving = site.nodes.filter(
    ({ name }) => settings.activeSite === undefined || settings.nodes[name]?.site === settings.activeSite,
  );
  const front = new NginxBalancer("front", {
    hosts: balancers,
    upstreams: serving,
    serverNames: settings.serverNames,
    ca,
    upstreamTls: { serverName },
    ...balancerSettings,
    health: { path: site.healthPath, ...balancerSettings.health },
  });

  return {
    entry: front.address,
    ca: ca.certificate,
    /** What `npm run switch-site` asks and changes. */
    sites: {
      scheme: settings.scheme,
      activeSite: settings.activeSite,
      nodes: Object.fromEntries(
        site.nodes.map(({ name, address, port }) => [name, { site: settings.nodes[name]?.site, address, port }]),
      ),
      balancers: balancerNames,
      url: front.url,
      address: front.address,
      healthPath: site.healthPath,
    },
    endpoints: { rudesktop: db.endpoint("rudesktop") },
    hastack: inventory({
      hosts: Object.values(hosts),
      clusters: [pg],
      poolers: [db],
      caches: [redis],
      balancers: [front],
    }),
  };
}
