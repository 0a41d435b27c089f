#!/bin/sh
# What the libraries show to the outside: their functions and nothing else, libc alone as a need, and no symbol version
# that glibc 2.17 lacks.
#   symbols.sh SHARED_LIBRARY STATIC_LIBRARY EXPORTS
set -eu
shared=$1 static=$2 exports=$3
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
failed=0
fail() { echo "$@"; failed=1; }

{ cat "$exports"
  printf 'losskit_%s\n' version isa_name status_string set_num_threads get_num_threads
} | sort > "$folder/expected"
nm -D --defined-only "$shared" | awk '$2 != "A" { sub(/@.*/, "", $3); print $3 }' | sort > "$folder/shared"
nm -g --defined-only "$static" | awk 'NF == 3 { print $3 }' | sort > "$folder/static"
for kind in shared static; do
  diff "$folder/expected" "$folder/$kind" || fail "the $kind library's symbols are not those of the header"
done

readelf -d "$shared" > "$folder/dynamic"
grep -q 'SONAME.*\[liblosskit.so.1\]' "$folder/dynamic" || fail "the SONAME is not liblosskit.so.1"
grep NEEDED "$folder/dynamic" | grep -v -E '\[(libc\.so\.6|libm\.so\.6)\]' && fail "needs more than libc and libm"
grep -q -E 'TEXTREL|RPATH|RUNPATH' "$folder/dynamic" && fail "text relocations, or a path of this machine"

readelf -V "$shared" | grep -o 'GLIBC_[0-9.]*' | sort -u -V > "$folder/versions"
newest=$(printf 'GLIBC_2.17\n' | cat "$folder/versions" - | sort -V | tail -1)
[ "$newest" = GLIBC_2.17 ] || fail "needs $newest"
nm -D "$shared" | grep -q ' w pthread_create@GLIBC_2' || fail "pthread_create is not a weak reference to the old version"

echo "$(wc -l < "$folder/shared") functions, $(stat -L -c %s "$shared") bytes, needs $(tr '\n' ' ' < "$folder/versions")"
exit $failed
