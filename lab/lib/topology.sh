# Which hosts a lab has: data in lab/topologies, checked by topology.jq. The running lab's hosts are in
# $STATE_DIR/topology.tsv: name, address, release, mount point and size (MB) of the data disk.
# shellcheck shell=bash disable=SC2034 # `read` splits a line into all its fields

topologies() {
  local file
  for file in "$LAB_DIR"/topologies/*.json; do
    basename "$file" .json
  done
}

# topology_file NAME-OR-PATH
topology_file() {
  local file=$LAB_DIR/topologies/$1.json
  if [[ $1 == *.json ]]; then
    [[ -f $1 ]] || die_usage "no topology file '$1'"
    file=$1
  elif [[ ! -f $file ]]; then
    die_usage "unknown topology '$1'; there are: $(topologies | paste -sd' '), or give the path of a .json file"
  fi
  printf '%s\n' "$file"
}

# topology_hosts FILE: its hosts, one line each as in topology.tsv.
topology_hosts() {
  local hosts
  jq empty "$1" || die "topology $1 is not JSON"
  hosts=$(jq --raw-output --argjson releases "$(releases | jq -R . | jq -s -c .)" -f "$LAB_DIR/lib/topology.jq" "$1") ||
    die "topology $1 is wrong, see above"
  printf '%s\n' "$hosts"
}

# topology_packages FILE: what hosts have from the beginning, lines of a host's name and a package.
topology_packages() {
  jq --raw-output '.hosts[] | select(.package) | [.name, .package] | @tsv' "$1"
}

# Of the running lab

lab_hosts() { cut -f1 "$STATE_DIR/topology.tsv"; }
lab_releases() { cut -f3 "$STATE_DIR/topology.tsv" | sort -u; }
lab_topology() { cat "$STATE_DIR/topology.name"; }

# host_field NAME address|release|mount|size
host_field() {
  local name address release mount size
  while IFS=$'\t' read -r name address release mount size; do
    if [[ $name == "$1" ]]; then
      printf '%s\n' "${!2}"
      return
    fi
  done <"$STATE_DIR/topology.tsv"
  return 1
}

check_host() {
  host_field "$1" address >/dev/null ||
    die_usage "there is no host '$1' in this lab ($(lab_topology)); there are: $(lab_hosts | paste -sd' ')"
}
