import { type PoolerCluster, virtualIp } from "../pooler/cluster";
import { eventually, pause } from "../support/process";
import { type Fault, nothing } from "./fault";

/** Seconds in which systemd and keepalived's check have seen what died. */
const noticed = 8;

/** What can go wrong with the host that has the address, or between it and the other one. */
export const faultsOfProxies: Fault[] = [
  {
    name: "proxy-power-off",
    longest: 20,
    strike: async (cluster) => {
      const holder = await cluster.holder();
      await cluster.lab.lab(["power-off", holder]);
      await movedAway(cluster, holder);
      return () => cluster.lab.lab(["power-on", holder]);
    },
  },
  { name: "pgbouncer-killed", longest: 15, strike: onHolder("systemctl kill --signal=KILL pgbouncer") },
  {
    name: "pgbouncer-frozen",
    longest: 25,
    strike: async (cluster) => {
      const holder = await cluster.holder();
      await cluster.lab.lab(["freeze", holder, "pgbouncer"]);
      await movedAway(cluster, holder);
      return () => cluster.lab.lab(["thaw", holder, "pgbouncer"]);
    },
  },
  { name: "haproxy-killed", longest: 15, strike: onHolder("systemctl kill --signal=KILL haproxy") },
  { name: "keepalived-killed", longest: 20, strike: onHolder("pkill -KILL keepalived") },
  {
    name: "keepalived-stopped",
    longest: 10,
    strike: async (cluster) => {
      const holder = await cluster.holder();
      await cluster.proxies.sh(holder, "systemctl stop keepalived");
      await movedAway(cluster, holder);
      return () => cluster.proxies.sh(holder, "systemctl start keepalived");
    },
  },
  {
    name: "vrrp-split",
    longest: 20,
    strike: async (cluster) => {
      const [one = "", other = ""] = cluster.proxies.names;
      await cluster.lab.lab(["partition", one, other]);
      const both = async () => (await cluster.holders()).length === 2 || undefined;
      await eventually("both hosts take the address when they do not hear each other", 20, both);
      await pause(3);
      return () => cluster.lab.lab(["heal"]);
    },
  },
];

function onHolder(script: string): Fault["strike"] {
  return async (cluster) => {
    await cluster.proxies.sh(await cluster.holder(), script);
    await pause(noticed);
    return nothing;
  };
}

function movedAway(cluster: PoolerCluster, from: string): Promise<true> {
  return eventually(`the address has left ${from}`, 20, async () => {
    const others = cluster.proxies.names.filter((name) => name !== from);
    const [other = ""] = others;
    return (await cluster.proxies.sh(other, `ip -o address show to ${virtualIp}/32`)) !== "" || undefined;
  });
}
