# Paths, messages, steps with their duration, locks, the cache. Sourced by lab/lab and lab/setup, with LAB_DIR set.
# shellcheck shell=bash disable=SC2034 # some variables are for the other files

REPO_DIR=${LAB_DIR%/*}

# Everything costly to build, shared by all clones on this machine. May be empty at any time.
CACHE_DIR=${HASTACK_CACHE:-${XDG_CACHE_HOME:-${HOME:-/root}/.cache}/hastack}

# Everything that belongs to one running lab.
STATE_DIR=$(readlink -m -- "${HASTACK_LAB_STATE:-$REPO_DIR/.lab}")

# Names of namespaces and cgroups carry it, so that the labs of two clones never meet.
state_hash=$(printf %s "$STATE_DIR" | sha256sum)
LAB_ID=hastack-${state_hash:0:8}
unset state_hash

say() { printf '%s\n' "$*"; }
warn() { printf '%s: %s\n' "${0##*/}" "$*" >&2; }

# die MESSAGE: what is wrong, with which value, and what cures it.
die() {
  warn "error: $*"
  exit 1
}

# Exit code 2 is for a command line that cannot be understood.
die_usage() {
  warn "error: $*"
  exit 2
}

require_root() {
  ((EUID == 0)) || die "needs root, to make namespaces and mounts; run it as root: sudo -E $0 …"
}

# Seconds with one decimal between a time stamp ($EPOCHREALTIME) and now.
seconds_since() {
  local us=$((${EPOCHREALTIME/./} - ${1/./}))
  printf '%d.%d' $((us / 1000000)) $((us % 1000000 / 100000))
}

# step TITLE COMMAND…: runs COMMAND (a function or a program) with its output in a log file, and prints
# "== TITLE … 12.3 s"; on a terminal also, meanwhile, the last line of that output. When COMMAND fails: the end of the
# log and where the rest is. Never call it in a condition (if, ||, &&): bash would ignore `set -e` in COMMAND.
step() {
  local title=$1 started=$EPOCHREALTIME status log ticker
  shift
  mkdir -p "$CACHE_DIR/log"
  log=${title%%:*}
  log=$CACHE_DIR/log/${log//[^a-zA-Z0-9.]/-}.log
  : >"$log"
  printf '== %s … ' "$title"
  if [[ -t 1 ]]; then
    step_ticker "$title" "$log" &
    ticker=$!
  fi
  set +e
  (
    set -e
    before_step
    "$@"
  ) >>"$log" 2>&1 </dev/null
  status=$?
  set -e
  if [[ -n ${ticker-} ]]; then
    kill "$ticker"
    wait "$ticker" 2>/dev/null || true
    printf '\r\e[K== %s … ' "$title"
  fi
  if ((status == 0)); then
    say "$(seconds_since "$started") s"
    return
  fi
  say "failed after $(seconds_since "$started") s"
  tail -n 20 "$log" | sed 's/^/   | /' >&2
  die "step '$title' failed with exit code $status; all of its output is in $log"
}

# What a step's process does first; lifecycle.sh has more to say.
before_step() { :; }

step_ticker() {
  local title=$1 log=$2 started=$SECONDS
  while sleep 1 && kill -0 $$ 2>/dev/null; do
    printf '\r\e[K== %s … %d s  %.70s' "$title" $((SECONDS - started)) "$(tail -n 1 "$log")"
  done
}

step_ready() { say "== $1 … ready"; }

declare -A LOCK_FD # by file, of the locks that are held

# with_lock FILE COMMAND…: COMMAND runs while nobody else holds FILE. The lock lasts as long as any process that has
# inherited the descriptor.
with_lock() {
  local file=$1 fd
  shift
  mkdir -p "${file%/*}"
  exec {fd}>>"$file"
  if ! flock --nonblock "$fd"; then
    say "== waiting for another process that holds $file"
    flock "$fd"
  fi
  LOCK_FD[$file]=$fd
  "$@"
  exec {fd}>&-
}

# recipe_digest PATH…: of the contents of these files and directories of lab/.
recipe_digest() {
  local digest
  digest=$(cd "$LAB_DIR" && find "$@" -type f -print0 | sort -z | xargs -0 sha256sum | sha256sum)
  printf '%s\n' "${digest:0:12}"
}

# prune_cache PREFIX: removes what was built from older recipes and nobody has used for two weeks.
prune_cache() {
  local built
  for built in "$1"-*; do
    [[ -n $(find "$built" -maxdepth 0 -mtime +14) ]] || continue
    grep -qsF "$built" /proc/[0-9]*/mountinfo || rm -rf --one-file-system "$built"
  done
}

# Closes what a program that stays behind would otherwise hold open: locks, and the caller's pipes above stderr.
close_descriptors() {
  local fd
  for fd in /proc/self/fd/*; do
    fd=${fd##*/}
    if ((fd > 2)); then
      exec {fd}>&-
    fi
  done
}

# detached LOG COMMAND…: in the background, in a session of its own, with no descriptor of the caller's left open:
# a caller that reads our output to its end must not wait for the lab. Its process id is $!.
detached() {
  local log=$1
  shift
  (
    close_descriptors
    exec setsid "$@"
  ) </dev/null >>"$log" 2>&1 &
}
