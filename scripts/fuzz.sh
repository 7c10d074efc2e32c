#!/usr/bin/env bash
# Builds the fuzz preset (clang 19) and runs each target for a while, as many at once as there are processors. New inputs
# are kept beside the build; a finding stops that target, and the script says where its reproducer is and exits 1.
#
# Usage: scripts/fuzz.sh [--seconds N] [--merge] [--no-build] [TARGET...]
#   --seconds N  for each target (default 60)
#   --merge      afterwards add the inputs that reach something new to tests/fuzz/corpus/
#   --no-build   run what is there: any build with MXP_FUZZ=ON, such as that of the clang preset
#   TARGET       as the files of tests/fuzz/ are called, e.g. frames (default: all)
#
# Environment: MXP_FUZZ_BUILD is the build folder (default build/fuzz); JOBS limits the parallelism.
source "$(dirname "$0")/common.sh"

seconds=60
merge=0
builds=1
targets=()
while [ $# -gt 0 ]; do
  case "$1" in
    --seconds) seconds=$(whole_number "$@"); shift 2 ;;
    --merge) merge=1; shift ;;
    --no-build) builds=0; shift ;;
    -*) other_argument "$1" ;;
    *) targets+=("$1"); shift ;;
  esac
done

build=${MXP_FUZZ_BUILD:-build/fuzz}
if [ "$builds" = 1 ]; then
  cmake --preset fuzz -B "$build" "${launcher[@]+"${launcher[@]}"}" >/dev/null
  cmake --build "$build" --target fuzz_programs --parallel "$jobs"
fi

if [ ${#targets[@]} -eq 0 ]; then
  for program in "$build"/fuzz/fuzz_*; do
    if [ -f "$program" ]; then targets+=("$(basename "$program" | sed 's/^fuzz_//')"); fi
  done
fi
for target in "${targets[@]}"; do
  [ -x "$build/fuzz/fuzz_$target" ] || fail "there is no target '$target' (see tests/fuzz/)" 2
done

# One target, its output in one piece.
run() {
  local target=$1 build=$2 seconds=$3 merge=$4
  local program="$build/fuzz/fuzz_$target" found="$build/fuzz/found/$target" reproducers="$build/fuzz/reproducers/$target"
  local corpus="tests/fuzz/corpus/$target" log="$build/fuzz/$target.log" before
  mkdir -p "$found" "$reproducers"
  before=$(find "$reproducers" -type f | wc -l)
  # Inputs stay small: parsers of datagrams have nothing to gain from more.
  if ! "$program" -max_total_time="$seconds" -max_len=2048 -timeout=10 -rss_limit_mb=2048 -print_final_stats=1 -verbosity=0 -close_fd_mask=1 \
      -artifact_prefix="$reproducers/" "$found" "$corpus" >"$log" 2>&1; then
    echo "== $target: a finding"
    tail -n 60 "$log"
    if [ "$(find "$reproducers" -type f | wc -l)" -gt "$before" ]; then
      echo "fuzz: $target: reproducer $(find "$reproducers" -type f -printf '%T@ %p\n' | sort -n | tail -1 | cut -d' ' -f2-)"
    fi
    return 1
  fi
  echo "== $target: ${seconds}s, $(sed -n 's/^stat::number_of_executed_units: *//p' "$log") inputs, no finding"
  if [ "$merge" = 1 ]; then
    # Only what reaches new code, as few and as small files as will do: the corpus is committed.
    "$program" -set_cover_merge=1 -use_counters=0 -max_len=512 -verbosity=0 "$corpus" "$found" >/dev/null 2>&1 ||
      { echo "fuzz: $target: the corpus could not be merged"; return 1; }
    echo "== $target: $(find "$corpus" -type f | wc -l) inputs in its corpus"
  fi
}
export -f run
printf '%s\0' "${targets[@]}" | xargs -0 -n 1 -P "$jobs" bash -c 'set -uo pipefail; run "$4" "$1" "$2" "$3"' fuzz "$build" "$seconds" "$merge" ||
  fail "there are findings"
echo "== no findings"
