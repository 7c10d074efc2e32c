#!/usr/bin/env bash
# Reads mutated captures of other protocols in one process and fails if MXP is found in one of them, or if a capture
# crashes or holds up the reader, or if its memory grows.
#
# Usage: scripts/foreign_captures.sh [--captures N] [--seed N] [--no-build]
#   --captures N  how many (default 1000000)
#   --seed N      the first one's seed; each next one has the next (default: drawn, and printed)
#   --no-build    run what is there
#
# Environment: MXP_FOREIGN_BUILD is the build folder (default build/release); JOBS limits the parallelism of the build.
source "$(dirname "$0")/common.sh"

captures=1000000
seed=$((RANDOM * 32768 * 32768 + RANDOM * 32768 + RANDOM))
builds=1
while [ $# -gt 0 ]; do
  case "$1" in
    --captures) captures=$(whole_number "$@"); shift 2 ;;
    --seed) seed=$(whole_number "$@"); shift 2 ;;
    --no-build) builds=0; shift ;;
    *) other_argument "$1" ;;
  esac
done

build=${MXP_FOREIGN_BUILD:-build/release}
if [ "$builds" = 1 ]; then
  cmake --preset release -B "$build" "${launcher[@]+"${launcher[@]}"}" >/dev/null
  cmake --build "$build" --target foreign_captures --parallel "$jobs"
fi
[ -x "$build/tests/foreign_captures" ] || fail "there is no $build/tests/foreign_captures: run without --no-build" 2
echo "== foreign captures: $captures from seed $seed"
"$build/tests/foreign_captures" "$captures" "$seed" || fail "a finding; the seed stands above"
