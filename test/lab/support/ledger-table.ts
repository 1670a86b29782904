import type { Hosts } from "./hosts";
import { eventually } from "./process";

/** The database, and the role that writes the ledger. */
const name = "workspad";

/** A ledger without rows. */
export async function emptyLedger(hosts: Hosts, leader: string): Promise<void> {
  const table = `DROP TABLE IF EXISTS ledger; CREATE TABLE ledger (n bigint); ALTER TABLE ledger OWNER TO ${name}`;
  await hosts.superuser(leader, table, name);
}

/** The ledger, when every member has the same. */
export function ledgerRows(hosts: Hosts): Promise<number[]> {
  return eventually("all members have the same rows", 60, async () => {
    const query = "SELECT n FROM ledger ORDER BY n";
    const copies = await Promise.all(hosts.names.map((host) => hosts.superuser(host, query, name)));
    if (new Set(copies).size > 1) throw new Error(`${copies.map((copy) => copy.split("\n").length).join(", ")} rows`);
    return (copies[0] ?? "").split("\n").map(Number);
  });
}
