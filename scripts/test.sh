#!/usr/bin/env bash
# Builds the release preset and runs all tests; everything from a bare clone.
#
# Usage: scripts/test.sh [--all] [--clang] [--no-setup]
#   --all       what guards a submission, cheapest first: the format; clang-tidy; the release build, its tests, and the installed
#               package used from outside; the thread sanitizer over the event loop; and --clang
#   --clang     a build with clang 19 whose warnings are errors, with the address and undefined-behaviour sanitizers: all tests,
#               which share of each room they cover, and five seconds of each fuzz target
#   --no-setup  do not install missing packages
#
# Environment: MXP_NOISE_VECTORS names the folder of the published Noise vectors (noise.json); without it those cases
# are reported as skipped. JOBS limits the parallelism (default: the number of processors).
source "$(dirname "$0")/common.sh"

all=0
clang=0
setup=1
for argument in "$@"; do
  case "$argument" in
    --all) all=1; clang=1 ;;
    --clang) clang=1 ;;
    --no-setup) setup=0 ;;
    *) other_argument "$argument" ;;
  esac
done

if [ "$setup" = 1 ]; then
  if [ "$clang" = 1 ]; then scripts/setup.sh --all; else scripts/setup.sh; fi
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

step() { printf '== %s (after %d min %02d s)\n' "$1" $((SECONDS / 60)) $((SECONDS % 60)); }

# build PRESET [TARGET...]
build() {
  local preset=$1
  shift
  step "$preset: configure"
  cmake --preset "$preset" "-DMXP_NOISE_VECTORS=${MXP_NOISE_VECTORS:-}" "${launcher[@]+"${launcher[@]}"}" >"$work/configure" 2>&1 || {
    cat "$work/configure"; return 1; }
  step "$preset: build"
  cmake --build --preset "$preset" --parallel "$jobs" ${1:+--target "$@"}
}

# tests PRESET: all of ctest, and its summary once more at the end.
tests() {
  step "$1: test"
  ctest --preset "$1" --parallel "$jobs" | tee "$work/ctest"
  { echo "== $1"; sed -n '/% tests passed/,$p' "$work/ctest"; } >>"$work/summaries"
}

if [ "$all" = 1 ]; then
  step format
  scripts/format.sh
  step clang-tidy
  JOBS=$jobs scripts/tidy.sh
fi
export ASAN_OPTIONS=${ASAN_OPTIONS:-detect_stack_use_after_return=1:strict_string_checks=1}
export UBSAN_OPTIONS=${UBSAN_OPTIONS:-print_stacktrace=1}

if [ "$all" = 1 ] || [ "$clang" = 0 ]; then
  build release
  tests release
fi
if [ "$all" = 1 ]; then
  step "installed package"
  scripts/test_install.sh

  build tsan test_udp
  step "tsan: test of the event loop"
  build/tsan/tests/test_udp --color_output=no
fi
if [ "$clang" = 1 ]; then
  build clang
  rm -rf build/clang/profiles
  export LLVM_PROFILE_FILE=$PWD/build/clang/profiles/%m.profraw
  tests clang
  export LLVM_PROFILE_FILE=/dev/null
  step coverage
  scripts/coverage.sh
  step fuzz
  MXP_FUZZ_BUILD=build/clang JOBS=$jobs scripts/fuzz.sh --no-build --seconds 5
fi
cat "$work/summaries"
step "all passed"
