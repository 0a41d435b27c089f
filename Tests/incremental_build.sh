#!/bin/sh
# Touching a kernel rebuilds the part it is compiled in, and no others; a second build does nothing. With Make as the generator,
# several jobs and one instruction set, so that these ways of building are tried too.
#   incremental_build.sh ROOT WORK OBJECTS
# OBJECTS has the kernels of this state, compiled: it is not the first build that is tried.
set -eu
root=$1 work=$2 objects=$3
case $(uname -m) in x86_64) tier=avx2 ;; *) tier=neon ;; esac
rm -rf "$work" && mkdir -p "$work"
# A copy, so that no date in the tree changes.
mkdir "$work/source"
cp -r "$root/CMakeLists.txt" "$root/Sources" "$root/include" "$work/source"
cmake -S "$work/source" -B "$work/build" -G "Unix Makefiles" -DLOSSKIT_ONLY_TIER="$tier" > "$work/log"
cp "$objects"/*."$tier".o "$work/build/objects"
cmake --build "$work/build" -j2 >> "$work/log" 2>&1 || { tail -20 "$work/log"; exit 1; }

compiled() { cmake --build "$work/build" -j2 | grep -o 'Compiling .*' | sort -u || true; }
again=$(compiled)
[ -z "$again" ] || { echo "a second build compiles: $again"; exit 1; }
sleep 1
touch "$work/source/Sources/LossKit/Softmax/SigmoidGate.swift"
compiled > "$work/compiled"
cat "$work/compiled"
[ "$(cat "$work/compiled")" = "Compiling Softmax for $tier" ]
