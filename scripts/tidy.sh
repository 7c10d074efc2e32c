#!/usr/bin/env bash
# clang-tidy 19 with the checks of .clang-tidy over libmxp and tools; any finding fails.
#
# Usage: scripts/tidy.sh [FILE...]
#   FILE   sources to look at; without one, everything, several sources as one, which is many times cheaper
#
# Environment: JOBS limits the parallelism (default: the number of processors).
source "$(dirname "$0")/common.sh"
case "${1:-}" in
  -*) other_argument "$1" ;;
esac

# A compile database of its own, since clang-tidy needs clang's flags. Nothing is built.
database=build/tidy
unity=all
if [ $# -gt 0 ]; then
  database=build/tidy-files
  unity=off
fi
cmake --preset tidy -B "$database" -DMXP_UNITY="$unity" >/dev/null

look() {  # prints what was found, without the count of warnings in the system's headers
  clang-tidy-19 -p "$1" --quiet "$2" 2>/dev/null
}
export -f look
if [ $# -gt 0 ]; then
  printf '%s\0' "$@"
else
  # What the build itself would write (embedded files) is not there, and nobody wrote it. The longest ones come first, so that none
  # of them is left over for one processor at the end.
  python3 - "$database/compile_commands.json" <<'END'
import json, os, re, sys

def size(path):  # of a source, or of all that a unity file includes
    text = open(path).read()
    parts = re.findall(r'^#include "(/.*\.cpp)"$', text, re.M)
    return sum(map(os.path.getsize, parts)) if parts else len(text)

files = {e["file"] for e in json.load(open(sys.argv[1])) if os.path.exists(e["file"])}
sys.stdout.write("".join(f + "\0" for f in sorted(files, key=lambda f: (-size(f), f))))
END
fi | xargs -0 -r -n 1 -P "$jobs" bash -c 'look "$0" "$1"' "$database" ||
  fail "findings, or a file that does not compile"
echo "== tidy: no findings"
