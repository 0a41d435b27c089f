#!/bin/sh
# Makes sure that the tools a target needs are there; installs Debian's packages for those that are not.
#
#   .ci/packages.sh cmake ninja g++ venv
#
# Where it cannot install (no apt-get, or not allowed to) it says what is missing and gives up.
set -eu

present() {
  case $1 in
  venv) python3 -c 'import ensurepip, venv' 2>/dev/null ;;
  *) command -v "$1" >/dev/null ;;
  esac
}

package_of() {
  case $1 in
  ninja) echo ninja-build ;;
  venv) echo python3-venv ;;
  aarch64-linux-gnu-gcc) echo gcc-aarch64-linux-gnu libc6-dev-arm64-cross ;;
  aarch64-linux-gnu-g++) echo g++-aarch64-linux-gnu ;;
  qemu-aarch64) echo qemu-user ;;
  *) echo "$1" ;;
  esac
}

packages=
for tool in "$@"; do
  present "$tool" || packages="$packages $(package_of "$tool")"
done
[ -n "$packages" ] || exit 0

echo "Missing system packages:$packages"
if ! command -v apt-get >/dev/null; then
  echo "Please install them with this system's package manager, then try again." >&2
  exit 1
fi
if [ "$(id -u)" = 0 ]; then as_root=; else as_root=sudo; fi
log=$(mktemp)
echo "Installing them with ${as_root:+$as_root }apt-get …"
if ! { $as_root apt-get update && $as_root apt-get install -y --no-install-recommends $packages; } >"$log" 2>&1; then
  tail -n 20 "$log" >&2
  echo "That failed (all of it: $log). Please install$packages, then try again." >&2
  exit 1
fi
rm "$log"
