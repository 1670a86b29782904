import * as pulumi from "@pulumi/pulumi";
import { z } from "zod";
import { DataProtectionCertificate, type Host, inventory, WorksPadCluster } from "../components";
import { parse } from "../components/validate";
import { databaseOf } from "./database";
import { frontOf } from "./front";
import { entrySettings, hostList, hostsWanted, named, packageSettings, serverNames, sourceOf } from "./settings";

/** `hastack:workspad` of a stack; the components check what they are given themselves. */
const schema = z.strictObject({
  serverNames,
  balancer: entrySettings,
  /** Names of hosts; by default those that nothing else names, so a node is one line of `hastack:hosts`. */
  nodes: hostList.optional(),
  databases: z.strictObject({ hosts: hostList }, hostsWanted),
  package: packageSettings,
  /** Domain controllers and mail server: not ours, but each node looks whether it reaches them. */
  activeDirectory: z.looseObject({ hosts: hostList }).optional(),
  exchange: z.looseObject({ host: z.string({ message: "give the mail server's name or address" }) }).optional(),
  /** Certificate and key of an existing installation; by default they are made. */
  dataProtection: z
    .strictObject(
      { certificate: z.string(), privateKey: z.string() },
      { message: "give certificate and privateKey, both in PEM, the key with `pulumi config set --secret --path`" },
    )
    .optional(),
  node: z.looseObject({}).default({}),
});

/** WorksPad, highly available: balancers, nodes, PostgreSQL with its poolers. */
export function workspad(hosts: Record<string, Host>, config: pulumi.Config) {
  const stack = `stack ${pulumi.getStack()}`;
  const settings = parse(stack, z.object({ workspad: schema }), {
    workspad: config.requireObject("workspad"),
  }).workspad;
  const at = (key: string, names: readonly string[]) => names.map((name) => named(stack, hosts, key, name));
  const members = at("workspad.databases.hosts", settings.databases.hosts);
  const balancers = at("workspad.balancer.hosts", settings.balancer.hosts);

  const { ca, pg, db, poolers, endpoint } = databaseOf(stack, hosts, config, { name: "workspad", members });
  const others = [...members, ...balancers, ...poolers];
  const nodes = settings.nodes
    ? at("workspad.nodes", settings.nodes)
    : Object.values(hosts).filter((host) => !others.includes(host));
  const site = new WorksPadCluster("workspad", {
    hosts: nodes,
    ca,
    serverNames: settings.serverNames,
    package: sourceOf(settings.package),
    database: endpoint,
    balancers: balancers.map((balancer) => balancer.address),
    ...(settings.activeDirectory && { activeDirectory: settings.activeDirectory }),
    ...(settings.exchange && { exchange: settings.exchange }),
    ...(settings.dataProtection && {
      dataProtection: new DataProtectionCertificate("workspad", settings.dataProtection),
    }),
    ...settings.node,
  });
  const front = frontOf(settings.balancer, {
    hosts: balancers,
    upstreams: site.nodes,
    healthPath: site.healthPath,
    serverNames: settings.serverNames,
    ca,
  });

  return {
    entry: front.address,
    url: front.url,
    ca: ca.certificate,
    /** By node: which systems outside answered it. */
    outside: Object.fromEntries(site.nodes.map(({ name, outside }) => [name, outside])),
    endpoints: { workspad: endpoint },
    console: db.consolePasswords,
    hastack: inventory({ hosts: Object.values(hosts), clusters: [pg], poolers: [db], balancers: [front] }),
  };
}
