# shellcheck shell=sh
# Starts Patroni on a host; the first host makes the cluster, the others copy it. The argument is the host's address.
set -eu
systemctl start patroni
systemctl enable --quiet patroni
timeout 120 sh -c "until pg_isready -q -h $1; do sleep 0.5; done"
