#!/bin/sh
# Every instruction set that has FMA, at every number of threads, gives the same bits; the baseline one gives its own
# bits at every number of threads.
#   same_bits.sh CONFORMANCE_PROGRAM
set -eu
program=$1
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
failed=0
compare() { # tier threads reference
  LOSSKIT_ISA=$1 "$program" "$2" > "$folder/$1-$2"
  if [ -f "$folder/$3" ]; then
    diff "$folder/$3" "$folder/$1-$2" > "$folder/difference" || {
      echo "$1 with $2 threads differs from $3:"; cat "$folder/difference"; failed=1; }
  fi
}
compare avx512 1 avx512-1  # on a machine without AVX-512, the best that it has
compare avx512 2 avx512-1
compare avx512 5 avx512-1
compare avx2 1 avx512-1
compare avx2 5 avx512-1
compare baseline 1 baseline-1
compare baseline 2 baseline-1
cat "$folder/avx512-1"
exit $failed
