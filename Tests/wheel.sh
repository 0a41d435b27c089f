#!/bin/sh
# Installs bindings/python as a user would, in an environment of its own, and tests what was installed: that it works
# from anywhere, and that the wheel runs on the Linux systems that manylinux_2_17 stands for.
#
#   Tests/wheel.sh ENVIRONMENT [OBJECTS]
# With OBJECTS, the compiled kernels of a build of this state, they are packaged as they are, which saves minutes.
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
environment=$1
wheels=$environment/wheels
"$root/.ci/environment.sh" "$environment" -r "$root/Tests/Python/requirements.txt" auditwheel
echo "Building the wheel"
[ $# -lt 2 ] || export CMAKE_ARGS="-DLOSSKIT_OBJECTS_FROM=$(cd "$2" && pwd)"
rm -rf "$wheels"
"$environment/bin/pip" wheel --quiet --disable-pip-version-check --no-deps --wheel-dir "$wheels" "$root/bindings/python"
"$environment/bin/pip" install --quiet --disable-pip-version-check --force-reinstall --no-deps "$wheels"/losskit-*.whl
platform=$("$environment/bin/auditwheel" show "$wheels"/losskit-*.whl | tr '\n' ' ')
case $platform in
*manylinux_2_17_*) echo "The wheel keeps to manylinux_2_17" ;;
*)
  echo "The wheel asks for more than manylinux_2_17: $platform" >&2
  exit 1
  ;;
esac
python=$(cd "$environment" && pwd)/bin/python
cd /
LOSSKIT_TEST_INSTALLED=1 "$python" -m pytest -q -p no:cacheprovider "$root/Tests/Python/test_package.py"
