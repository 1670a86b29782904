# Control groups: one for each host, so that a whole host can be killed or frozen at once, and one for the
# programs of the lab itself. Works on a machine with cgroup v2 only and on a hybrid one (v2 beside v1).
# shellcheck shell=bash

if [[ $(stat -fc %T /sys/fs/cgroup 2>/dev/null) == cgroup2fs ]]; then
  CGROUP_V2=/sys/fs/cgroup
  CGROUP_TREES=("$CGROUP_V2")
elif [[ -f /sys/fs/cgroup/unified/cgroup.procs ]]; then
  CGROUP_V2=/sys/fs/cgroup/unified
  CGROUP_TREES=("$CGROUP_V2" /sys/fs/cgroup/systemd) # a guest's systemd wants to own a subtree of both
else
  die "no cgroup v2 tree at /sys/fs/cgroup or /sys/fs/cgroup/unified; the lab needs it to stop whole hosts"
fi

cgroup_dir() { printf '%s\n' "$CGROUP_V2/$LAB_ID/$1"; }
cgroup_exists() { [[ -d $CGROUP_V2/$LAB_ID/$1 ]]; }
cgroup_populated() { grep -qs 'populated 1' "$CGROUP_V2/$LAB_ID/$1/cgroup.events"; }

# cgroup_enter NAME: moves the calling shell, and so what it starts.
cgroup_enter() {
  local tree
  for tree in "${CGROUP_TREES[@]}"; do
    mkdir -p "$tree/$LAB_ID/$1"
    echo "$BASHPID" >"$tree/$LAB_ID/$1/cgroup.procs"
  done
}

# cgroup_kill NAME: SIGKILL to everything below, at one moment. NAME may be empty: the whole lab.
cgroup_kill() {
  local dir tries
  dir=$(cgroup_dir "$1")
  [[ -d $dir ]] || return 0
  echo 1 >"$dir/cgroup.kill"
  for ((tries = 0; tries < 100; tries++)); do
    cgroup_populated "$1" || return 0
    sleep 0.05
  done
  die "processes of the lab do not end, in $dir: $(find "$dir" -name cgroup.procs -exec cat {} + | paste -sd' ')"
}

# cgroup_clear NAME: removes all groups below. Leftovers would make the next boot's early units fail.
cgroup_clear() {
  local tree
  for tree in "${CGROUP_TREES[@]}"; do
    if [[ -d $tree/$LAB_ID/$1 ]]; then
      find "$tree/$LAB_ID/$1" -mindepth 1 -depth -type d -exec rmdir {} +
    fi
  done
}

cgroup_remove() {
  local tree
  cgroup_clear "$1"
  for tree in "${CGROUP_TREES[@]}"; do
    if [[ -d $tree/$LAB_ID/$1 ]]; then
      rmdir "$tree/$LAB_ID/$1"
    fi
  done
}
