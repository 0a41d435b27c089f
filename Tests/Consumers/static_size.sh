#!/bin/sh
# A static program linked with --gc-sections carries what it calls: LossKit's part of a C program that calls one
# function stays below a limit.
#   static_size.sh STATIC_LIBRARY [FUNCTION [LIMIT]]
set -eu
library=$1
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

has() { nm -g --defined-only "$library" | grep -q " $1\$"; }
function=${2:-losskit_nms_f32}
has "$function" || function=losskit_sigmoid_f32
limit=${3:-102400}

echo 'int main(void) { return 0; }' > "$folder/main.c"
size_of() { size "$1" | awk 'NR == 2 { print $1 + $2 + $3 }'; }
gcc -O1 "$folder/main.c" -Wl,--gc-sections -o "$folder/without"
gcc -O1 "$folder/main.c" -Wl,--gc-sections -Wl,--undefined="$function" "$library" -pthread -lm -o "$folder/with"
used=$(($(size_of "$folder/with") - $(size_of "$folder/without")))
gcc -O1 "$folder/main.c" -Wl,--whole-archive "$library" -Wl,--no-whole-archive -pthread -lm -o "$folder/all"
echo "$function: $used bytes of LossKit (limit $limit; all of it is $(($(size_of "$folder/all") - $(size_of "$folder/without"))))"
[ "$used" -gt 0 ] && [ "$used" -lt "$limit" ]
