/** What the examples have in common: in each language the same Redis on one host. */
import { settingsOf } from "./own-program";
import type { TestLab } from "./test-lab";

/** The host of the topology `single`. */
export const box = { name: "box", address: "192.168.1.10" };

/** How the host is reached. */
export function reaching(lab: TestLab) {
  const { privateKey, hostKey } = settingsOf(lab);
  return { address: box.address, hostKey: hostKey(box.address), privateKey };
}

/** What the Redis says to a client with the password. */
export function ping(lab: TestLab, password: string): Promise<string> {
  const cli = `redis-cli --tls --cacert /etc/hastack/redis/tls/ca.crt -h ${box.address} --no-auth-warning --askpass PING`;
  return lab.lab(["ssh", box.name, cli], { input: `${password}\n` });
}
