#!/usr/bin/env bash
# A gate for pipelines: builds two commits, runs their mxp-perf in turn, makes a page of the results, and exits 6 where the
# newer commit is worse for certain. Any other failure is its own exit code.
#
# Usage: examples/pipeline/compare.sh BASE_COMMIT NEW_COMMIT FOLDER
#
# FOLDER gets the results of all runs, a comparison of each test, summary.txt and report.html. Variables:
#   RUNS            pairs of runs of each test (10)
#   DURATION        of each run (2s)
#   MAX_REGRESSION  how much worse may be (3%)
#   TESTS           "NAME ARGUMENT…", one test a line
#   BASE_BIN, NEW_BIN   folders with mxp-perf and mxp-netem of either commit: then that commit is not built
set -euo pipefail
[ $# -eq 3 ] || { sed -n '2,${/^#/!q;s/^# \{0,1\}//p}' "$0" >&2; exit 2; }
base=$1 new=$2 out=$3
runs=${RUNS:-10} duration=${DURATION:-2s} limit=${MAX_REGRESSION:-3%}
tests=${TESTS:-"bulk --test bulk
calls --test rr
calls-at-a-rate --test rr --rate 2000
messages-over-a-lossy-link --test messages --rate 5000 --link 'delay 5ms loss 1%'"}
format=text
[ -z "${GITHUB_ACTIONS:-}" ] || format=github
mkdir -p "$out"

# build COMMIT FOLDER: the tools of a commit, in FOLDER/build/bin
build() {
  git worktree add --force --detach "$2" "$1" >&2
  "$2/scripts/setup.sh" >&2
  cmake -S "$2" -B "$2/build" -G Ninja -DCMAKE_BUILD_TYPE=Release -DMXP_BUILD_TESTS=OFF >&2
  cmake --build "$2/build" --target mxp-perf mxp-netem >&2
}

trees=$(mktemp -d)
clean_up() {
  for tree in "$trees"/*/; do [ ! -d "$tree" ] || git worktree remove --force "$tree"; done
  rm -rf "$trees"
}
trap clean_up EXIT
[ -n "${BASE_BIN:-}" ] || { build "$base" "$trees/base"; BASE_BIN=$trees/base/build/bin; }
[ -n "${NEW_BIN:-}" ] || { build "$new" "$trees/new"; NEW_BIN=$trees/new/build/bin; }

verdict=0
: >"$out/summary.txt"
while read -r name arguments; do
  [ -n "$name" ] || continue
  eval "arguments=($arguments)"  # quoted as in a shell: the specification of a link is one word
  code=0
  "$NEW_BIN/mxp-perf" compare --runs "$runs" "$BASE_BIN/mxp-perf" "$NEW_BIN/mxp-perf" --max-regression "$limit" --format "$format" \
    --keep "$out/$name" --json="$out/$name.json" -- "${arguments[@]}" --duration "$duration" --no-limits | tee -a "$out/summary.txt" || code=$?
  case $code in
    0) ;;
    6) verdict=6 ;;
    *) exit "$code" ;;
  esac
done <<<"$tests"

"$NEW_BIN/mxp-perf" report "$out"/*.json "$out"/*/*.json -o "$out/report.html" --title "mxp-perf: $new against $base"
exit "$verdict"
