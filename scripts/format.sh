#!/usr/bin/env bash
# Holds every source against .clang-format, with clang-format 19: other versions differ in details.
#
# Usage: scripts/format.sh [--fix] [FILE...]
#   --fix   rewrite what differs instead of saying so
#   FILE    default: every .h and .cpp that git knows
source "$(dirname "$0")/common.sh"
mode=(--dry-run -Werror)
if [ "${1:-}" = --fix ]; then mode=(-i); shift; fi
case "${1:-}" in
  -*) other_argument "$1" ;;
esac
if [ $# -gt 0 ]; then printf '%s\0' "$@"; else git ls-files -z '*.h' '*.cpp'; fi | xargs -0 -r clang-format-19 "${mode[@]}" ||
  fail "scripts/format.sh --fix puts it right"
echo "== format: as .clang-format has it"
