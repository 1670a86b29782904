# shellcheck shell=sh
# The machine as its operator finds it before the first command: a package source.
set -eu
cat >/etc/apt/keyrings/mirror.asc
echo "deb [signed-by=/etc/apt/keyrings/mirror.asc] http://192.168.1.1:8080/debian-12 ./" >/etc/apt/sources.list.d/mirror.list
apt-get -qq update
