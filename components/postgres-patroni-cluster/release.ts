import { fault } from "../fault";

/** The PostgreSQL version that a system packages: no other can be installed from its own sources. */
const packaged: Readonly<Record<string, number>> = { "debian 12": 15, "debian 13": 17, "astra 1.8": 15 };

/**
 * The version of a cluster: the given one if every member's system packages it, else the one that they all package.
 * @param systems operating system of each member, by the member's name
 */
export function versionFor(
  resource: string,
  given: number | undefined,
  systems: Readonly<Record<string, string>>,
): number {
  const versions = Object.entries(systems).map(([member, os]) => {
    const found = Object.entries(packaged).find(([system]) => os.startsWith(system))?.[1] ?? given;
    if (found === undefined) {
      throw fault(`${resource}: version: missing: give the PostgreSQL version that ${os} on ${member} has`);
    }
    return { member, os, version: found };
  });
  const wanted = given ?? versions[0]?.version;
  const other = versions.find((found) => found.version !== wanted);
  if (wanted === undefined || other) {
    throw fault(
      `${resource}: version: ${wanted}: ${other?.member} runs ${other?.os}, which packages PostgreSQL ${other?.version}; ` +
        "all members of a cluster run the same version",
    );
  }
  return wanted;
}
