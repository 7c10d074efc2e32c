#!/usr/bin/env bash
# Installs the release build into a temporary folder and builds a program against it from outside: through the CMake
# package, through pkg-config, and against a shared library made of the archive, which must show the public face alone.
#
# Usage: scripts/test_install.sh      needs a finished release build (scripts/test.sh makes one)
source "$(dirname "$0")/common.sh"
[ $# -eq 0 ] || other_argument "$1"
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

# The archive inside somebody's shared library: what the public headers declare is there, and nothing else of MXP.
echo "== as a shared library"
read -r -a built_on <<<"$(pkg-config --libs libcrypto libxxhash libzstd fmt)"
"${CXX:-g++}" -shared -o "$work/libmxp.so" -Wl,--no-undefined -Wl,--whole-archive "$(find "$work/moved" -name libmxp.a)" -Wl,--no-whole-archive \
  "${built_on[@]}" -pthread
"${CXX:-g++}" -std=c++23 -I "$work/moved/include" tests/install/main.cpp -o "$work/install_test_shared" "$work/libmxp.so" -Wl,-rpath,"$work"
"$work/install_test_shared"
python3 tests/install/visible_symbols.py "$work/libmxp.so" "$work/moved/include/mxp"

for tool in mxp-cat mxp-perf mxp-dump mxp-netem; do
  "$work/moved/bin/$tool" --version
done

echo "== what belongs to a package"
for file in doc/mxp/LICENSE doc/mxp/protocol.md man/man1/mxp-cat.1 bash-completion/completions/mxp-cat; do
  [ -f "$work/moved/share/$file" ] || fail "$file is not installed"
done
alone() {  # COMPILER HEADER: each alone, and nothing to complain of
  "$1" -std=c++23 -x c++ -fsyntax-only -Wall -Wextra -Wpedantic -Werror -I "$moved/include" - <<<"#include <mxp/$(basename "$2")>" ||
    { echo "test_install: $(basename "$2") does not stand alone with $1" >&2; return 1; }
}
export -f alone
export moved=$work/moved
for compiler in g++ clang++-19; do
  command -v "$compiler" >/dev/null || continue
  printf '%s\0' "$moved"/include/mxp/*.h | xargs -0 -n 1 -P "$jobs" bash -c 'alone "$0" "$1"' "$compiler" || fail "headers need others before them"
done
