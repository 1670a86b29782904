# What goes wrong in a data centre, on request. Each of these needs a running lab and checked host names.
# shellcheck shell=bash

# No goodbye on the network and no last write: the cable is pulled first, then everything is killed at once.
host_power_off() {
  local name=$1 tries
  host_is_on "$name" || die "$name is off already"
  in_lab ip link set "vb-$name" down 2>/dev/null || true # a host in the middle of booting may have no cable yet
  cgroup_kill "hosts/$name"
  for ((tries = 0; tries < 100; tries++)); do
    host_is_on "$name" || return 0
    sleep 0.05
  done
  warn "the supervisor of $name is gone; clearing up for it"
  in_lab ip link delete "vb-$name" 2>/dev/null || true
  in_lab umount "$(machine_dir "$name")/root" 2>/dev/null || true
  cgroup_remove "hosts/$name"
}

host_power_on() {
  ! host_is_on "$1" || die "$1 is on already"
  host_start "$1"
}

# host_reboot NAME: what `systemctl reboot` does, but asked from outside, so it needs no working login.
host_reboot() {
  local name=$1 init boots tries
  require_on "$name"
  ! host_is_frozen "$name" || die "$name is frozen and cannot shut down; first: $0 thaw $name"
  init=$(host_init "$name") || die "$name is not far enough in its boot to be rebooted; try again in a second"
  boots=$(host_boots "$name")
  kill -s RTMIN+5 "$init" # reboot.target, see systemd(1)
  for ((tries = 0; tries < 1000; tries++)); do
    (($(host_boots "$name") == boots)) || return 0
    sleep 0.1
  done
  die "$name does not go down within 100 s; its console is in $(host_log "$name")"
}

# host_rebuild NAME: the same name and address on a new machine.
host_rebuild() {
  local name=$1
  if host_is_on "$name"; then
    host_power_off "$name"
  fi
  in_lab umount "$(machine_dir "$name")/disk"
  host_new "$name"
  write_known_hosts
  host_start "$name"
}

host_is_frozen() { grep -qsx 1 "$(cgroup_dir "hosts/$1")/cgroup.freeze"; }

# host_freeze NAME 1|0 [UNIT]: every process of the host, or of one systemd unit in it, stands still, as a machine
# does that swaps or whose hypervisor stalls: the network stays up and nothing answers.
host_freeze() {
  local name=$1 frozen=$2 unit=${3-} group tries
  require_on "$name"
  group=$(cgroup_dir "hosts/$name")
  if [[ -n $unit ]]; then
    [[ $unit == *.* ]] || unit+=.service
    # Other units come and go meanwhile, which find(1) takes for an error.
    group=$(find "$group" -ignore_readdir_race -type d -name "$unit" -print -quit 2>/dev/null || true)
    [[ -n $group ]] || die "no unit '$unit' is running on $name; see: $0 ssh $name systemctl status"
  fi
  echo "$frozen" >"$group/cgroup.freeze"
  # The kernel does it a moment later, one process after the other.
  for ((tries = 0; tries < 200; tries++)); do
    ! grep -qsx "frozen $frozen" "$group/cgroup.events" || return 0
    sleep 0.05
  done
  die "not every process of $name${unit:+ in $unit} obeys within 10 s; see: cat $group/cgroup.events"
}

# host_signal NAME SIGNAL PATTERN: to the processes of that host whose command line matches.
host_signal() {
  local name=$1 signal=$2 pattern=$3 init
  require_on "$name"
  init=$(host_init "$name") || die "$name is still booting; try again in a second"
  # In the guest's process namespace and with its /proc, so that nothing else can match
  nsenter --target "$init" --pid --mount -- python3 - "$signal" "$pattern" <<'PYTHON' ||
import os, re, signal, sys
number, pattern, found = getattr(signal, sys.argv[1]), re.compile(sys.argv[2]), 0
for pid in filter(str.isdigit, os.listdir("/proc")):
    try:
        with open(f"/proc/{pid}/cmdline", "rb") as file:
            command = file.read().replace(b"\0", b" ").decode(errors="replace")
        if int(pid) not in (1, os.getpid()) and pattern.search(command):
            os.kill(int(pid), number)
            found += 1
    except OSError:
        pass  # it has ended meanwhile
sys.exit(0 if found else 1)
PYTHON
    die "no process on $name matches '$pattern'"
}

require_on() {
  host_is_on "$1" || die "$1 is off; first: $0 power-on $1"
}

# Partitions: rules on what the bridge forwards from one cable to another. What the controller itself sends and gets
# is not forwarded, so it still reaches every host.

partition_rules() {
  cat <<'EOF_RULES'
table bridge faults {
  set cut { type ifname . ifname; }
  set isolated { type ifname; }
  chain forward {
    type filter hook forward priority 0;
    iifname . oifname @cut drop
    iifname @isolated drop
    oifname @isolated drop
  }
}
EOF_RULES
}

network_partition() {
  in_lab nft add element bridge faults cut "{ vb-$1 . vb-$2, vb-$2 . vb-$1 }"
}

network_isolate() {
  in_lab nft add element bridge faults isolated "{ vb-$1 }"
}

network_heal() {
  in_lab nft "flush set bridge faults cut; flush set bridge faults isolated"
}

# The elements of both sets, as JSON: {cut: [[A, B], …], isolated: [A, …]}
network_faults() {
  in_lab nft --json list table bridge faults | jq -c '
    def host: ltrimstr("vb-");
    [.nftables[].set | objects | {key: .name, value: (.elem // [])}] | from_entries
    | { cut: [.cut[].concat | map(host) | select(.[0] < .[1])], isolated: [.isolated[] | host] }'
}

# host_fill_disk NAME: to the last byte, wherever the host itself has got to.
host_fill_disk() {
  local disk free
  disk=$(machine_dir "$1")/disk
  in_lab dd if=/dev/zero of="$disk/.lab-fill" bs=4k oflag=append conv=notrunc status=none 2>/dev/null || true # ends when full
  free=$(in_lab df --output=avail "$disk" | tail -n 1)
  ((free == 0)) || die "the data disk of $1 could not be filled: $free kB are free"
}

host_free_disk() {
  in_lab rm -f "$(machine_dir "$1")/disk/.lab-fill"
}
