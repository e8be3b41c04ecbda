#!/bin/sh
# Runs a task of deno.json on a machine that may have neither Deno nor a Vulkan driver:
#
#   sh tasks/bootstrap.sh <task> [argument...]
#
# 1. Deno from PATH if it is new enough, else from .deno/, else installed into .deno/ from npm.
# 2. On Linux, a Vulkan adapter: where there is none, root installs Mesa's software driver with the distribution's
#    package manager; others are told the command.
# 3. For the tests, Open MPI, where root can install it with apt-get: the tests of several ranks are left out without.
# 4. deno task <task> [argument...]
#
# Outside the project only the package manager writes, and npm and Deno into their caches.
# Until Deno is found only the shell itself is used.
set -eu

version=2.9.6 # the Deno that the project is tested with

fail() {
  printf '%s\n' "$*" >&2
  exit 1
}

if [ $# -eq 0 ]; then
  echo 'Usage: sh tasks/bootstrap.sh <task> [argument...]     for example: sh tasks/bootstrap.sh train:mnist' >&2
  exit 2
fi

case $0 in
  */*) cd "${0%/*}/.." ;;
  *) cd .. ;;
esac
root=$(pwd)
bin=$root/.deno/bin

# new_enough DENO: whether it runs and is at least $version; a pre-release counts as the release that it precedes.
new_enough() {
  found=$("$1" --version 2>/dev/null) || return 1
  found=${found#deno }
  found=${found%%[!0-9.]*}
  set -f
  old_ifs=$IFS
  IFS=.
  # shellcheck disable=SC2086 # split at the dots
  set -- $found 0 0 0
  have_1=$1 have_2=$2 have_3=$3
  # shellcheck disable=SC2086
  set -- $version
  IFS=$old_ifs
  set +f
  [ "$have_1" -ne "$1" ] && { [ "$have_1" -gt "$1" ] && return 0 || return 1; }
  [ "$have_2" -ne "$2" ] && { [ "$have_2" -gt "$2" ] && return 0 || return 1; }
  [ "$have_3" -ge "$3" ]
}

# npm leaves the binary in @deno/<platform>, and a second name for it in deno/ where it may run install scripts.
install_deno() {
  command -v npm >/dev/null 2>&1 ||
    fail "Neither Deno $version nor npm was found: install Deno (https://deno.com) or Node.js with npm, then run this again."
  [ -w "$root" ] || fail "Cannot install Deno into $root/.deno: the folder is not writable."
  printf 'Installing Deno %s into .deno/ ...\n' "$version" >&2
  work=$root/.deno/install.$$
  trap 'rm -rf "$work"' EXIT
  trap 'exit 130' INT TERM
  mkdir -p "$work" "$bin"
  npm install --prefix "$work" --no-save --no-audit --no-fund --no-update-notifier --include=optional \
    --loglevel=error "deno@$version" >"$work/log" 2>&1 ||
    { cat "$work/log" >&2; fail "Cannot install Deno $version from npm: see above."; }
  for file in "$work"/node_modules/@deno/*/deno "$work/node_modules/deno/deno"; do
    if [ -f "$file" ] && chmod +x "$file" && new_enough "$file"; then
      mv "$file" "$bin/deno" # a rename: never half a file there
      rm -rf "$work"
      trap - EXIT INT TERM
      return
    fi
  done
  fail "Deno $version from npm does not run on this machine: install it from https://deno.com, then run this again."
}

has_vulkan() {
  DENO_WEBGPU_BACKEND=${DENO_WEBGPU_BACKEND:-vulkan} "$deno" eval --no-config --quiet \
    'Deno.exit(await navigator.gpu.requestAdapter() ? 0 : 1)' >/dev/null 2>&1
}

# Sets $install to the command that installs Mesa's software Vulkan driver, or to nothing.
vulkan_package() {
  if command -v apt-get >/dev/null 2>&1; then
    install='apt-get update && apt-get install -y mesa-vulkan-drivers'
  elif command -v dnf >/dev/null 2>&1; then
    install='dnf install -y mesa-vulkan-drivers vulkan-loader'
  elif command -v apk >/dev/null 2>&1; then
    install='apk add mesa-vulkan-swrast vulkan-loader'
  elif command -v pacman >/dev/null 2>&1; then
    install='pacman -Sy --noconfirm vulkan-swrast vulkan-icd-loader'
  elif command -v zypper >/dev/null 2>&1; then
    install='zypper --non-interactive install libvulkan_lvp libvulkan1'
  else
    install=
  fi
}

install_vulkan() {
  vulkan_package
  [ "$install" ] ||
    fail "No Vulkan adapter was found: install your distribution's Vulkan drivers (Mesa's lavapipe needs no GPU), then run this again."
  if [ "$(id -u)" -ne 0 ]; then
    printf 'No Vulkan adapter was found. Mesa has one that needs no GPU; install it with this, then run this again:\n' >&2
    if command -v sudo >/dev/null 2>&1; then
      fail "  sudo sh -c '$install'"
    fi
    fail "  su -c '$install'"
  fi
  printf 'No Vulkan adapter was found; installing one that needs no GPU: %s\n' "$install" >&2
  log=$root/.deno/install.log
  mkdir -p "$root/.deno"
  DEBIAN_FRONTEND=noninteractive sh -c "$install" >"$log" 2>&1 || { cat "$log" >&2; fail "Cannot install a Vulkan driver: see above."; }
  has_vulkan || fail "There is still no Vulkan adapter after: $install (is VK_DRIVER_FILES or VK_ICD_FILENAMES set?)"
}

# Without a home to write to, caches go beside the rest.
if [ ! -w "${HOME:-/nonexistent}" ]; then
  export DENO_DIR="${DENO_DIR:-$root/.deno/cache}" npm_config_cache="${npm_config_cache:-$root/.deno/npm}"
fi

if command -v deno >/dev/null 2>&1 && new_enough deno; then
  deno=deno
else
  [ -x "$bin/deno" ] && new_enough "$bin/deno" || install_deno
  deno=$bin/deno
  PATH=$bin:$PATH
  export PATH
fi

case $(uname -s 2>/dev/null || echo Linux) in
  Linux) has_vulkan || install_vulkan ;;
esac

case $1 in
  ok | test | test:*)
    if ! command -v mpirun >/dev/null 2>&1 && command -v apt-get >/dev/null 2>&1 && [ "$(id -u 2>/dev/null)" = 0 ]; then
      printf 'Installing Open MPI for the tests of several ranks\n' >&2
      install='apt-get install -y --no-install-recommends openmpi-bin'
      { DEBIAN_FRONTEND=noninteractive sh -c "$install" || { apt-get update && DEBIAN_FRONTEND=noninteractive sh -c "$install"; }; } \
        >/dev/null 2>&1 || printf 'No Open MPI could be installed: the tests of several ranks are left out\n' >&2
    fi
    ;;
esac

exec "$deno" task "$@"
