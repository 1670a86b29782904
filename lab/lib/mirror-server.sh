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

# mirror_install HOST PACKAGE: by apt on a running host, without leaving the mirror among its package sources.
mirror_install() {
  local release
  release=$(host_field "$1" release)
  in_lab "${LAB_SSH[@]}" "root@$1" "cat >/run/lab-keyring.asc && \
    echo 'deb [signed-by=/run/lab-keyring.asc] http://$CONTROLLER_ADDRESS:$MIRROR_PORT/$release ./' >/run/lab.list && \
    sources='-o Dir::Etc::sourcelist=/run/lab.list -o Dir::Etc::sourceparts=-' && \
    apt-get -qq \$sources update && DEBIAN_FRONTEND=noninteractive apt-get -qq -y --no-install-recommends \$sources install $2" \
    <"$STATE_DIR/apt/archive-keyring.asc"
}
