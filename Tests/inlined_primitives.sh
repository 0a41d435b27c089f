#!/bin/sh
# Are the vector primitives inlined wherever they are used? A function of VectorShims that an object contains is one
# that is called, with vectors passed through memory: Sources/LossKit/Engines/Parallel.swift says how that comes about.
#   inlined_primitives.sh OBJECT...
set -eu
failed=0
for object in "$@"; do
  called=$(nm "$object" | awk '$3 ~ /^vs_/ { printf " %s", $3 }')
  [ -z "$called" ] || {
    echo "$(basename "$object") calls$called"
    failed=1
  }
done
[ $# -gt 0 ] || failed=1
exit $failed
