# Serves the package mirrors inside the lab, at http://192.168.1.1:8080/RELEASE/.
# shellcheck shell=bash

readonly MIRROR_PORT=8080

# Everything in $STATE_DIR/www is served: tests may put files of their own there.
mirror_serve() {
  local pid
  pid=$(keeper_pid) || die "the lab of $STATE_DIR is gone"
  detached "$STATE_DIR/log/mirror.log" \
    nsenter --target "$pid" --net --mount bash "$LAB_DIR/lab" _serve
}

mirror_check() {
  local release
  for release in $(lab_releases); do
    in_lab curl --silent --show-error --fail --max-time 5 --retry 5 --retry-connrefused --output /dev/null \
      "http://$CONTROLLER_ADDRESS:$MIRROR_PORT/$release/InRelease" ||
      die "the package mirror of $release does not answer; see $STATE_DIR/log/mirror.log"
  done
}

# Runs in the lab's namespaces, and stays.
mirror_server() {
  cgroup_enter lab
  exec python3 -m http.server $MIRROR_PORT --bind "$CONTROLLER_ADDRESS" --protocol HTTP/1.1 --directory "$STATE_DIR/www"
}
