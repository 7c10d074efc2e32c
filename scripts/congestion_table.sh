#!/usr/bin/env bash
# Prints the tables of docs/benchmarks.md, "Congestion control in the simulator": each controller on each link, and how
# long whole transfers take, in virtual time, as Markdown. It takes some minutes of one processor; the same seeds give the
# same tables on every machine.
#
# Usage: scripts/congestion_table.sh [--seeds N] [--seconds N] [--all-seeds] [--transfers] [--only LINK]
#   --seeds N    runs for each line (default 5)
#   --seconds N  virtual seconds measured in each run, after the flow has settled (default 40)
#   --all-seeds  print each run to standard error too
#   --transfers  print the tables of whole transfers alone
#   --only LINK  one line, under the default controller: that of the link with this name
source "$(dirname "$0")/common.sh"
arguments=()
while [ $# -gt 0 ]; do
  case "$1" in
    --seeds | --seconds) arguments+=("$1" "$(whole_number "$@")"); shift 2 ;;
    --only) arguments+=("$1" "$(value "$@")"); shift 2 ;;
    --all-seeds | --transfers) arguments+=("$1"); shift ;;
    *) other_argument "$1" ;;
  esac
done
cmake --preset release "${launcher[@]+"${launcher[@]}"}" >/dev/null
cmake --build --preset release --parallel "$jobs" --target congestion_table >&2
exec build/release/tests/congestion_table "${arguments[@]+"${arguments[@]}"}"
