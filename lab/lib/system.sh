# What the machine itself needs: Debian packages, and the npm packages of this repository.
# shellcheck shell=bash

# dpkg-query knows them by these names on Debian 12 and 13.
readonly SYSTEM_PACKAGES=(
  bsdextrautils ca-certificates curl debian-archive-keyring debootstrap dpkg-dev gnupg iproute2 jq nftables
  openssh-client openssh-server openssl postgresql-client procps python3 shellcheck systemd-container util-linux xz-utils
)

system_ensure() {
  local missing=() package
  for package in "${SYSTEM_PACKAGES[@]}"; do
    [[ $(dpkg-query --show --showformat='${db:Status-Status}' "$package" 2>/dev/null) == installed ]] || missing+=("$package")
  done
  if ((${#missing[@]} == 0)); then
    step_ready "system packages"
    return
  fi
  require_root
  step "system packages: ${missing[*]}" system_install "${missing[@]}"
}

# Installs without starting any daemon that the packages bring along.
system_install() {
  local policy=/usr/sbin/policy-rc.d
  if [[ ! -e $policy ]]; then
    # shellcheck disable=SC2064 # the path is known now
    trap "rm -f $policy" EXIT
    printf '#!/bin/sh\nexit 101\n' >$policy
    chmod 755 $policy
  fi
  apt-get -q update
  DEBIAN_FRONTEND=noninteractive apt-get -q -y --no-install-recommends install "$@"
}

# Debian's python3 makes virtual environments only with this.
python_ensure() {
  if python3 -c 'import ensurepip' 2>/dev/null; then
    step_ready "Python"
    return
  fi
  require_root
  step "system packages: python3-venv" system_install python3-venv
}

npm_ensure() {
  local major
  major=$(node --version 2>/dev/null | sed -E 's/^v([0-9]+)\..*/\1/') || true
  ((${major:-0} >= 20)) || die "Node 20 or newer is needed; $(type -P node || echo 'no node') is version ${major:-none}"
  # npm writes that file last, so an interrupted installation is not taken for a whole one
  if [[ $REPO_DIR/node_modules/.package-lock.json -nt $REPO_DIR/package-lock.json ]]; then
    step_ready "npm packages"
  else
    step "npm packages" npm_install
  fi
}

npm_install() {
  cd "$REPO_DIR" || return
  npm ci --ignore-scripts --no-audit --no-fund
  touch node_modules/.package-lock.json # npm may keep the date of the file it came from
}
