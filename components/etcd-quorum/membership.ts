import { comment, ensure, unitText, waitFor } from "../converge/text";
import { initialToken } from "../converge/token";
import { foundWord, joinWord } from "../founding";
import { bootstrap, dataPath, type EtcdConfig, type EtcdMember, endpoint, health, peerUrl, script } from "./etcd";

/**
 * The unit `etcd-ready`, on every member: the quorum is whole. That a host has it says that the quorum exists. Once it
 * does, a majority will do: a member that is down is known from its own host, and must not hold up the others.
 */
export function renderReady(config: EtcdConfig): string {
  return unitText(
    waitFor(
      `the quorum of ${config.members.length} members answers`,
      60,
      script(
        `case "\${HASTACK_TOKEN:-}" in`,
        "  '' | drift:*)",
        "    said=$(etcdctl --command-timeout=3s get / --limit=1 2>&1 >/dev/null) ||",
        "      { echo \"$said\" | sed '/^[{]/d' | tail -n 1; false; } ;;",
        `  *) ${health(config.members)} ;;`,
        "esac",
      ),
    ),
  );
}

/**
 * Before the first start, a member either founds the quorum with the others, or asks an existing one to take it in. It
 * never founds a second one where there was a first: members without their data would forget what they agreed on.
 * The file names the token under which a member joined, so that it joins anew when it was removed in between.
 */
export function renderPlace(config: EtcdConfig, member: EtcdMember) {
  const data = dataPath(config);
  const url = peerUrl(member);
  const others = config.members.filter((m) => m.name !== member.name).map(endpoint);
  const urls = config.members.map(peerUrl).join(" ");
  return {
    timeout: 120,
    // Without data the file counts only if it was written for this very start.
    check: [
      `[ -s ${bootstrap} ] || exit 1`,
      `case "\${HASTACK_TOKEN:-}" in ${joinWord}:*) ;; *) [ ! -d ${data}/member ] || exit 0 ;; esac`,
      `grep -qxF "# \${HASTACK_TOKEN:-}" ${bootstrap}`,
    ].join("\n"),
    fix: script(
      "write() { # STATE MEMBERS",
      `  printf '%s\\n' "# $HASTACK_TOKEN" "ETCD_INITIAL_CLUSTER_STATE=$1" "ETCD_INITIAL_CLUSTER=$2" \\`,
      `    ETCD_INITIAL_CLUSTER_TOKEN=${config.name} ETCD_INITIAL_ADVERTISE_PEER_URLS=${url} >${bootstrap}.new`,
      `  mv ${bootstrap}.new ${bootstrap}`,
      "}",
      'case "$HASTACK_TOKEN" in',
      `  ${foundWord}:* | ${initialToken}) write new ${config.members.map((m) => `${m.name}=${peerUrl(m)}`).join(",")}; exit 0 ;;`,
      "esac",
      `export ETCDCTL_ENDPOINTS=${others.join(",")}`,
      "# a read that needs a majority; the list of members comes from any one of them",
      "if ! said=$(etcdctl --command-timeout=5s get / --limit=1 2>&1); then",
      `  echo "the quorum exists and does not answer, so ${member.name} cannot join it. Bring back members until a majority"`,
      '  echo "runs; if they are lost for good, restore a snapshot (etcd manual, Disaster recovery). etcdctl says: $said"',
      "  exit 1",
      "fi",
      "# ID, and whether it has ever started",
      "list=$(etcdctl member list)",
      `id=$(echo "$list" | awk -F ', ' '$4 == "${url}" { print $1 }')`,
      `started=$(echo "$list" | awk -F ', ' '$4 == "${url}" && $3 != "" { print "yes" }')`,
      `if [ -d ${data}/member ] && [ -z "$id" ]; then`,
      "  # it was a member once: what it knew is of no use to the quorum, and not ours to delete",
      `  mv ${data} ${data}.removed-$(date +%s)`,
      `  install -d -m 0700 -o etcd -g etcd ${data}`,
      `elif [ ! -d ${data}/member ] && [ -n "$started" ]; then`,
      "  # a member that comes back with an empty disk is another one",
      '  etcdctl member remove "$id"',
      "  id=",
      "fi",
      "remove_lost() { # members that do not answer, and that the program does not name any more",
      "  etcdctl member list | awk -F ', ' '{ print $1, $4, $5 }' | while read -r lost peer client; do",
      `    case " ${urls} " in *" $peer "*) continue ;; esac`,
      "    ETCDCTL_ENDPOINTS=$client etcdctl --command-timeout=3s endpoint health >/dev/null 2>&1 ||",
      '      etcdctl member remove "$lost"',
      "  done",
      "}",
      "# etcd takes the next member only when all others have been connected for some seconds",
      "tries=0",
      `while [ -z "$id" ] && ! said=$(etcdctl member add ${member.name} --peer-urls=${url} 2>&1); do`,
      "  tries=$((tries + 1))",
      '  case $said in *"unhealthy cluster"*) [ $tries -lt 30 ] ;; *) false ;; esac || { echo "$said"; exit 1; }',
      "  [ $tries -ne 15 ] || remove_lost",
      "  sleep 1",
      "done",
      `write existing "$(etcdctl member list | awk -F ', ' -v me=${member.name} -v url=${url} \\`,
      `  '{ printf "%s%s=%s", (NR > 1 ? "," : ""), ($4 == url ? me : $3), $4 }')"`,
    ),
  };
}

/** The unit `etcd-access`, on one member: who belongs to the quorum, and who may ask it. */
export function renderAccess(config: EtcdConfig): string {
  const urls = config.members.map(peerUrl).sort().join(" ");
  return unitText(
    ensure("no other members", {
      check: script(
        "found=$(etcdctl member list | awk -F ', ' '{ print $4 }' | sort | xargs)",
        `[ "$found" = "${urls}" ] || { echo "they are: $found"; exit 1; }`,
      ),
      fix: script(
        "for id in $(etcdctl member list | awk -F ', ' '{ print $1 }'); do",
        `  url=$(etcdctl member list | awk -F ', ' -v id="$id" '$1 == id { print $4 }')`,
        `  case " ${urls} " in *" $url "*) continue ;; esac`,
        '  etcdctl --command-timeout=30s member remove "$id"',
        "  # it may have been the leader: the next one goes only when there is another",
        "  tries=0",
        "  until etcdctl --command-timeout=3s get / --limit=1 >/dev/null 2>&1; do",
        "    tries=$((tries + 1))",
        '    [ $tries -lt 20 ] || { echo "the quorum does not answer after a member was removed"; exit 1; }',
        "    sleep 0.5",
        "  done",
        "done",
      ),
      timeout: 180,
    }),
    comment("root has no password: it is whoever holds the certificate with this common name"),
    ensure("user root", {
      check: script("etcdctl user get root >/dev/null 2>&1 || { echo missing; exit 1; }"),
      fix: script("etcdctl user add root --no-password"),
    }),
    ensure("user root has role root", {
      check: script(
        "etcdctl user get root 2>&1 | grep -qx 'Roles:.* root\\( .*\\)\\?' || { echo 'it has not'; exit 1; }",
      ),
      fix: script("etcdctl role add root >/dev/null 2>&1 || true", "etcdctl user grant-role root root"),
    }),
    ensure("authentication is on", {
      check: script(
        "# without a certificate's name or a password nothing may be read",
        "out=$(ETCDCTL_CERT=$TLS/server.crt ETCDCTL_KEY=$TLS/server.key etcdctl get / --limit=1 2>&1) && { echo off; exit 1; }",
        'case $out in *"user name is empty"*|*"permission denied"*|*"user name not found"*) ;; *) echo "$out"; exit 1;; esac',
      ),
      fix: script("etcdctl auth enable"),
    }),
  );
}
