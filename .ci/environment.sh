#!/bin/sh
# Installs into a Python virtual environment, which it creates when there is none.
#
#   .ci/environment.sh .venv -r requirements.txt
#
# Says on one line what it installs; the details go to a log inside the environment.
set -eu

environment=$1
shift
[ -x "$environment/bin/pip" ] || {
  echo "Creating the Python environment $environment"
  python3 -m venv "$environment"
}
log=$environment/setup.log
printf 'Installing into %s:' "$environment"
{ "$environment/bin/pip" install --disable-pip-version-check --progress-bar off "$@" 2>&1 || echo "pip failed"; } |
  tee -a "$log" | while read -r word package _; do
    [ "$word" != Collecting ] || printf ' %s' "${package%%[<>=!~;[]*}"
  done
echo
if [ "$(tail -n 1 "$log")" = "pip failed" ]; then
  tail -n 5 "$log" >&2
  exit 1
fi
