# A stack of this repository in a lab of a benchmark's own, which is thrown away when the benchmark ends. To be sourced.
# shellcheck shell=bash

repo=$(dirname "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")")
lab=$repo/lab/lab
work=$(mktemp -d)
export HASTACK_LAB_STATE=$work/lab
readonly repo lab work
trap '"$lab" down >/dev/null 2>&1 || true; rm -rf "$work"' EXIT

# begin STACK: its hosts, fresh, and its settings in a file of their own, $settings.
begin() {
  stack=$1 settings=$work/Pulumi.$1.yaml
  mkdir "$HASTACK_LAB_STATE"
  # An unreachable host would be a warning otherwise, and the preview a quick one.
  sed 's/^config:/&\n  hastack:probe: required/' "$repo/Pulumi.$stack.yaml" >"$settings"
  "$repo/lab/toolchain/install" >/dev/null
  "$lab" up "$stack" >/dev/null 2>&1
  "$lab" exec -- pulumi --cwd "$repo" stack init "$stack" --non-interactive >/dev/null 2>&1
}

# pulumi COMMAND…: for the stack.
pulumi() {
  local command=$1
  shift
  "$lab" exec -- pulumi --cwd "$repo" "$command" --stack "$stack" --config-file "$settings" --non-interactive --color never "$@"
}

# seconds COMMAND…: how long it takes; what it says is shown only if it fails.
seconds() {
  local began=$EPOCHREALTIME
  "$@" >"$work/output" 2>&1 || {
    tail -n 60 "$work/output" >&2
    return 1
  }
  awk -v from="$began" -v to="$EPOCHREALTIME" 'BEGIN { printf "%.1f\n", to - from }'
}
