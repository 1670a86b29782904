import type { NodeConfig } from "./args";

/** What `outside.py` reads: a line for each port of the directory and the mail server that WorksPad works with. */
export function renderOutside({ activeDirectory, exchange }: NodeConfig): string {
  const directory = activeDirectory?.hosts.flatMap((host) => [
    ...(activeDirectory.ldap ? [`tcp ${host} 389 Active Directory (LDAP)`] : []),
    ...(activeDirectory.ldaps ? [`tls ${host} 636 Active Directory (LDAPS)`] : []),
    ...(activeDirectory.kerberos ? [`tcp ${host} 88 Active Directory (Kerberos)`] : []),
  ]);
  const mail = exchange && [`https ${exchange.host} 443 ${exchange.ewsPath} Exchange (EWS)`];
  return [...(directory ?? []), ...(mail ?? [])].map((line) => `${line}\n`).join("");
}
