import { absent, comment, file, literal, requirement, unitText } from "../converge/text";
import type { ResolvedAptSource, ResolvedHost } from "./args";
import { probeUser } from "./probe-user";

const readable = { mode: "0644", owner: "root:root" };

/** The unit `base`: what every host has, whatever its roles. */
export function renderHost({ apt, probeUser: user }: Pick<ResolvedHost, "apt" | "probeUser">): string {
  return unitText(
    requirement("the host cannot resolve its own name: add it to /etc/hosts", 'getent hosts "$(hostname)" >/dev/null'),
    requirement(
      "systemd does not run here: the host must be a machine or a container that boots with it",
      "test -d /run/systemd/system",
    ),
    comment("where packages come from"),
    apt ? aptSource("hastack", apt) : pathsOf("hastack").map(absent),
    ...(user ? [probeUser(user)] : []),
  );
}

/** A package source and the key that signs it, under a name of their own. */
export function aptSource(name: string, apt: ResolvedAptSource): string[] {
  const [source, keyring] = pathsOf(name);
  return [
    file(keyring, literal(ending(apt.key)), readable),
    file(source, literal(renderAptSource(apt, keyring)), readable),
  ];
}

function pathsOf(name: string): [string, string] {
  return [`/etc/apt/sources.list.d/${name}.sources`, `/etc/apt/keyrings/${name}.asc`];
}

/** deb822 format, see sources.list(5). */
export function renderAptSource(apt: ResolvedAptSource, keyring: string): string {
  const lines = ["Types: deb", `URIs: ${apt.uri}`, `Suites: ${apt.suite}`];
  if (apt.components.length > 0) lines.push(`Components: ${apt.components.join(" ")}`);
  lines.push(`Signed-By: ${keyring}`);
  return `${lines.join("\n")}\n`;
}

function ending(text: string): string {
  return text.endsWith("\n") ? text : `${text}\n`;
}
