#!/bin/sh
# Every test that ctest runs: the C interface, its consumers, the cross-build, the Swift unit tests. The last line
# counts them.
#   Tests/run.sh [BUILD [ctest arguments]]
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
build=${1:-$root/build}
mkdir -p "$build" && build=$(cd "$build" && pwd)
[ $# -eq 0 ] || shift

"$root/.ci/packages.sh" cmake ninja g++ pkg-config valgrind aarch64-linux-gnu-gcc aarch64-linux-gnu-g++ qemu-aarch64

cmake -S "$root" -B "$build" -G Ninja -DLOSSKIT_BUILD_TESTS=ON > /dev/null
cmake --build "$build"
results=$build/ctest.xml
rm -f "$results"
status=0
ctest --test-dir "$build" -j "$(nproc)" --output-on-failure --output-junit "$results" "$@" || status=$?
# <testsuite name=… tests="20" failures="0" … spans several lines.
attribute() { sed -n "1,/<testcase/s/.*[[:space:]]$1=\"\([0-9]*\)\".*/\1/p" "$results" | head -1; }
failed=$(attribute failures)
echo "ctest: $(($(attribute tests) - failed)) passed, $failed failed"
exit $status
