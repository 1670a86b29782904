import { convergePath } from "../converge/agent";
import { comment, directory, file, literal, packages, user } from "../converge/text";
import type { ResolvedProbeUser } from "./args";

/** The one command that its key can run. It reads nothing from its caller. */
export const probeCommand = `${convergePath} probe`;

const root = { mode: "0644", owner: "root:root" };
const searchable = { mode: "0755", owner: "root:root" };

/** A user that cannot change the files which bind it: they are root's. */
export function probeUser({ name, publicKey }: ResolvedProbeUser): string[] {
  const home = `/var/lib/${name}`;
  return [
    comment("whoever has its key can ask what differs here, and do nothing else (sshd(8), sudoers(5))"),
    packages(["sudo"]),
    user(name, { system: true, home, shell: "/bin/sh" }),
    directory(home, searchable),
    directory(`${home}/.ssh`, searchable),
    file(
      `${home}/.ssh/authorized_keys`,
      literal(`restrict,command="sudo -n ${probeCommand}" ${publicKey.trim()}\n`),
      root,
    ),
    file(`/etc/sudoers.d/${name}`, `${name} ALL=(root) NOPASSWD: ${probeCommand}\n`, {
      mode: "0440",
      owner: "root:root",
    }),
  ];
}
