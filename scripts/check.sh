#!/usr/bin/env bash
# The quick checks, for use before a commit: format, the direction of includes, the texts, clang-tidy over the sources that
# changed, and the tests of the rooms that changed. About a minute after a small change.
#
# Usage: scripts/check.sh [--since COMMIT]
#   --since COMMIT  what counts as changed (default: HEAD, so what is not committed yet)
#
# Tests are built in build/release if that is there, else they are left to scripts/test.sh.
source "$(dirname "$0")/common.sh"
since=HEAD
while [ $# -gt 0 ]; do
  case "$1" in
    --since) since=$(value "$@"); shift 2 ;;
    *) other_argument "$1" ;;
  esac
done

mapfile -t changed < <({ git diff --name-only --diff-filter=d "$since"; git ls-files --others --exclude-standard; } | sort -u)
sources=()
parsed=()
tests=()
for file in "${changed[@]+"${changed[@]}"}"; do
  case "$file" in *.h|*.cpp) sources+=("$file") ;; esac
  case "$file" in libmxp/*.cpp|tools/*.cpp) parsed+=("$file") ;; esac
  case "$file" in
    libmxp/include/*|libmxp/core/*) tests+=(core connection sim) ;;
    libmxp/endpoint/*|tests/unit/endpoint/*) tests+=(connection security) ;;
    libmxp/connection/*) tests+=(connection sim security) ;;
    libmxp/*/*.cpp|libmxp/*/*.h|tests/unit/*/*.cpp|tests/property/*/*.cpp)
      room=${file#libmxp/}; room=${room#tests/unit/}; room=${room#tests/property/}; tests+=("${room%%/*}") ;;
    tests/sim/*) tests+=(sim) ;;
    tests/security/*) tests+=(security) ;;
  esac
  case "$file" in tools/*|tests/unit/tools/*) tests+=(tools dump_parts netem_parts) ;; esac
done

[ ${#sources[@]} -eq 0 ] || scripts/format.sh "${sources[@]}"
python3 tests/includes_test.py .
python3 tests/docs_test.py .
[ ${#parsed[@]} -eq 0 ] || scripts/tidy.sh "${parsed[@]}"
if [ ${#tests[@]} -gt 0 ] && [ -f build/release/build.ninja ]; then
  mapfile -t names < <(printf '%s\n' "${tests[@]}" | sort -u | while read -r name; do
    if ninja -C build/release -t query "test_$name" >/dev/null 2>&1; then echo "$name"; fi; done)
  if [ ${#names[@]} -gt 0 ]; then
    cmake --build build/release --parallel "$jobs" --target "${names[@]/#/test_}"
    ctest --test-dir build/release --output-on-failure -R "^($(IFS='|'; echo "${names[*]}"))\$"
  fi
fi
echo "== checked"
