#!/bin/sh
# The example bindings/cpp/examples/detector_head.cpp, linked statically: how large it is, and that its loop allocates
# nothing. Memory is asked for as often in 10 frames as in 1000; strace, where it is installed, sees no call in between.
#   detector_head.sh REPOSITORY STATIC_LIBRARY
set -eu
repository=$1 library=$2
here=$(cd "$(dirname "$0")" && pwd)
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"

build() { # output, further arguments...
  output=$1; shift
  g++ -std=c++17 -Os -static -pthread -Wl,--gc-sections -I "$repository/include" "$@" -o "$output"
}
echo 'int main() {}' > empty.cpp
build empty -s empty.cpp
build detector_head -s "$repository/bindings/cpp/examples/detector_head.cpp" "$library"
bytes() { wc -c < "$1"; }
echo "detector_head, static and stripped: $(bytes detector_head) bytes (an empty program: $(bytes empty))"
./detector_head 100

wrap=-Wl
for function in malloc calloc realloc aligned_alloc posix_memalign; do wrap=$wrap,--wrap=$function; done
gcc -Os -c "$here/count_allocations.c"
build counted "$wrap" "$repository/bindings/cpp/examples/detector_head.cpp" count_allocations.o "$library"
few=$(./counted 10 2>&1 > few.txt)
many=$(./counted 1000 2>&1 > many.txt)
echo "memory is asked for $few times in 10 frames, $many times in 1000"
[ "$few" -gt 5 ] && [ "$few" -eq "$many" ]

if command -v strace > /dev/null && strace -o few.trace ./detector_head 10 > /dev/null 2>&1; then
  strace -o many.trace ./detector_head 1000 > /dev/null
  echo "system calls: $(wc -l < few.trace) in 10 frames, $(wc -l < many.trace) in 1000"
  [ "$(wc -l < few.trace)" -eq "$(wc -l < many.trace)" ]
else
  echo "strace is not here: only the hook was asked"
fi
