#!/bin/sh
# restart.sh check PACKAGE "SERVICE…" FILE…   exit 1 and say why `rude restart` is due
# restart.sh run PACKAGE "SERVICE…" FILE…     take the node out of service, `rude restart`, and note with what
#
# It is due when a file or the package is other than at the last one. It is due as well when somebody else has started a
# service since, before a file became what it is now: that process may have read something else.
set -eu

record=/var/lib/hastack/rudesktop-started
unseen=/var/lib/hastack/rudesktop-unseen
action=$1
package=$2
services=$3
shift 3

digest() {
  {
    dpkg-query --show "$package"
    sha256sum "$@"
  } | sha256sum | cut -c 1-16
}

property() { systemctl show --property="$1" --value "$2"; }

case $action in
  check)
    [ -f $record ] || {
      echo "it was never started with these files"
      exit 1
    }
    [ "$(head -n 1 $record)" = "$(digest "$@")" ] || {
      echo "a file or the package has changed since it was started"
      exit 1
    }
    changed=$(stat --format=%Z "$@" | sort -n | tail -n 1)
    for service in $services; do
      invocation=$(property InvocationID "$service")
      started=$(property ExecMainStartTimestamp "$service")
      # What does not run will be started with the files as they are.
      if [ -z "$invocation" ] || [ -z "$started" ]; then continue; fi
      if ! grep -qxF "$service $invocation" $record && [ "$(date -d "$started" +%s)" -le "$changed" ]; then
        echo "$service was started by somebody else with other files"
        exit 1
      fi
    done
    ;;
  run)
    # Whoever has served has to be known to balancers again before the next node stops.
    [ ! -f $record ] || : >$unseen
    # Balancers see a closed port and go elsewhere, before a request is lost; nginx ends what it has begun.
    systemctl stop nginx.service
    started_with=$(digest "$@")
    rude restart
    {
      echo "$started_with"
      for service in $services; do
        echo "$service $(property InvocationID "$service")"
      done
    } >$record.new
    mv $record.new $record
    ;;
esac
