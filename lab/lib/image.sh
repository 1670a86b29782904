# The tree every host of a release starts from: built once by debootstrap, kept in the cache, never booted itself.
# shellcheck shell=bash

# Timers and services that would do something by themselves: fight for the dpkg lock, trim disks, read a console.
readonly IMAGE_MASKED_UNITS=(
  apt-daily.timer apt-daily.service apt-daily-upgrade.timer apt-daily-upgrade.service dpkg-db-backup.timer
  e2scrub_all.timer e2scrub_reap.service fstrim.timer console-getty.service
)

# The recipe's digest is in the name: a changed recipe is a different image.
image_path() {
  printf '%s\n' "$CACHE_DIR/images/$1-$(recipe_digest lib/image.sh image "releases/$1/codename")"
}

# image_ensure RELEASE
image_ensure() {
  local image
  image=$(image_path "$1")
  with_lock "$CACHE_DIR/images/$1.lock" image_ensure_locked "$1" "$image"
}

image_ensure_locked() {
  local release=$1 image=$2
  if [[ -d $image ]]; then
    touch "$image" # see prune_cache
    step_ready "image $release"
  else
    step "image $release" image_build "$release" "$image"
    prune_cache "$CACHE_DIR/images/$release"
  fi
}

# image_build RELEASE PATH: into a temporary name first, so that a half-made image is never taken for one.
image_build() {
  local release=$1 image=$2 tree=$2.new archive packages
  archive=$(debian_archive Debian)
  packages=$(sed '/^#/d' "$LAB_DIR/image/packages.txt" | paste -sd,)
  rm -rf --one-file-system "$CACHE_DIR/images/$release"-*.new
  mkdir -p "$CACHE_DIR/debs"
  # In a mount namespace of its own, or a killed debootstrap would leave its /proc and /sys mounted
  unshare --mount debootstrap --variant=minbase --include="$packages" --cache-dir="$CACHE_DIR/debs" \
    "$(release_codename "$release")" "$tree" "$archive"
  image_customize "$tree"
  mv -T "$tree" "$image"
}

image_customize() {
  local tree=$1 unit
  cp -r --preserve=mode "$LAB_DIR/image/rootfs/." "$tree/"
  chown -R root:root "$tree/etc/systemd/system" "$tree/usr/local/lib/hastack-lab"
  chmod 440 "$tree/etc/sudoers.d/deploy"
  chroot "$tree" useradd --create-home --shell /bin/bash deploy
  for unit in "${IMAGE_MASKED_UNITS[@]}"; do
    ln -sfn /dev/null "$tree/etc/systemd/system/$unit"
  done
  chroot "$tree" sh -c 'echo LANG=C.UTF-8 >/etc/default/locale' # inside, for it may be an absolute link
  systemctl --root="$tree" --quiet enable lab-network.service lab-sysctl.service
  # Unique per host, written when the host is made
  rm -f "$tree"/etc/ssh/ssh_host_* "$tree/etc/hostname" "$tree/var/lib/dbus/machine-id"
  : >"$tree/etc/machine-id"
  : >"$tree/etc/resolv.conf"      # the lab has no DNS
  : >"$tree/etc/apt/sources.list" # which mirror a host uses is for its owner to say
  find "$tree/var/cache/apt" "$tree/var/lib/apt/lists" "$tree/var/log" -type f -delete
}
