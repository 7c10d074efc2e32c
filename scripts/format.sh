#!/usr/bin/env bash
# Holds every source against .clang-format, with clang-format 19: other versions differ in details.
#
# Usage: scripts/format.sh [--fix] [FILE...]
#   --fix   rewrite what differs instead of saying so
#   FILE    default: every .h and .cpp that git knows
set -euo pipefail
cd "$(dirname "$0")/.."
mode=(--dry-run -Werror)
if [ "${1:-}" = --fix ]; then mode=(-i); shift; fi
case "${1:-}" in
  -h|--help) sed -n '2,6p' "$0" | sed 's/^# \{0,1\}//'; exit 0 ;;
  -*) echo "format: unknown argument '$1' (try --help)" >&2; exit 2 ;;
esac
if [ $# -gt 0 ]; then printf '%s\0' "$@"; else git ls-files -z '*.h' '*.cpp'; fi | xargs -0 -r clang-format-19 "${mode[@]}" || {
  echo "format: scripts/format.sh --fix puts it right" >&2
  exit 1
}
echo "== format: as .clang-format has it"
