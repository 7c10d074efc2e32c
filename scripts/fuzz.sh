#!/usr/bin/env bash
# Builds the fuzz preset (clang 19) and runs each target for a while, one after the other. New inputs are kept beside the
# build; a finding stops that target, and the script says where its reproducer is and exits 1.
#
# Usage: scripts/fuzz.sh [--seconds N] [--merge] [TARGET...]
#   --seconds N  for each target (default 60)
#   --merge      afterwards add the inputs that reach something new to tests/fuzz/corpus/
#   TARGET       as the files of tests/fuzz/ are called, e.g. frames (default: all)
#
# Environment: MXP_FUZZ_BUILD is the build folder (default build/fuzz); JOBS limits the parallelism of the build.
set -euo pipefail
cd "$(dirname "$0")/.."

seconds=60
merge=0
targets=()
while [ $# -gt 0 ]; do
  case "$1" in
    --seconds) shift; seconds=${1:?--seconds needs a number} ;;
    --merge) merge=1 ;;
    -h|--help) sed -n '2,11p' "$0" | sed 's/^# \{0,1\}//'; exit 0 ;;
    -*) echo "fuzz: unknown argument '$1' (try --help)" >&2; exit 2 ;;
    *) targets+=("$1") ;;
  esac
  shift
done
[[ $seconds =~ ^[1-9][0-9]*$ ]] || { echo "fuzz: --seconds takes a whole number, not '$seconds'" >&2; exit 2; }

build=${MXP_FUZZ_BUILD:-build/fuzz}
launcher=()
command -v ccache >/dev/null && launcher=(-DCMAKE_CXX_COMPILER_LAUNCHER=ccache)
cmake --preset fuzz -B "$build" "${launcher[@]+"${launcher[@]}"}" >/dev/null
cmake --build "$build" --target fuzz_programs --parallel "${JOBS:-$(nproc)}"

if [ ${#targets[@]} -eq 0 ]; then
  for program in "$build"/fuzz/fuzz_*; do targets+=("$(basename "$program" | sed 's/^fuzz_//')"); done
fi

failed=()
for target in "${targets[@]}"; do
  program="$build/fuzz/fuzz_$target"
  [ -x "$program" ] || { echo "fuzz: there is no target '$target' (see tests/fuzz/)" >&2; exit 2; }
  found="$build/fuzz/found/$target"
  reproducers="$build/fuzz/reproducers/$target"
  corpus="tests/fuzz/corpus/$target"
  mkdir -p "$found" "$reproducers"
  before=$(find "$reproducers" -type f | wc -l)
  echo "== $target: ${seconds}s"
  # Inputs stay small: parsers of datagrams have nothing to gain from more.
  if ! "$program" -max_total_time="$seconds" -max_len=2048 -timeout=10 -rss_limit_mb=2048 -print_final_stats=1 -verbosity=0 \
      -artifact_prefix="$reproducers/" "$found" "$corpus"; then
    failed+=("$target")
    if [ "$(find "$reproducers" -type f | wc -l)" -gt "$before" ]; then
      echo "fuzz: $target: reproducer $(find "$reproducers" -type f -printf '%T@ %p\n' | sort -n | tail -1 | cut -d' ' -f2-)" >&2
    fi
    continue
  fi
  if [ "$merge" = 1 ]; then
    # Only what reaches new code, as few and as small files as will do: the corpus is committed.
    "$program" -set_cover_merge=1 -use_counters=0 -max_len=512 -verbosity=0 "$corpus" "$found" >/dev/null 2>&1 ||
      { echo "fuzz: $target: the corpus could not be merged" >&2; exit 1; }
    echo "== $target: $(find "$corpus" -type f | wc -l) inputs in its corpus"
  fi
done

if [ ${#failed[@]} -gt 0 ]; then
  echo "fuzz: findings in: ${failed[*]}" >&2
  exit 1
fi
echo "== no findings"
