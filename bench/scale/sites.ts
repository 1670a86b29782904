/** The simulated machines: sites of eleven hosts, each with an address of its own and a port on loopback for SSH. */
const names = ["nginx1", "nginx2", "node1", "node2", "node3", "proxy1", "proxy2", "psql1", "psql2", "psql3", "redis1"];

export interface Machine {
  name: string;
  address: string;
  port: number;
}

const firstPort = 10_000;

/** The machines of a site, by their names in it. */
export function siteOf(number: number): Record<string, Machine> {
  return Object.fromEntries(
    names.map((name, i) => [
      name,
      {
        name: `s${number}-${name}`,
        address: `10.${number}.0.${i + 10}`,
        port: firstPort + (number - 1) * names.length + i,
      },
    ]),
  );
}
