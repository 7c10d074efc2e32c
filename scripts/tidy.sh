#!/usr/bin/env bash
# clang-tidy 19 with the checks of .clang-tidy over libmxp and tools; any finding fails.
#
# Usage: scripts/tidy.sh [FILE...]
#   FILE   sources to look at; without one, everything, several sources as one, which is many times cheaper
#
# Environment: JOBS limits the parallelism (default: the number of processors).
set -euo pipefail
cd "$(dirname "$0")/.."
case "${1:-}" in
  -h|--help) sed -n '2,7p' "$0" | sed 's/^# \{0,1\}//'; exit 0 ;;
  -*) echo "tidy: unknown argument '$1' (try --help)" >&2; exit 2 ;;
esac
jobs=${JOBS:-$(nproc)}

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
  python3 -c 'import json, sys; sys.stdout.write("".join(entry["file"] + "\0" for entry in json.load(open(sys.argv[1]))))' "$database/compile_commands.json"
fi | xargs -0 -r -n 1 -P "$jobs" bash -c 'look "$0" "$1"' "$database" || {
  echo "tidy: findings, or a file that does not compile" >&2
  exit 1
}
echo "== tidy: no findings"
