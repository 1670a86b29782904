# A signed apt repository for each release, with everything a lab host may install, dependencies and Recommends
# included: in the lab nothing else is reachable. Built once, kept in the cache.
# shellcheck shell=bash

# The digest of all that goes in is in the name: a changed list, image or key is a different mirror.
mirror_path() {
  local digest
  digest=$(recipe_digest lib/mirror.sh lib/image.sh mirror stand-ins image "releases/$1" "$CACHE_DIR/mirror/archive-keyring.asc")
  printf '%s\n' "$CACHE_DIR/mirror/$1-$digest"
}

# mirror_ensure RELEASE: needs its image, for only what that lacks is fetched.
mirror_ensure() {
  local mirror
  with_lock "$CACHE_DIR/mirror/key.lock" mirror_key_ensure
  mirror=$(mirror_path "$1")
  with_lock "$CACHE_DIR/mirror/$1.lock" mirror_ensure_locked "$1" "$mirror"
}

mirror_ensure_locked() {
  local release=$1 mirror=$2
  if [[ -d $mirror ]]; then
    touch "$mirror" # see prune_cache
    step_ready "mirror $release"
  else
    step "mirror $release" mirror_build "$release" "$mirror"
    prune_cache "$CACHE_DIR/mirror/$release"
  fi
}

# mirror_build RELEASE PATH: into a temporary name first, so that a half-made mirror is never taken for one.
mirror_build() {
  local release=$1 mirror=$2 tree=$2.new
  rm -rf "$CACHE_DIR/mirror/$release"-*.new
  mkdir -p "$tree/pool/partial"
  mirror_download "$release" "$tree"
  mirror_package "$LAB_DIR/mirror/sample" "$tree/pool" 1.0
  mirror_package "$LAB_DIR/mirror/sample" "$tree/pool" 2.0
  mirror_package "$LAB_DIR/stand-ins/rudesktop" "$tree/pool" 1.0
  mirror_package "$LAB_DIR/stand-ins/aspnetcore-runtime-6.0" "$tree/pool" 6.0
  mirror_package "$LAB_DIR/stand-ins/workspad" "$tree/pool" 1.0
  mirror_package "$LAB_DIR/stand-ins/workspad" "$tree/pool" 1.1
  mirror_package "$LAB_DIR/stand-ins/active-directory" "$tree/pool" 2016
  mirror_package "$LAB_DIR/stand-ins/exchange" "$tree/pool" 2016
  (cd "$tree" && dpkg-scanpackages --multiversion pool >Packages && gzip -9nk Packages)
  mirror_sign "$release" "$tree"
  mv -T "$tree" "$mirror"
}

# Asks apt what would have to be fetched if everything were installed on the image of that release.
mirror_download() {
  local release=$1 tree=$2 state=$2/apt codename keyring=/usr/share/keyrings/debian-archive-keyring.gpg packages
  local archive security apt
  codename=$(release_codename "$release")
  archive=$(debian_archive Debian)
  security=$(debian_archive Debian-Security)
  mkdir -p "$state/lists/partial"
  {
    echo "deb [signed-by=$keyring] $archive $codename main"
    echo "deb [signed-by=$keyring] $archive $codename-updates main"
    echo "deb [signed-by=$keyring] $security $codename-security main"
  } >"$state/sources.list"
  apt=(
    apt-get -q -y
    -o Dir::State="$state" -o Dir::State::lists="$state/lists" -o Dir::State::status="$(image_path "$release")/var/lib/dpkg/status"
    -o Dir::Etc::sourcelist="$state/sources.list" -o Dir::Etc::sourceparts=- -o Dir::Etc::preferencesparts=-
    -o Dir::Cache::archives="$tree/pool" -o Dir::Cache::pkgcache= -o Dir::Cache::srcpkgcache=
    -o APT::Install-Recommends=true -o APT::Sandbox::User=root -o Acquire::Retries=3
  )
  mapfile -t packages < <(sed '/^#/d' "$LAB_DIR/releases/$release/mirror-packages.txt")
  "${apt[@]}" update
  "${apt[@]}" --download-only install "${packages[@]}"
  "${apt[@]}" --download-only dist-upgrade # newer versions of what the image has, for dependencies may ask for them
  rm -rf "$state" "$tree/pool/partial" "$tree/pool/lock"
}

# mirror_package TREE POOL VERSION: a package of our own. The same tree gives the same file, byte for byte.
mirror_package() {
  local source=$1 pool=$2 version=$3 tree name
  name=$(sed -n 's/^Package: //p' "$source/DEBIAN/control")
  tree=$(mktemp -d)
  cp -r --preserve=mode "$source/." "$tree"
  chmod -R u=rwX,go=rX "$tree"
  grep -rlZ @VERSION@ "$tree" | xargs -0 sed -i "s/@VERSION@/$version/"
  SOURCE_DATE_EPOCH=0 dpkg-deb --root-owner-group --build "$tree" "$pool/${name}_${version}_all.deb"
  rm -rf "$tree"
}

# One key for the whole cache.
mirror_key_ensure() {
  [[ -f $CACHE_DIR/mirror/archive-keyring.asc && -d $CACHE_DIR/mirror/gnupg ]] || step "mirror's signing key" mirror_key_make
}

mirror_key_make() {
  rm -rf "$CACHE_DIR/mirror/gnupg"
  mkdir -m 700 "$CACHE_DIR/mirror/gnupg"
  mirror_gpg --passphrase '' --quick-generate-key 'hastack lab mirror <lab@example.invalid>' ed25519 sign never
  mirror_gpg --export >"$CACHE_DIR/mirror/archive-keyring.gpg"
  mirror_gpg --armor --export >"$CACHE_DIR/mirror/archive-keyring.asc"
}

# gpg leaves an agent behind, which must not hold a lock even if nobody lives to end it.
mirror_gpg() {
  (
    close_descriptors
    export GNUPGHOME=$CACHE_DIR/mirror/gnupg
    gpg --batch --yes --quiet "$@"
    gpgconf --kill gpg-agent
  )
}

mirror_sign() {
  local release=$1 file
  cd "$2" || return
  {
    echo "Origin: hastack-lab"
    echo "Label: hastack-lab"
    echo "Suite: $release"
    echo "Codename: $(release_codename "$release")"
    echo "Date: $(date -Ru)"
    echo "Architectures: $(dpkg --print-architecture) all"
    echo "Description: packages for the hosts of the lab"
    echo "SHA256:"
    for file in Packages Packages.gz; do
      echo " $(sha256sum <$file | cut -d' ' -f1) $(stat -c %s $file) $file"
    done
  } >Release
  mirror_gpg --clearsign --output InRelease Release
  mirror_gpg --armor --detach-sign --output Release.gpg Release
}
