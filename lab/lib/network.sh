# The lab's network: a bridge in a network namespace without any way out. A process called the keeper holds that
# namespace together with a mount namespace, in which all of the lab's mounts are made: nothing of them is ever
# visible on the machine, and the kernel drops them when the keeper and the hosts are gone, however they ended.
# shellcheck shell=bash

readonly BRIDGE=labbr0
readonly CONTROLLER_ADDRESS=192.168.1.1
readonly NETNS=/run/netns/$LAB_ID

keeper_pid() {
  local pid
  pid=$(cat "$STATE_DIR/keeper.pid" 2>/dev/null) || return 1
  # the process id may have been taken by a stranger since
  [[ -e $NETNS && /proc/$pid/ns/net -ef $NETNS ]] || return 1
  printf '%s\n' "$pid"
}

lab_is_up() { [[ -f $STATE_DIR/up ]] && keeper_pid >/dev/null; }

require_lab() {
  lab_is_up || die "no lab is running in $STATE_DIR; start one: $0 up dev"
}

# in_lab COMMAND…: in the lab's namespaces, in the same directory as here.
in_lab() {
  local pid
  pid=$(keeper_pid) || die "the lab of $STATE_DIR is gone"
  nsenter --target "$pid" --net --mount --wdns="$PWD" -- "$@"
}

network_up() {
  local tries
  write_hosts_file >"$STATE_DIR/hosts"
  mkdir -p /run/netns
  : >"$NETNS"
  unshare --net="$NETNS" true
  detached "$STATE_DIR/log/keeper.log" \
    nsenter --net="$NETNS" unshare --mount --propagation slave bash "$LAB_DIR/lab" _keeper
  for ((tries = 0; tries < 100; tries++)); do
    if keeper_pid >/dev/null; then
      return
    fi
    sleep 0.05
  done
  die "the lab's network does not come up: $(tail -n 5 "$STATE_DIR/log/keeper.log")"
}

# Runs in both new namespaces, and stays.
keeper() {
  cgroup_enter lab
  mount --bind "$STATE_DIR/hosts" /etc/hosts
  # nspawn keeps state by machine name there, which two labs share
  mkdir -p /run/systemd/nspawn
  mount -t tmpfs -o mode=755 lab-nspawn /run/systemd/nspawn
  echo 0 >/proc/sys/net/ipv4/ip_forward # may be inherited from the machine
  ip link set lo up
  ip link add $BRIDGE type bridge forward_delay 0 stp_state 0
  ip address add $CONTROLLER_ADDRESS/24 dev $BRIDGE
  ip link set $BRIDGE up
  partition_rules | nft -f -
  echo $BASHPID >"$STATE_DIR/keeper.pid.new"
  mv "$STATE_DIR/keeper.pid.new" "$STATE_DIR/keeper.pid"
  exec -a "$LAB_ID-keeper" sleep infinity
}

write_hosts_file() {
  local name address rest
  echo "127.0.0.1 localhost"
  echo "::1 localhost ip6-localhost ip6-loopback"
  echo "$CONTROLLER_ADDRESS controller controller.lab mirror.lab"
  while IFS=$'\t' read -r name address rest; do
    echo "$address $name $name.lab"
  done <"$STATE_DIR/topology.tsv"
}

network_down() {
  if [[ -e $NETNS ]]; then
    umount "$NETNS" 2>/dev/null || true # a killed `up` may have got no further than the empty file
    rm "$NETNS"
    rmdir --ignore-fail-on-non-empty /run/netns
  fi
}

# Programs in the lab's network that are none of its own: a shell or a test that `exec` started.
lab_clients() {
  local process
  for process in /proc/[0-9]*; do
    if [[ $process/ns/net -ef $NETNS ]]; then
      printf '%s\n' "${process##*/}"
    fi
  done
}
