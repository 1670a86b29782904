# shellcheck shell=sh
# One host in front of the database, set up by hand: PgBouncer and keepalived. The arguments are keepalived's state and
# priority. PgBouncer leads to the leader of the day, and knows the application's password as MD5.
set -eu
state=$1 priority=$2
export DEBIAN_FRONTEND=noninteractive
apt-get -qq install pgbouncer keepalived >/dev/null

cat >/etc/keepalived/keepalived.conf <<EOF
vrrp_instance VIP_GPROXY {
  state $state
  interface eth0
  virtual_router_id 70
  priority $priority
  advert_int 1
  authentication {
    auth_type PASS
    auth_pass SecretPass
  }
  virtual_ipaddress {
    192.168.1.200/24
  }
}
EOF
systemctl restart keepalived

cat >/etc/pgbouncer/pgbouncer.ini <<'EOF'
[databases]
workspad = host=192.168.1.131 port=5432 dbname=workspad

[pgbouncer]
listen_addr = *
listen_port = 6432
auth_type = md5
auth_file = /etc/pgbouncer/userlist.txt
EOF
hash=$(printf '%s' 'jhYg/=\Fworkspad' | md5sum | cut -d' ' -f1)
echo "\"workspad\" \"md5$hash\"" >/etc/pgbouncer/userlist.txt
systemctl restart pgbouncer
