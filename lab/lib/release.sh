# The Debian releases a lab host can run: one directory each in lab/releases. And where Debian comes from.
# shellcheck shell=bash

releases() {
  local dir
  for dir in "$LAB_DIR"/releases/*/; do
    basename "$dir"
  done
}

check_release() {
  [[ -f $LAB_DIR/releases/$1/codename ]] ||
    die_usage "unknown release '$1'; there are: $(releases | paste -sd' ')"
}

release_codename() { cat "$LAB_DIR/releases/$1/codename"; }

# debian_archive Debian|Debian-Security: the address this machine's own apt uses for that archive, so that the lab
# follows whatever mirror or proxy the machine was given.
debian_archive() {
  local label=$1 uri
  uri=$(apt-get indextargets --format "\$(LABEL) \$(REPO_URI)" | awk -v label="$label" '$1 == label { print $2; exit }')
  if [[ -z $uri ]]; then # nothing was downloaded yet, so apt does not know which archive is which
    apt-get update >&2
    uri=$(apt-get indextargets --format "\$(LABEL) \$(REPO_URI)" | awk -v label="$label" '$1 == label { print $2; exit }')
  fi
  [[ -n $uri ]] || die "apt on this machine has no source labelled '$label'; add the Debian archive to /etc/apt/sources.list.d"
  printf '%s\n' "${uri%/}"
}
