#!/usr/bin/env bash
# Which share of each room's lines the test programs run, as the clang build counted it. What only the tools run does not count.
# Fails if a room is below the bound.
#
# Usage: scripts/coverage.sh [--least PERCENT] [--lines ROOM]
#   --least PERCENT  the bound for every room (default 90)
#   --lines ROOM     instead, the lines of this room that no test ran
#
# Needs the tests of the clang preset to have run with LLVM_PROFILE_FILE as below; scripts/test.sh --clang does that. By hand:
#   cmake --preset clang && cmake --build --preset clang
#   LLVM_PROFILE_FILE=$PWD/build/clang/profiles/%m.profraw ctest --preset clang
source "$(dirname "$0")/common.sh"
least=90
room=
while [ $# -gt 0 ]; do
  case "$1" in
    --least) least=$(whole_number "$@"); shift 2 ;;
    --lines) room=$(value "$@"); shift 2 ;;
    *) other_argument "$1" ;;
  esac
done
build=build/clang
[ -n "$(find "$build/profiles" -name '*.profraw' 2>/dev/null | head -1)" ] || fail "nothing was counted in $build/profiles (try --help)"
find "$build/profiles" -name '*.profraw' | llvm-profdata-19 merge --sparse --failure-mode=all -f - -o "$build/profiles/all.profdata"

# A header's line counts as run if it ran in any of them.
objects=()
for program in "$build"/tests/test_*; do
  if [ -x "$program" ] && [ -f "$program" ]; then objects+=(-object "$program"); fi
done
programs=("${objects[@]:1}")
if [ -n "$room" ]; then
  llvm-cov-19 show "${programs[@]}" -instr-profile="$build/profiles/all.profdata" --sources "libmxp/$room" \
    --show-line-counts-or-regions=false --show-branches=count 2>/dev/null | awk -F'|' '/^\// {file = $0} $2 ~ /^ *0$/ {print file $1 "|" $3}'
  exit
fi
llvm-cov-19 export --format=text --summary-only "${programs[@]}" -instr-profile="$build/profiles/all.profdata" --sources libmxp |
  python3 -c '
import collections, json, re, sys

least = float(sys.argv[1])
rooms = collections.defaultdict(lambda: [0, 0])
for file in json.load(sys.stdin)["data"][0]["files"]:
    lines = file["summary"]["lines"]
    room = re.search(r"/libmxp/([^/]+)/", file["filename"])[1]
    for key in (room, "all of libmxp"):
        rooms[key][0] += lines["covered"]
        rooms[key][1] += lines["count"]
below = []
for room, (covered, count) in sorted(rooms.items()):
    share = 100 * covered / count
    print(f"{room:14} {share:5.1f} %  ({covered} of {count} lines)")
    if share < least:
        below.append(room)
if len(rooms) < 11:
    sys.exit("coverage: rooms are missing: were all tests run?")
if below:
    least_text = f"{least:g}"
    sys.exit(f"coverage: below {least_text} %: " + ", ".join(below))
' "$least"
