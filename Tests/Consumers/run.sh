#!/bin/sh
# Installs a build into a folder of its own, moves that folder, and lets programs outside the tree find the library
# there: with CMake, with pkg-config, statically, from C, C++ and Swift.
#   run.sh BUILD WORK
set -eu
build=$1 work=$2
here=$(cd "$(dirname "$0")" && pwd)
rm -rf "$work" && mkdir -p "$work"
cmake --install "$build" --prefix "$work/first" > "$work/install.log"
mv "$work/first" "$work/moved"  # nothing may remember where it was installed
prefix=$work/moved
grep -r -l -F "$work/first" "$prefix" && { echo "an installed file names its folder"; exit 1; }
cd "$work"

expect() { # what, command...
  what=$1; shift
  result=$("$@") || { echo "$what: failed"; exit 1; }
  case $result in
    "0.1192 0.5000 0.9526" | "0.1192 0.5 0.9526") echo "$what: $result" ;;
    *) echo "$what: printed '$result'"; exit 1 ;;
  esac
}

cmake -S "$here/c" -B c -DCMAKE_PREFIX_PATH="$prefix" > c.log
cmake --build c >> c.log
expect "find_package, shared" c/with_losskit
expect "find_package, static" c/with_losskit_static
readelf -d c/with_losskit_static | grep -q losskit && { echo "the static program needs the shared library"; exit 1; }

PKG_CONFIG_PATH=$(dirname "$(find "$prefix" -name losskit.pc)")
export PKG_CONFIG_PATH
library=$(pkg-config --variable=libdir losskit)
archive=$library/liblosskit.a
# The flags are lists of words.
# shellcheck disable=SC2046
{
  gcc "$here/program.c" $(pkg-config --cflags --libs losskit) -lm -o pkg_c
  g++ -std=c++17 "$here/cxx/program.cpp" $(pkg-config --cflags --libs losskit) -o pkg_cxx
  gcc -static "$here/program.c" $(pkg-config --static --cflags --libs losskit) -lm -o static_c
  g++ -std=c++17 "$here/cxx/program.cpp" $(pkg-config --cflags losskit) "$archive" -o archive_cxx
  g++ -std=c++17 -static "$here/cxx/program.cpp" $(pkg-config --static --cflags --libs losskit) -o static_cxx
}
expect "pkg-config, C" env LD_LIBRARY_PATH="$library" ./pkg_c
expect "pkg-config, C++" env LD_LIBRARY_PATH="$library" ./pkg_cxx
expect "gcc -static" ./static_c
expect "g++ with the archive" ./archive_cxx
expect "g++ -static" ./static_cxx

if command -v swiftc > /dev/null; then
  swiftc -I "$here/swift" -Xcc -I -Xcc "$prefix/include" "$here/swift/main.swift" "$archive" -lm -o swift_program
  expect "Swift with the archive" ./swift_program
fi
