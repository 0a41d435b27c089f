#!/bin/sh
# Cross-builds the libraries for aarch64 and runs the conformance program there, under qemu: its hashes must be those
# of the host's FMA tiers.
#   aarch64.sh ROOT BUILD HOST_CONFORMANCE
set -eu
root=$1 build=$2 host=$3
mkdir -p "$build"
cmake -S "$root" -B "$build" -G Ninja -DCMAKE_TOOLCHAIN_FILE="$root/Tests/Cross/aarch64-linux-gnu.cmake" > "$build/log"
cmake --build "$build" >> "$build/log" 2>&1 || { tail -20 "$build/log"; exit 1; }

cd "$build"
compile() { # output, sources and flags...
  output=$1; shift
  aarch64-linux-gnu-gcc -O1 -ffp-contract=off -I "$root/include" "$@" -lm -pthread -o "$output"
}
run="qemu-aarch64 -L /usr/aarch64-linux-gnu"
compile conformance "$root/Tests/C/conformance.c" liblosskit.a
compile conformance_static -static "$root/Tests/C/conformance.c" liblosskit.a
compile conformance_shared "$root/Tests/C/conformance.c" liblosskit.so.1
compile threads "$root/Tests/C/threads.c" liblosskit.a

# Without the large sizes: the emulator is slow. What threads do is tested by the other program.
"$host" 1 quick > host.txt
$run ./conformance 1 quick > arm.txt
diff host.txt arm.txt || { echo "aarch64 and $(uname -m) differ"; exit 1; }
LD_LIBRARY_PATH=. $run ./conformance_shared 1 quick | diff host.txt -
qemu-aarch64 ./conformance_static 1 quick | diff host.txt -
$run ./threads 2 no-forks
"$root/Tests/Consumers/symbols.sh" liblosskit.so.1 liblosskit.a "$root/Sources/Dispatcher/exports.txt"
wc -l < arm.txt | sed 's/$/ functions give the same bits/'
