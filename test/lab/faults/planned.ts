import { eventually } from "../support/process";
import { type Fault, nothing } from "./fault";

/** What somebody wants. */
export const plannedChanges: Fault[] = [
  {
    name: "switchover",
    longest: 15,
    strike: async ({ hosts }) => {
      const leader = await hosts.leader();
      await hosts.sh(leader, `patronictl -c /etc/patroni/config.yml switchover --force --master ${leader}`);
      await eventually("another member leads", 30, async () => (await hosts.leader()) !== leader || undefined);
      return nothing;
    },
  },
  {
    name: "pooler-restart",
    longest: 20,
    strike: async (cluster) => {
      const { maxClientConnections: now } = cluster.stack.settings["hastack:pooler"] as {
        maxClientConnections?: number;
      };
      // Needs another limit of open files, which only a restart puts in force.
      await cluster.change({ maxClientConnections: now === 10000 ? 5000 : 10000 });
      return nothing;
    },
  },
];
