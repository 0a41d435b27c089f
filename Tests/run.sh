#!/bin/sh
# Every test that ctest runs: the C interface, its consumers, the cross-build, the Swift unit tests. The last line
# counts them.
#   Tests/run.sh [BUILD [ctest arguments]]
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
build=${1:-$root/build}
mkdir -p "$build" && build=$(cd "$build" && pwd)
[ $# -eq 0 ] || shift

# package → a program of it that tells whether it is there
missing=
while read -r package program; do
  command -v "$program" > /dev/null || missing="$missing $package"
done <<LIST
cmake cmake
ninja-build ninja
g++ g++
pkg-config pkg-config
valgrind valgrind
gcc-aarch64-linux-gnu aarch64-linux-gnu-gcc
g++-aarch64-linux-gnu aarch64-linux-gnu-g++
qemu-user qemu-aarch64
LIST
if [ -n "$missing" ]; then
  echo "Installing what tests need:$missing"
  sudo=
  [ "$(id -u)" = 0 ] || sudo=sudo
  # shellcheck disable=SC2086
  $sudo apt-get update -q > /dev/null && $sudo apt-get install -q -y --no-install-recommends $missing > /dev/null
fi

cmake -S "$root" -B "$build" -G Ninja -DLOSSKIT_BUILD_TESTS=ON > /dev/null
cmake --build "$build"
results=$build/ctest.xml
rm -f "$results"
status=0
ctest --test-dir "$build" --output-on-failure --output-junit "$results" "$@" || status=$?
# <testsuite name=… tests="20" failures="0" … spans several lines.
attribute() { sed -n "1,/<testcase/s/.*[[:space:]]$1=\"\([0-9]*\)\".*/\1/p" "$results" | head -1; }
failed=$(attribute failures)
echo "ctest: $(($(attribute tests) - failed)) passed, $failed failed"
exit $status
