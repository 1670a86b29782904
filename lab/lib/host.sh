# One host: its files, its supervisor, boot and stop. A host's directory, $STATE_DIR/machines/NAME, has
#   upper/ work/ root/   the overlay over the image: its disk
#   disk/                its data disk, a tmpfs of limited size: it can fill, and it outlives a power-off
#   ssh_host_ed25519_key, boots (one line per boot)
# Its console goes to $STATE_DIR/log/NAME.log.
# A host is running as long as its control group exists: its supervisor removes that last.
# shellcheck shell=bash

# For in_lab: SSH that trusts nothing but the lab's own keys.
readonly LAB_SSH=(
  ssh -F none -i "$STATE_DIR/ssh/id_ed25519" -o IdentitiesOnly=yes -o IdentityAgent=none -o ConnectTimeout=5
  -o UserKnownHostsFile="$STATE_DIR/ssh/known_hosts" -o StrictHostKeyChecking=yes -o LogLevel=ERROR
)

host_log() { printf '%s\n' "$STATE_DIR/log/$1.log"; }
machine_dir() { printf '%s\n' "$STATE_DIR/machines/$1"; }
host_is_on() { cgroup_exists "hosts/$1"; }

# host_new NAME: an empty disk and a new host key.
host_new() {
  local machine
  machine=$(machine_dir "$1")
  rm -rf --one-file-system "$machine"
  mkdir -p "$machine"/{upper,work,root,disk}
  ssh-keygen -q -t ed25519 -N '' -C "$1" -f "$machine/ssh_host_ed25519_key"
}

write_known_hosts() {
  local name address rest
  while IFS=$'\t' read -r name address rest; do
    echo "$name,$name.lab,$address $(cut -d' ' -f1,2 "$(machine_dir "$name")/ssh_host_ed25519_key.pub")"
  done <"$STATE_DIR/topology.tsv" >"$STATE_DIR/ssh/known_hosts.new"
  mv "$STATE_DIR/ssh/known_hosts.new" "$STATE_DIR/ssh/known_hosts"
}

# host_start NAME: returns at once; host_wait waits.
host_start() {
  local pid
  pid=$(keeper_pid) || die "the lab of $STATE_DIR is gone"
  mkdir -p "$(cgroup_dir "hosts/$1")" # "on" from this moment
  detached "$(host_log "$1")" \
    nsenter --target "$pid" --net --mount bash "$LAB_DIR/lab" _supervise "$1"
}

# Runs in the lab's namespaces as long as the host is on.
supervise() {
  local name=$1 machine status
  machine=$(machine_dir "$name")
  cgroup_enter lab
  while :; do
    host_mount "$name" "$machine"
    date +%FT%T.%N >>"$machine/boots"
    status=0
    host_boot "$name" "$machine" || status=$?
    host_clear "$name" "$machine"
    ((status == 133)) || break # that is the guest asking for a reboot
  done
  cgroup_remove "hosts/$name"
}

host_mount() {
  local name=$1 machine=$2 image
  image=$(readlink "$STATE_DIR/images/$(host_field "$name" release)")
  # `volatile` skips every fsync, which makes package installs much faster; a power-off of a host loses nothing by it,
  # for the page cache is the machine's. Overlayfs marks such a tree, and takes it again only without the mark.
  rm -rf "$machine/work/work/incompat"
  mount -t overlay "lab-$name" "$machine/root" \
    -o "lowerdir=$image,upperdir=$machine/upper,workdir=$machine/work,volatile"
  if ! mountpoint -q "$machine/disk"; then
    mount -t tmpfs -o "size=$(host_field "$name" size)m,mode=755" "lab-$name-disk" "$machine/disk"
  fi
  [[ -s $machine/root/etc/machine-id ]] || host_identity "$name" "$machine"
}

# Written through the mounted overlay, so that directories keep the owners and modes they have in the image.
host_identity() {
  local name=$1 machine=$2 root=$2/root key
  echo "$name" >"$root/etc/hostname"
  cp "$STATE_DIR/hosts" "$root/etc/hosts"
  printf 'ADDRESS=%s/24\nGATEWAY=%s\n' "$(host_field "$name" address)" "$CONTROLLER_ADDRESS" >"$root/etc/lab-network"
  install -m 600 "$machine/ssh_host_ed25519_key" "$root/etc/ssh/"
  install -m 644 "$machine/ssh_host_ed25519_key.pub" "$root/etc/ssh/"
  key=$STATE_DIR/ssh/id_ed25519.pub
  install -d -m 700 "$root/root/.ssh"
  install -m 600 "$key" "$root/root/.ssh/authorized_keys"
  install -d -m 700 -o 1000 -g 1000 "$root/home/deploy/.ssh"
  install -m 600 -o 1000 -g 1000 "$key" "$root/home/deploy/.ssh/authorized_keys"
  mkdir -p "$root$(host_field "$name" mount)"
  tr -d - </proc/sys/kernel/random/uuid >"$root/etc/machine-id" # last: it says that the rest is done
}

# --network-bridge makes a cable vb-NAME to the bridge, and gives the guest its own network and the right to set it up.
host_boot() {
  local name=$1 machine=$2
  (
    cgroup_enter "hosts/$name"
    exec systemd-nspawn --quiet --directory="$machine/root" --machine="$name" --boot --keep-unit --register=no \
      --network-bridge="$BRIDGE" --bind="$machine/disk:$(host_field "$name" mount)" \
      --resolv-conf=off --timezone=off --link-journal=no --console=pipe
  )
}

# After nspawn has ended, however it did.
host_clear() {
  local name=$1 machine=$2
  cgroup_kill "hosts/$name" # a guest outlives an nspawn that was killed
  # Sockets with unsent data keep a dead guest's network, and with it the cable, for minutes
  ip link delete "vb-$name" 2>/dev/null || true
  umount "$machine/root"
  cgroup_clear "hosts/$name"
}

# The guest's PID 1, as this machine numbers it: nspawn is the only one that is started by the supervisor.
host_init() {
  local procs pid
  procs=$(find "$(cgroup_dir "hosts/$1")" -name init.scope -exec cat {}/cgroup.procs \; 2>/dev/null)
  for pid in $procs; do
    if [[ $(awk '/^NSpid:/ { print $NF }' "/proc/$pid/status" 2>/dev/null) == 1 ]]; then
      printf '%s\n' "$pid"
      return
    fi
  done
  return 1
}

# host_wait NAME: until a user can log in.
host_wait() {
  local name=$1 deadline=$((SECONDS + 60)) address
  address=$(host_field "$name" address)
  while ((SECONDS < deadline)); do
    if ssh_answers "$address" && "${LAB_SSH[@]}" "deploy@$name" true 2>/dev/null; then
      return
    fi
    host_is_on "$name" || break
    sleep 0.1
  done
  tail -n 15 "$(host_log "$name")" >&2
  die "nobody can log in to $name by SSH; above are the last lines of its console, $(host_log "$name")"
}

ssh_answers() {
  timeout 1 bash -c "exec 3<>/dev/tcp/$1/22 && read -r banner <&3 && [[ \$banner == SSH-* ]]" 2>/dev/null
}

host_boots() { wc -l <"$(machine_dir "$1")/boots"; }
