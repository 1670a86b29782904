# The commands of lab/lab: arguments and help. What they do is in the other files.
# shellcheck shell=bash

help_overview() {
  cat <<HELP
A small data centre of real Debian hosts on this machine, for development and tests.

usage: lab/lab COMMAND [ARGUMENTS]        lab/lab COMMAND --help

  up TOPOLOGY              build what is missing, start the hosts: $(topologies | paste -sd' ')
  down                     throw the lab away
  status                   hosts, their state, faults in force
  ssh HOST [COMMAND]       log in to a host as root
  exec -- COMMAND          run a command of this machine in the lab's network

  faults:
  power-off HOST           as by pulling the plug
  power-on HOST
  reboot HOST
  rebuild HOST             a new machine with an empty disk under the same name and address
  freeze HOST [UNIT]       every process stands still
  thaw HOST [UNIT]
  partition HOST HOST      the two no longer reach each other
  isolate HOST             no other host reaches this one
  heal                     end all partitions and isolations
  fill-disk HOST           to the last byte

What is costly to build is kept in $CACHE_DIR (HASTACK_CACHE),
the running lab's files are in $STATE_DIR (HASTACK_LAB_STATE).
HELP
}

help_up() {
  cat <<HELP
usage: lab/lab up TOPOLOGY

Starts the hosts of a topology, fresh, and returns when every one of them lets a user log in.
Images and package mirror are built first where they are missing (about two minutes, once).
A lab of the same topology that is running already is left as it is.

TOPOLOGY is the name of a file in lab/topologies, or the path of such a file:
$(local file; for file in "$LAB_DIR"/topologies/*.json; do printf '  %-10s %s\n' "$(basename "$file" .json)" "$(jq -r .description "$file" 2>/dev/null)"; done)

examples:
  lab/lab up dev
  lab/lab up ./three-small-hosts.json
  HASTACK_LAB_STATE=/tmp/other lab/lab up single      a second lab beside the first
HELP
}

cmd_up() {
  local name
  (($# == 1)) || die_usage "up needs one TOPOLOGY; there are: $(topologies | paste -sd' ')"
  topology_file "$1" >/dev/null
  name=$(basename "$1" .json)
  with_lock "$LAB_LOCK" lab_up "$name" "$(topology_file "$1")"
}

help_down() {
  cat <<HELP
usage: lab/lab down

Throws the lab away: hosts, their disks, the network. Whatever 'exec' left running in the lab's network is ended.
Works after any crash, and does nothing where no lab is.
The cache, the SSH key, logs and Pulumi's state are kept.
HELP
}

cmd_down() {
  (($# == 0)) || die_usage "down takes no arguments; got '$*'"
  [[ ! /proc/self/ns/net -ef $NETNS ]] || die "'down' was called from inside the lab's network; call it outside of 'exec'"
  with_lock "$LAB_LOCK" lab_down
}

help_status() {
  cat <<HELP
usage: lab/lab status [--json]

Hosts with their state (on, frozen, off), the use of their data disks, and the partitions in force.
Exit code 3 when no lab is running.

example:
  lab/lab status --json | jq -r '.hosts[] | select(.state == "off").name'
HELP
}

cmd_status() {
  local format=${1-} status
  if (($# > 1)) || [[ -n $format && $format != --json ]]; then
    die_usage "status takes only --json; got '$*'"
  fi
  if ! lab_is_up; then
    warn "no lab is running in $STATE_DIR; start one: $0 up dev"
    exit 3
  fi
  status=$(lab_status)
  if [[ $format == --json ]]; then
    jq . <<<"$status"
    return
  fi
  say "lab '$(lab_topology)', network namespace $LAB_ID"
  jq -r '.hosts[] | "  \(.name)\t\(.address)\t\(.release)\t\(.state)\t\(.dataDisk.mount) \(.dataDisk.usedMb) of \(.dataDisk.sizeMb) MB"' \
    <<<"$status" | column -t -s $'\t'
  jq -r '(.faults.cut[] | "  \(join(" and ")) do not reach each other"), (.faults.isolated[] | "  \(.) is isolated")' <<<"$status"
}

help_ssh() {
  cat <<HELP
usage: lab/lab ssh [USER@]HOST [COMMAND…]

Logs in to a host (as root, or as deploy, who may use sudo), or runs a command there. Exit code of the command.

examples:
  lab/lab ssh psql1
  lab/lab ssh psql1 journalctl -u patroni -n 50
  lab/lab ssh deploy@psql1 sudo -n id
HELP
}

cmd_ssh() {
  local user=root host=${1-}
  (($# > 0)) || die_usage "ssh needs a HOST"
  shift
  if [[ $host == *@* ]]; then
    user=${host%%@*}
    host=${host#*@}
  fi
  require_lab
  check_host "$host"
  in_lab "${LAB_SSH[@]}" "$user@$host" "$@"
}

help_exec() {
  cat <<HELP
usage: lab/lab exec -- COMMAND [ARGUMENTS]

Runs a command of this machine in the lab's network, where the hosts can be reached by name and nothing else can.
Pulumi is on the path and keeps its state in $STATE_DIR. Exit code, input and output are the command's.

examples:
  lab/lab exec -- pulumi preview --stack dev
  lab/lab exec -- psql 'host=psql1,psql2,psql3 user=postgres target_session_attrs=read-write'
  lab/lab exec -- bash
HELP
}

cmd_exec() {
  local pid key value
  if [[ ${1-} == -- ]]; then
    shift
  fi
  (($# > 0)) || die_usage "exec needs a command: $0 exec -- COMMAND"
  require_lab
  pid=$(keeper_pid)
  if [[ -f $STATE_DIR/toolchain.env ]]; then
    while IFS='=' read -r key value; do
      case $key in
        PATH_PREPEND) PATH=$value:$PATH ;;
        PULUMI_HOME) export PULUMI_HOME=$value ;;
      esac
    done <"$STATE_DIR/toolchain.env"
  fi
  mkdir -p "$STATE_DIR/pulumi-state"
  export HASTACK_LAB=$STATE_DIR HASTACK_LAB_NETNS=$LAB_ID
  export PULUMI_BACKEND_URL=file://$STATE_DIR/pulumi-state PULUMI_CONFIG_PASSPHRASE=lab
  export PULUMI_SKIP_UPDATE_CHECK=1 PULUMI_NODEJS_TRANSPILE_ONLY=true
  # An agent's keys, or a proxy, would be tried first and open nothing here
  unset SSH_AUTH_SOCK http_proxy https_proxy all_proxy HTTP_PROXY HTTPS_PROXY ALL_PROXY
  exec nsenter --target "$pid" --net --mount --wdns="$PWD" -- "$@"
}

help_power_off() {
  cat <<HELP
usage: lab/lab power-off HOST

As by pulling the plug: the network cable first, so that no connection is closed, then every process at once.
The disks keep what was written. 'power-on' starts the host again.
HELP
}

cmd_power_off() {
  one_host power-off "$@"
  with_lock "$LAB_LOCK" host_power_off "$1"
  say "$1 is off"
}

help_power_on() {
  cat <<HELP
usage: lab/lab power-on HOST

Starts a host that is off, with the disks it had, and returns when a user can log in.
HELP
}

cmd_power_on() {
  one_host power-on "$@"
  with_lock "$LAB_LOCK" host_power_on "$1"
  say_when_up "$1"
}

help_reboot() {
  cat <<HELP
usage: lab/lab reboot HOST

An orderly reboot: services are stopped. Returns when a user can log in again.
HELP
}

cmd_reboot() {
  one_host reboot "$@"
  host_reboot "$1"
  say_when_up "$1"
}

help_rebuild() {
  cat <<HELP
usage: lab/lab rebuild HOST

Puts a new machine in the host's place: empty disks, a new host key (in $STATE_DIR/ssh/known_hosts),
the same name and address. What was on the old one is lost. Returns when a user can log in.
HELP
}

cmd_rebuild() {
  one_host rebuild "$@"
  with_lock "$LAB_LOCK" host_rebuild "$1"
  say_when_up "$1"
}

help_freeze() {
  cat <<HELP
usage: lab/lab freeze HOST [UNIT | --process PATTERN]

Every process of the host stands still, as on a machine whose hypervisor stalls: its connections stay open and nothing
answers. With UNIT only the processes of that systemd unit, with --process those whose command line matches a regular
expression. 'thaw' with the same arguments ends it.

examples:
  lab/lab freeze psql1
  lab/lab freeze psql1 patroni
  lab/lab freeze psql1 --process 'postgres: .*walsender'
HELP
}

cmd_freeze() { freeze_or_thaw freeze 1 SIGSTOP frozen "$@"; }

help_thaw() {
  cat <<HELP
usage: lab/lab thaw HOST [UNIT | --process PATTERN]

Ends what 'freeze' with the same arguments began.
HELP
}

cmd_thaw() { freeze_or_thaw thaw 0 SIGCONT thawed "$@"; }

freeze_or_thaw() {
  local command=$1 frozen=$2 signal=$3 verb=$4
  shift 4
  if (($# == 3)) && [[ $2 == --process ]]; then
    one_host "$command" "$1"
    with_lock "$LAB_LOCK" host_signal "$1" "$signal" "$3"
    say "processes '$3' on $1: $verb"
    return
  fi
  if (($# < 1 || $# > 2)) || [[ ${2-} == -* ]]; then
    die_usage "$command needs HOST [UNIT | --process PATTERN]; got '$*'"
  fi
  one_host "$command" "$1"
  with_lock "$LAB_LOCK" host_freeze "$1" "$frozen" "${2-}"
  say "$1${2:+, unit $2}: $verb"
}

help_partition() {
  cat <<HELP
usage: lab/lab partition HOST HOST

The two hosts no longer reach each other; both still reach all others, and the controller reaches both.
Adds up with other partitions; 'heal' ends all of them.
HELP
}

cmd_partition() {
  (($# == 2)) || die_usage "partition needs two hosts; got '$*'"
  require_lab
  check_host "$1"
  check_host "$2"
  [[ $1 != "$2" ]] || die_usage "partition needs two different hosts; got '$1' twice"
  network_partition "$1" "$2"
  say "$1 and $2 no longer reach each other"
}

help_isolate() {
  cat <<HELP
usage: lab/lab isolate HOST

No other host reaches this one, nor the other way round; the controller still does. 'heal' ends it.
HELP
}

cmd_isolate() {
  one_host isolate "$@"
  network_isolate "$1"
  say "no other host reaches $1 any more"
}

help_heal() {
  cat <<HELP
usage: lab/lab heal

Ends all partitions and isolations.
HELP
}

cmd_heal() {
  (($# == 0)) || die_usage "heal takes no arguments; it ends all partitions; got '$*'"
  require_lab
  network_heal
  say "all hosts reach each other"
}

help_fill_disk() {
  cat <<HELP
usage: lab/lab fill-disk HOST [--free]

Fills the host's data disk (see 'status' for where it is mounted) to the last byte. --free takes the filling away.
HELP
}

cmd_fill_disk() {
  if (($# == 2)) && [[ $2 == --free ]]; then
    one_host fill-disk "$1"
    host_free_disk "$1"
    say "the data disk of $1 has room again"
  else
    one_host fill-disk "$@"
    host_fill_disk "$1"
    say "the data disk of $1 is full"
  fi
}

# say_when_up HOST: once a user can log in to it.
say_when_up() {
  local started=$EPOCHREALTIME
  in_lab bash "$LAB_DIR/lab" _wait "$1"
  say "$1 is on after $(seconds_since "$started") s"
}

# one_host COMMAND ARGUMENTS…: there is exactly one, and it names a host of the running lab.
one_host() {
  (($# == 2)) || die_usage "$1 needs one HOST; got '${*:2}'"
  require_lab
  check_host "$2"
}
