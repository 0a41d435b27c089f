#!/bin/sh
# Touching a kernel rebuilds its family, and no other; a second build does nothing. With Make as the generator, and
# several jobs, so that this way of building is tried too.
#   incremental_build.sh ROOT WORK
set -eu
root=$1 work=$2
rm -rf "$work" && mkdir -p "$work"
# A copy, so that no date in the tree changes.
mkdir "$work/source"
cp -r "$root/CMakeLists.txt" "$root/Sources" "$root/include" "$work/source"
cmake -S "$work/source" -B "$work/build" -G "Unix Makefiles" > "$work/log"
cmake --build "$work/build" -j2 >> "$work/log" 2>&1 || { tail -20 "$work/log"; exit 1; }

compiled() { cmake --build "$work/build" -j2 | grep -o 'Compiling .*' | sort -u || true; }
again=$(compiled)
[ -z "$again" ] || { echo "a second build compiles: $again"; exit 1; }
sleep 1
touch "$work/source/Sources/LossKit/Softmax/Sigmoid.swift"
compiled > "$work/compiled"
cat "$work/compiled"
grep -q 'Compiling Softmax' "$work/compiled" && ! grep -v 'Compiling Softmax' "$work/compiled"
