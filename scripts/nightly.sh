#!/usr/bin/env bash
# What takes too long for every submission: each fuzz target for long, fresh seeds for the properties and the simulations,
# the tests again and again under load, and a build with each file compiled alone.
#
# Usage: scripts/nightly.sh [--hours N]
#   --hours N  about how long it may take (default 4)
#
# New inputs that the fuzzers found are merged into tests/fuzz/corpus; look at them and commit them. A seed that fails is
# printed by the test itself: docs/test-plan.md says how to give it back.
set -euo pipefail
cd "$(dirname "$0")/.."
hours=4
while [ $# -gt 0 ]; do
  case "$1" in
    --hours) hours=$2; shift 2 ;;
    -h|--help) sed -n '2,9p' "$0" | sed 's/^# \{0,1\}//'; exit 0 ;;
    *) echo "nightly: unknown argument '$1' (try --help)" >&2; exit 2 ;;
  esac
done
[[ $hours =~ ^[1-9][0-9]*$ ]] || { echo "nightly: --hours takes a whole number, not '$hours'" >&2; exit 2; }
jobs=${JOBS:-$(nproc)}
failed=()
run() {  # run NAME COMMAND...: one failure does not keep the rest from running
  echo "== $1"
  shift
  "$@" || failed+=("$*")
}

scripts/setup.sh --all
cmake --preset release -B build/nightly -DMXP_UNITY=off >/dev/null
run "each file alone" cmake --build build/nightly --parallel "$jobs"

# Half of the time for the fuzzers.
targets=$(sed -n 's/^ *mxp_fuzz_target(\([a-z_]*\).*/\1/p' tests/fuzz/CMakeLists.txt | wc -l)
run "fuzzing" scripts/fuzz.sh --merge --seconds $((hours * 1800 * jobs / targets))

# The other half: fresh seeds until it is over. Each test binary draws its own when RC_PARAMS gives none.
end=$((SECONDS + hours * 1800))
round=0
while [ $SECONDS -lt $end ] && [ ${#failed[@]} -eq 0 ]; do
  round=$((round + 1))
  for test in core crypto reliability scheduler message netem connection security; do
    run "round $round: $test" env -u RC_PARAMS "build/nightly/tests/test_$test" --log_level=error
  done
  run "round $round: sim" env MXP_SIM_SEEDS=2000 MXP_SIM_FIRST=$((RANDOM * 10000)) build/nightly/tests/test_sim --log_level=error
  run "round $round: everything, more at once than there are processors" ctest --test-dir build/nightly --output-on-failure --parallel $((2 * jobs))
done

if [ ${#failed[@]} -gt 0 ]; then
  printf 'nightly: failed: %s\n' "${failed[@]}" >&2
  exit 1
fi
echo "== nightly: nothing found in $round rounds"
