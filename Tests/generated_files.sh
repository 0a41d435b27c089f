#!/bin/sh
# Runs the generator into a folder of its own: what it writes must be what is committed.
#   generated_files.sh ROOT WORK
set -eu
root=$1 work=$2
rm -rf "$work" && mkdir -p "$work"
swiftc -O "$root"/Sources/InterfaceGenerator/*.swift -o "$work/generator"
"$work/generator" "$root" "$work/files" > "$work/list"
failed=0
while read -r wrote path; do
  [ "$wrote" = wrote ] || continue
  cmp "$work/files/$path" "$root/$path" || failed=1
done < "$work/list"
[ -s "$work/list" ] || failed=1
[ $failed = 0 ] || echo "stale: run make generate"
exit $failed
