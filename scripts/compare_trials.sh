#!/usr/bin/env bash
# Whether `mxp-perf compare` can be trusted on this machine, as it is: it must find a loss of 5 % that an emulated link
# injects in at least 19 of 20 trials, and call the same program worse in at most one of 20, by data over loopback whose
# speed other programs disturb. Exits 1 otherwise. About 20 minutes.
#
# Usage: scripts/compare_trials.sh [TRIALS [KIND…]]      KIND: slower, same-bulk, same-calls; MXP_BIN names the folder of the tools
source "$(dirname "$0")/common.sh"

case ${1:-20} in -*) other_argument "$1" ;; *[!0-9]*) fail "'$1' is no number of trials" 2 ;; esac
trials=${1:-20}
[ $# -eq 0 ] || shift
kinds=("$@")
[ ${#kinds[@]} -gt 0 ] || kinds=(slower same-bulk same-calls)
perf=${MXP_BIN:-build/release/bin}/mxp-perf
[ -x "$perf" ] || fail "$perf is missing: build first, or name the folder with MXP_BIN"
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

# one_of KIND: compares once; how that ended is in $code.
one_of() {
  local base=$perf new=$perf arguments=(--duration 0.4s)
  case $1 in
    # The link makes up for what the machine does in between; the beginning of a flow is no matter of its rate.
    slower) base="$perf run --link 'rate 50mbit'" new="$perf run --link 'rate 47.5mbit'" arguments=(--duration 1.2s --omit 0.2s) ;;
    same-bulk) ;;
    same-calls) arguments+=(--test rr) ;;
    *) fail "'$1' is no kind of trial (try --help)" 2 ;;
  esac
  code=0
  "$perf" compare --runs 10 "$base" "$new" --max-regression 2% -- "${arguments[@]}" --no-limits >"$folder/out" 2>"$folder/err" || code=$?
  [ "$code" = 0 ] || [ "$code" = 6 ] || fail "$1: exit $code: $(cat "$folder/err")"
}

ok=0
for kind in "${kinds[@]}"; do
  worse=0
  for ((i = 1; i <= trials; ++i)); do
    one_of "$kind"
    if [ "$code" = 6 ]; then worse=$((worse + 1)); fi
    echo "$kind $i: exit $code: $(grep -E '^(goodput|messages) .*[a-zN]$' "$folder/out")"
  done
  echo "$kind: called worse in $worse of $trials trials; load $(cut -d' ' -f1-3 /proc/loadavg) on $(nproc) processors"
  if [ "$kind" = slower ]; then
    [ $((20 * worse)) -ge $((19 * trials)) ] || ok=1
  else
    [ $((20 * worse)) -le "$trials" ] || ok=1
  fi
done
exit "$ok"
