# A lab as a whole: up, down, and what state it is in.
# shellcheck shell=bash disable=SC2034 # some variables are for the other files

readonly LAB_LOCK=$STATE_DIR/lab.lock
readonly NEEDED_PROGRAMS=(systemd-nspawn debootstrap nft ip jq gpg dpkg-scanpackages ssh ssh-keygen python3 flock unshare)

# lab_up TOPOLOGY FILE
lab_up() {
  local started=$EPOCHREALTIME topology=$1 file=$2 program
  if lab_is_up; then
    if [[ $(lab_topology) == "$topology" ]]; then
      say "lab '$topology' is running already"
      return
    fi
    die "lab '$(lab_topology)' is running here; end it first ($0 down), or use another state directory (HASTACK_LAB_STATE) for '$topology'"
  fi
  for program in "${NEEDED_PROGRAMS[@]}"; do
    type -P "$program" >/dev/null || die "this machine has no '$program'; install what the lab needs: $LAB_DIR/setup"
  done
  if lab_leftovers; then
    say "== an earlier lab was not ended properly: clearing it"
    lab_clear
  fi
  trap lab_clear EXIT # of an up that fails, or is interrupted, nothing stays but its logs
  lab_prepare "$topology" "$file"
  network_up
  mirror_serve
  lab_boot
  mirror_check
  lab_install "$file"
  : >"$STATE_DIR/up"
  trap - EXIT
  say "lab '$topology' is up after $(seconds_since "$started") s: $(lab_hosts | paste -sd' ')"
}

# A build that an interrupted `up` leaves behind is ended by `down`, which must not have to wait for it.
before_step() {
  local fd=${LOCK_FD[$LAB_LOCK]}
  exec {fd}>&-
  cgroup_enter build
}

# Each host's systemd takes 7 inotify instances of the 128 that Linux allows root by default.
raise_inotify_limit() {
  local file=/proc/sys/fs/inotify/max_user_instances
  if (($(<$file) < 1024)); then
    say "== raising fs.inotify.max_user_instances of this machine from $(<$file) to 1024, for several labs at once"
    echo 1024 >$file
  fi
}

# lab_prepare TOPOLOGY FILE: everything that needs no running host.
lab_prepare() {
  local topology=$1 file=$2 hosts release name
  hosts=$(topology_hosts "$file")
  mkdir -p "$STATE_DIR"/{apt,images,log,machines,ssh,www}
  printf '%s\n' "$hosts" >"$STATE_DIR/topology.tsv"
  printf '%s\n' "$topology" >"$STATE_DIR/topology.name"
  rm -f "$STATE_DIR"/log/*
  raise_inotify_limit
  for release in $(lab_releases); do
    image_ensure "$release"
    mirror_ensure "$release"
    ln -sfnT "$(image_path "$release")" "$STATE_DIR/images/$release"
    ln -sfnT "$(mirror_path "$release")" "$STATE_DIR/www/$release"
  done
  cp "$CACHE_DIR"/mirror/archive-keyring.{asc,gpg} "$STATE_DIR/apt/"
  [[ -f $STATE_DIR/ssh/id_ed25519 ]] || ssh-keygen -q -t ed25519 -N '' -C hastack-lab -f "$STATE_DIR/ssh/id_ed25519"
  for name in $(lab_hosts); do
    host_new "$name"
  done
  write_known_hosts
}

lab_boot() {
  local started=$EPOCHREALTIME name waits=() pid
  printf '== boot:'
  for name in $(lab_hosts); do
    host_start "$name"
    (
      close_descriptors
      in_lab bash "$LAB_DIR/lab" _wait "$name"
      printf ' %s' "$name"
    ) &
    waits+=($!)
  done
  for pid in "${waits[@]}"; do
    wait "$pid" || die "not every host has come up; the consoles are in $STATE_DIR/log"
  done
  say " … $(seconds_since "$started") s"
}

# lab_install FILE: what a topology puts on hosts that nobody else sets up, e.g. those that stand for systems outside.
lab_install() {
  local name package installs=() pid
  while IFS=$'\t' read -r name package; do
    mirror_install "$name" "$package" >"$STATE_DIR/log/$name-$package.log" 2>&1 &
    installs+=($!)
  done < <(topology_packages "$1")
  for pid in "${installs[@]}"; do
    wait "$pid" || die "a package of the topology could not be installed; see $STATE_DIR/log"
  done
}

lab_down() {
  local started=$EPOCHREALTIME
  if ! lab_leftovers; then
    say "no lab is running in $STATE_DIR"
    return
  fi
  lab_clear
  say "lab is down after $(seconds_since "$started") s"
}

# Whether anything of a lab is there, however little.
lab_leftovers() {
  local tree
  for tree in "${CGROUP_TREES[@]}"; do
    if [[ -d $tree/$LAB_ID ]]; then
      return 0
    fi
  done
  [[ -e $NETNS || -e $STATE_DIR/machines || -e $STATE_DIR/hosts ]]
}

# Needs no file of the state directory: everything is found by the lab's id, so that it works after any crash.
# The hosts are thrown away, so there is nothing to shut down in an orderly way.
lab_clear() {
  rm -f "$STATE_DIR/up"
  cgroup_kill ""
  end_clients
  cgroup_kill "" # a supervisor may have been on its way into the group
  network_down
  cgroup_remove ""
  rm -rf "$STATE_DIR"/{images,www,hosts,topology.tsv,topology.name,keeper.pid,ssh/known_hosts}
  discard_disks
}

# Where the file system tells its disk of every freed extent (mount option `discard`), deleting the ten thousand files
# of a host with a database takes 8 s. So what is not gone soon is left to a process of its own.
discard_disks() {
  local trash=$STATE_DIR/trash pid tries
  mkdir -p "$trash"
  if [[ -d $STATE_DIR/machines ]]; then
    mv "$STATE_DIR/machines" "$(mktemp -d "$trash/XXXXXX")"
  fi
  detached /dev/null rm -rf --one-file-system "$trash"
  pid=$!
  for ((tries = 0; tries < 30; tries++)); do
    [[ -d /proc/$pid ]] || return 0
    sleep 0.1
  done
  say "== the hosts' disks, in $trash, are still being deleted in the background"
}

# What `exec` has started and is still there.
end_clients() {
  local pids tries
  [[ -e $NETNS ]] || return 0
  for ((tries = 0; tries < 60; tries++)); do
    mapfile -t pids < <(lab_clients)
    ((${#pids[@]} > 0)) || return 0
    if ((tries == 0)); then
      say "== ending what runs in the lab's network: $(ps -o pid=,comm= -p "${pids[*]}" | xargs)"
      kill -TERM "${pids[@]}" 2>/dev/null || true
    elif ((tries >= 20)); then
      kill -KILL "${pids[@]}" 2>/dev/null || true
    fi
    sleep 0.1
  done
  die "processes in the lab's network do not end: ${pids[*]}"
}

# lab_status: as JSON.
lab_status() {
  local name address release mount size state used
  while IFS=$'\t' read -r name address release mount size; do
    state=on
    if ! host_is_on "$name"; then
      state=off
    elif host_is_frozen "$name"; then
      state=frozen
    fi
    used=$(in_lab df --block-size=1M --output=used "$(machine_dir "$name")/disk" | tail -n 1)
    printf '%s\t' "$name" "$address" "$release" "$state" "$mount" "$size"
    printf '%d\n' "$used"
  done <"$STATE_DIR/topology.tsv" |
    jq --raw-input --null-input --arg topology "$(lab_topology)" --arg netns "$LAB_ID" --arg state "$STATE_DIR" \
      --argjson faults "$(network_faults)" '
      [inputs / "\t" | {name: .[0], address: .[1], release: .[2], state: .[3],
        dataDisk: {mount: .[4], sizeMb: (.[5] | tonumber), usedMb: (.[6] | tonumber)}}] as $hosts
      | {$topology, $state, $netns, $hosts, $faults}'
}
