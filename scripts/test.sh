#!/usr/bin/env bash
# Builds the release preset and runs all tests; everything from a bare clone.
#
# Usage: scripts/test.sh [--all] [--no-setup]
#   --all       then the same suite under the address and undefined-behaviour sanitizers, and the installed
#               package used from outside; what CI runs
#   --no-setup  do not install missing packages
#
# Environment: MXP_NOISE_VECTORS names the folder of the published Noise vectors (noise.json); without it those cases
# are reported as skipped. JOBS limits the parallelism (default: the number of processors).
set -euo pipefail
cd "$(dirname "$0")/.."

all=0
setup=1
for argument in "$@"; do
  case "$argument" in
    --all) all=1 ;;
    --no-setup) setup=0 ;;
    -h|--help) sed -n '2,12p' "$0" | sed 's/^# \{0,1\}//'; exit 0 ;;
    *) echo "test: unknown argument '$argument' (try --help)" >&2; exit 2 ;;
  esac
done

[ "$setup" = 0 ] || scripts/setup.sh
jobs=${JOBS:-$(nproc)}
launcher=()
command -v ccache >/dev/null && launcher=(-DCMAKE_CXX_COMPILER_LAUNCHER=ccache)

build_and_test() {
  local preset=$1
  echo "== $preset: configure"
  cmake --preset "$preset" "-DMXP_NOISE_VECTORS=${MXP_NOISE_VECTORS:-}" "${launcher[@]+"${launcher[@]}"}" >"/tmp/mxp-configure.$$" 2>&1 || {
    cat "/tmp/mxp-configure.$$"; rm -f "/tmp/mxp-configure.$$"; return 1; }
  rm -f "/tmp/mxp-configure.$$"
  echo "== $preset: build"
  cmake --build --preset "$preset" --parallel "$jobs"
  echo "== $preset: test"
  ctest --preset "$preset" --parallel "$jobs"
}

build_and_test release
if [ "$all" = 1 ]; then
  scripts/test_install.sh
  export ASAN_OPTIONS=${ASAN_OPTIONS:-detect_stack_use_after_return=1:strict_string_checks=1}
  export UBSAN_OPTIONS=${UBSAN_OPTIONS:-print_stacktrace=1}
  build_and_test asan
fi
echo "== all passed"
