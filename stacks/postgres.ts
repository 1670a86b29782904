import * as pulumi from "@pulumi/pulumi";
import { type Host, inventory, PgBouncerVipPair, type PostgresPatroniCluster } from "../components";
import { parse } from "../components/validate";
import { clusterOf } from "./database";
import { named, poolerSettings } from "./settings";

/** A database cluster and its poolers. */
export function postgres(hosts: Record<string, Host>, config: pulumi.Config) {
  const stack = `stack ${pulumi.getStack()}`;
  const pooler = config.getObject("pooler");
  const { hosts: poolerNames, ...pair } = pooler ? parse(stack, poolerSettings, pooler) : { hosts: [] };
  const poolers = poolerNames.map((name) => named(stack, hosts, "pooler.hosts", name));
  const members = Object.values(hosts).filter((host) => !poolers.includes(host));
  const { pg } = clusterOf(stack, config, "workspad", { members, poolers });
  const db = "virtualIp" in pair ? new PgBouncerVipPair("db", { hosts: poolers, cluster: pg, ...pair }) : undefined;

  return {
    scope: pg.scope,
    addresses: pg.addresses,
    port: pg.port,
    ca: pg.caCertificate,
    passwords: pg.passwords,
    ...(db && { endpoints: endpointsOf(pg, db), console: db.consolePasswords }),
    hastack: inventory({ hosts: Object.values(hosts), clusters: [pg], poolers: db ? [db] : [] }),
  };
}

/** By database: how an application reaches it. */
function endpointsOf(pg: PostgresPatroniCluster, db: PgBouncerVipPair) {
  return pg.config.apply(({ databases }) =>
    pulumi.all(Object.fromEntries(databases.map(({ name }) => [name, db.endpoint(name)]))),
  );
}
