import type { PoolerCluster } from "../pooler/cluster";
import { HostWatch } from "../support/host-watch";

/**
 * Whether a member acknowledges a write, ten times a second, over its own socket: whatever the network is like. One that
 * waits for a replica which does not answer acknowledges none.
 */
const script = `
import os, select, sys, time, psycopg2
connection, begin = None, 0
while not select.select([sys.stdin], [], [], 0.1)[0]:
    begin, wrote = time.time(), 0
    try:
        if connection is None:
            connection = psycopg2.connect(host="/var/run/postgresql", user="postgres", dbname="workspad", connect_timeout=2)
            connection.autocommit = True
        cursor = connection.cursor()
        cursor.execute("SELECT pg_is_in_recovery()")
        if not cursor.fetchone()[0]:
            del connection.notices[:]
            cursor.execute("UPDATE drill SET n = n + 1 WHERE member = %s", (os.uname()[1],))
            # the wait for a replica may be broken off, and that is no acknowledgement
            wrote = int(cursor.rowcount == 1 and not connection.notices)
    except psycopg2.Error:
        connection = None
    print(begin, time.time(), wrote, flush=True)
`;

/** Looks all the time which members accept writes. */
export async function watchPrimaries(cluster: PoolerCluster): Promise<HostWatch> {
  const { names } = cluster.hosts;
  const rows = names.map((name) => `('${name}', 0)`).join(", ");
  await cluster.hosts.superuser(
    await cluster.whole(),
    `DROP TABLE IF EXISTS drill; CREATE TABLE drill (member text, n int); INSERT INTO drill VALUES ${rows}`,
    "workspad",
  );
  const command = `cd / && exec runuser -u postgres -- python3 -c '${script.replaceAll("'", `'\\''`)}'`;
  return new HostWatch(cluster.lab, names, command);
}
