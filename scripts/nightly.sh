#!/usr/bin/env bash
# What takes too long for every submission: each fuzz target for long, fresh seeds for the properties and the simulations,
# the tests again and again under load, a build with each file compiled alone, and the suite under g++'s sanitizers (those of
# clang guard every submission).
#
# Usage: scripts/nightly.sh [--hours N] [--minutes N] [--no-setup]
#   --hours N    about how long fuzzing and the rounds of tests take together, beside the builds (default 4)
#   --minutes N  the same for a short trial
#   --no-setup   do not install missing packages
#
# New inputs that the fuzzers found are merged into tests/fuzz/corpus; look at them and commit them. A seed that fails is
# printed by the test itself: docs/test-plan.md says how to give it back.
source "$(dirname "$0")/common.sh"
minutes=240
setup=1
while [ $# -gt 0 ]; do
  case "$1" in
    --hours) minutes=$(whole_number "$@"); minutes=$((minutes * 60)); shift 2 ;;
    --minutes) minutes=$(whole_number "$@"); shift 2 ;;
    --no-setup) setup=0; shift ;;
    *) other_argument "$1" ;;
  esac
done
failed=()
run() {  # run NAME COMMAND...: one failure does not keep the rest from running
  echo "== $1"
  shift
  "$@" || failed+=("$*")
}

[ "$setup" = 0 ] || scripts/setup.sh --all
cmake --preset release -B build/nightly -DMXP_UNITY=off "${launcher[@]+"${launcher[@]}"}" >/dev/null
run "each file alone" cmake --build build/nightly --parallel "$jobs"

cmake --preset asan "${launcher[@]+"${launcher[@]}"}" >/dev/null
run "sanitizers of g++: build" cmake --build --preset asan --parallel "$jobs"
run "sanitizers of g++: test" env ASAN_OPTIONS="${ASAN_OPTIONS:-detect_stack_use_after_return=1:strict_string_checks=1}" \
  UBSAN_OPTIONS="${UBSAN_OPTIONS:-print_stacktrace=1}" ctest --preset asan --parallel "$jobs"

# Half of the time for the fuzzers.
targets=$(sed -n 's/^ *mxp_fuzz_target(\([a-z_]*\).*/\1/p' tests/fuzz/CMakeLists.txt | wc -l)
run "fuzzing" scripts/fuzz.sh --merge --seconds $((minutes * 30 * jobs / targets + 1))

run "captures of other protocols" scripts/foreign_captures.sh --captures $((minutes * 4000 + 1))
run "what mxp-dump counts" env MXP_BIN=build/nightly/bin MXP_TRUTH_LINKS=50 python3 tests/tools/dump_truth_test.py

# The other half: fresh seeds until it is over. Each test binary draws its own when RC_PARAMS gives none.
end=$((SECONDS + minutes * 30))
round=0
before=${#failed[@]}
while [ $SECONDS -lt $end ] && [ ${#failed[@]} -eq "$before" ]; do
  round=$((round + 1))
  for test in core crypto reliability scheduler message netem connection security; do
    run "round $round: $test" env -u RC_PARAMS "build/nightly/tests/test_$test" --log_level=error
  done
  run "round $round: sim" env MXP_SIM_SEEDS=20000 MXP_SIM_FIRST=$((RANDOM * 20000)) build/nightly/tests/test_sim --log_level=error
  run "round $round: everything, more at once than there are processors" ctest --test-dir build/nightly --output-on-failure --parallel $((2 * jobs))
done

if [ ${#failed[@]} -gt 0 ]; then
  printf 'nightly: failed: %s\n' "${failed[@]}" >&2
  exit 1
fi
echo "== nightly: nothing found in $round rounds"
