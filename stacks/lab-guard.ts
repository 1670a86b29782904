import { statSync } from "node:fs";
import { fault } from "../components/fault";

/**
 * The lab's addresses exist in its network namespace only. From anywhere else a packet would leave this machine for
 * whoever has the address out there, so the program stops before it makes a connection.
 */
export function refuseOutsideLab(stack: string, namespace = process.env.HASTACK_LAB_NETNS): void {
  if (namespace && sameNamespace("/proc/self/ns/net", `/run/netns/${namespace}`)) return;
  throw fault(
    `${stack} is the lab's and runs only inside the lab's network. Start the lab (\`lab/lab up dev\`), then run ` +
      "`lab/lab exec -- pulumi …`",
  );
}

function sameNamespace(one: string, other: string): boolean {
  const a = statSync(one, { throwIfNoEntry: false });
  const b = statSync(other, { throwIfNoEntry: false });
  return a !== undefined && b !== undefined && a.ino === b.ino && a.dev === b.dev;
}
