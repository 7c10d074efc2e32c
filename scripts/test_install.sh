#!/usr/bin/env bash
# Installs the release build into a temporary folder and builds a program against it from outside: once through the
# CMake package, once through pkg-config. Needs a finished release build (scripts/test.sh makes one).
set -euo pipefail
cd "$(dirname "$0")/.."
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

cmake --install build/release --prefix "$work/prefix" >/dev/null
cmake -S tests/install -B "$work/build" -G Ninja -DCMAKE_PREFIX_PATH="$work/prefix" >/dev/null
cmake --build "$work/build" >/dev/null
echo "== through the CMake package"
"$work/build/install_test"

# The prefix in mxp.pc is the one that was configured; here it is another.
export PKG_CONFIG_PATH
PKG_CONFIG_PATH=$(dirname "$(find "$work/prefix" -name mxp.pc)")
read -r -a flags <<<"$(pkg-config --define-variable=prefix="$work/prefix" --static --cflags --libs mxp)"
"${CXX:-g++}" -std=c++23 tests/install/main.cpp -o "$work/install_test_pc" "${flags[@]}"
echo "== through pkg-config"
"$work/install_test_pc"
for tool in mxp-cat mxp-perf mxp-dump mxp-netem; do
  "$work/prefix/bin/$tool" --version
done
