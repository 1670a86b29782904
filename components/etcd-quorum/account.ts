import { secret } from "../converge/secrets";
import { ensure, unitText } from "../converge/text";
import { shell } from "../formats";
import { etcdctlFile, script } from "./etcd";

export interface EtcdAccount {
  user: string;
  /** Every key that begins with it may be read and written, and no other. */
  prefix: string;
}

/** The unit `etcd-account-NAME`, on one member: a user that sees its own prefix only. */
export function renderAccount({ user, prefix }: EtcdAccount): string {
  const range = `[${prefix}, ${prefixEnd(prefix)}) (prefix ${prefix})`;
  const role = [`Role ${user}`, "KV Read:", `\t${range}`, "KV Write:", `\t${range}`].join("\n");
  const password = secret("password", "shell");
  return unitText(
    ensure(`user ${user}`, {
      check: script(`etcdctl user get ${user} >/dev/null 2>&1 || { echo missing; exit 1; }`),
      fix: script(`printf '%s\\n' ${password} | etcdctl user add ${user} --interactive=false`),
    }),
    ensure(`role ${user} reads and writes ${prefix} and nothing else`, {
      check: script(
        `want=${shell(role)}`,
        `got=$(etcdctl role get ${user} 2>/dev/null) || { echo missing; exit 1; }`,
        '[ "$got" = "$want" ] || { echo "other permissions"; exit 1; }',
      ),
      fix: script(
        `etcdctl role delete ${user} >/dev/null 2>&1 || true`,
        `etcdctl role add ${user}`,
        `etcdctl role grant-permission ${user} readwrite ${shell(prefix)} --prefix`,
      ),
    }),
    ensure(`user ${user} has role ${user}`, {
      check: script(
        `got=$(etcdctl user get ${user} | sed -n 's/^Roles: *//p' | xargs)`,
        `[ "$got" = ${user} ] || { echo "its roles are: \${got:-none}"; exit 1; }`,
      ),
      fix: script(
        `for role in $(etcdctl user get ${user} | sed -n 's/^Roles: *//p'); do`,
        `  [ "$role" = ${user} ] || etcdctl user revoke-role ${user} "$role"`,
        "done",
        `etcdctl user grant-role ${user} ${user} || etcdctl user get ${user} | grep -q '^Roles:.* ${user}'`,
      ),
    }),
    ensure(`user ${user} has its password`, {
      check: script(
        `ETCDCTL_USER=${user} ETCDCTL_PASSWORD=${password} etcdctl get ${shell(prefix)} --prefix --keys-only --limit=1 ` +
          ">/dev/null 2>&1 || { echo 'it is another one'; exit 1; }",
      ),
      fix: script(`printf '%s\\n' ${password} | etcdctl user passwd ${user} --interactive=false`),
    }),
  );
}

/** A command line for root on a member that deletes every key with a prefix. */
export function deleteKeys(prefix: string): string {
  return `sh -c 'set -a && . ${etcdctlFile} && exec etcdctl del --prefix "$1"' sh ${shell(prefix)}`;
}

/** The first key after all keys with a prefix, as etcd computes it. */
function prefixEnd(prefix: string): string {
  return prefix.slice(0, -1) + String.fromCharCode(prefix.charCodeAt(prefix.length - 1) + 1);
}
