# shellcheck shell=sh
# One database host, set up by hand: etcd without TLS, Patroni, PostgreSQL 15. The arguments are its name and its address.
# Corrected only where it would not start: etcd's API is v3, Debian's packages are called otherwise, its Patroni reads
# config.yml, and a cluster that the package made itself is dropped.
set -eu
name=$1 address=$2
export DEBIAN_FRONTEND=noninteractive

apt-get -qq install postgresql-15 postgresql-contrib >/dev/null
pg_dropcluster --stop 15 main
apt-get -qq install patroni etcd-server etcd-client python3-etcd >/dev/null

cat >/etc/default/etcd <<EOF
ETCD_NAME="$name"
ETCD_INITIAL_CLUSTER="psql1=http://192.168.1.130:2380,psql2=http://192.168.1.131:2380,psql3=http://192.168.1.132:2380"
ETCD_INITIAL_CLUSTER_STATE="new"
ETCD_INITIAL_CLUSTER_TOKEN="patroni-cluster"
ETCD_INITIAL_ADVERTISE_PEER_URLS="http://$address:2380"
ETCD_ADVERTISE_CLIENT_URLS="http://$address:2379"
ETCD_LISTEN_PEER_URLS="http://$address:2380"
ETCD_LISTEN_CLIENT_URLS="http://$address:2379,http://127.0.0.1:2379"
EOF
# the package has started an etcd of its own
systemctl stop etcd
rm -rf /var/lib/etcd/default
systemctl start --no-block etcd
systemctl enable --quiet etcd
timeout 120 sh -c "until etcdctl endpoint health >/dev/null 2>&1; do sleep 0.5; done"

cat >/etc/patroni/patroni.yml <<EOF
scope: workspad-cluster
namespace: /db/
name: $name
restapi:
  listen: $address:8008
  connect_address: $address:8008
etcd3:
  hosts: 192.168.1.130:2379,192.168.1.131:2379,192.168.1.132:2379
bootstrap:
  dcs:
    ttl: 30
    loop_wait: 10
    retry_timeout: 10
    maximum_lag_on_failover: 1048576
    postgresql:
      use_pg_rewind: true
      parameters:
        max_connections: 500
        shared_buffers: 256MB
  initdb:
    - encoding: UTF8
    - data-checksums
  pg_hba:
    - host replication replicator 192.168.1.0/24 md5
    - host all all 192.168.1.0/24 md5
postgresql:
  listen: $address:5432
  connect_address: $address:5432
  data_dir: /var/lib/postgresql/15/main
  bin_dir: /usr/lib/postgresql/15/bin
  authentication:
    replication:
      username: replicator
      password: RepliPass123
    superuser:
      username: postgres
      password: StrongPass
EOF
ln -s patroni.yml /etc/patroni/config.yml
