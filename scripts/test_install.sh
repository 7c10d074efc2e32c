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

# The installation may have been moved, and the archive is static: pkg-config must know both by itself.
mv "$work/prefix" "$work/moved"
PKG_CONFIG_PATH=$(dirname "$(find "$work/moved" -name mxp.pc)")
export PKG_CONFIG_PATH
read -r -a flags <<<"$(pkg-config --cflags --libs mxp)"
"${CXX:-g++}" -std=c++23 tests/install/main.cpp -o "$work/install_test_pc" "${flags[@]}"
echo "== through pkg-config"
"$work/install_test_pc"
for tool in mxp-cat mxp-perf mxp-dump mxp-netem; do
  "$work/moved/bin/$tool" --version
done

echo "== what belongs to a package"
for file in doc/mxp/LICENSE doc/mxp/protocol.md man/man1/mxp-cat.1 bash-completion/completions/mxp-cat; do
  [ -f "$work/moved/share/$file" ] || { echo "test_install: $file is not installed" >&2; exit 1; }
done
for compiler in g++ clang++-19; do
  command -v "$compiler" >/dev/null || continue
  for header in "$work"/moved/include/mxp/*.h; do  # each alone, and nothing to complain of
    "$compiler" -std=c++23 -x c++ -fsyntax-only -Wall -Wextra -Wpedantic -Werror -I "$work/moved/include" - <<<"#include <mxp/$(basename "$header")>" || {
      echo "test_install: $(basename "$header") does not stand alone with $compiler" >&2; exit 1; }
  done
done
