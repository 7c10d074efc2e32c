#!/usr/bin/env bash
# How exactly mxp-netem keeps to its spec under full load: for each delay and rate it prints what was asked, what the relay
# achieved, and how late it was itself. Needs a quiet machine and a release build. About a minute.
#
# Usage: scripts/netem_accuracy.sh [--seconds N]
#   --seconds N  length of each transfer (default 5)
#
# MXP_BIN names the folder of the tools.
source "$(dirname "$0")/common.sh"
seconds=5
while [ $# -gt 0 ]; do
  case "$1" in
    --seconds) seconds=$(whole_number "$@"); shift 2 ;;
    *) other_argument "$1" ;;
  esac
done
bin=${MXP_BIN:-build/release/bin}
for tool in mxp-perf mxp-netem; do
  [ -x "$bin/$tool" ] || fail "$bin/$tool is missing: build first, or name the folder with MXP_BIN"
done
folder=$(mktemp -d)
server='' relay=''
finish() {
  for pid in $server $relay; do kill "$pid" 2>/dev/null || true; done
  wait 2>/dev/null || true
  rm -rf "$folder"
}
trap finish EXIT

echo "what the machine allows by itself:"
"$bin/mxp-perf" limits 2>&1 | sed 's/^/  /'

"$bin/mxp-perf" server 127.0.0.1:0 2>"$folder/server.log" & server=$!
url=$(line_of "$folder/server.log" "listening " "$server" | cut -d' ' -f2)

printf '%-34s %10s %10s %10s %12s %10s\n' spec 'p50 us' 'p99 us' 'late p99' 'rate bit/s' distorted
for spec in "delay 1ms" "delay 10ms" "delay 50ms 5ms" "rate 10mbit limit auto" "rate 100mbit limit auto" \
  "rate 1gbit limit auto" "delay 10ms rate 1gbit limit auto" ""; do
  name=${spec:-perfect}
  # Files of its own for each relay: those of the one before would be taken for its answers until it has opened them.
  files=$folder/${name// /-}
  "$bin/mxp-netem" -l 127.0.0.1:0 -t "${url##*@}" --up "$spec mtu 1500" --down "delay 1ms mtu 1500" --stats "$files.json" \
    --quiet 2>"$files.log" & relay=$!
  address=$(line_of "$files.log" "relaying " "$relay" | cut -d' ' -f2)
  "$bin/mxp-perf" client "${url%@*}@$address" --duration "${seconds}s" --no-limits >/dev/null 2>"$folder/client.log" ||
    sed 's/^/  /' "$folder/client.log" >&2
  kill -INT "$relay"
  wait "$relay" || true
  relay=''
  python3 - "$name" "$files.json" <<'PY'
import json, sys
report = json.load(open(sys.argv[2]))
up, relay = report["up"], report["relay"]
delay, late = up.get("delay_us", {}), relay.get("late_us", {})
print(f'{sys.argv[1]:<34} {delay.get("p50", 0):>10.0f} {delay.get("p99", 0):>10.0f} {late.get("p99", 0):>10.0f} '
      f'{up.get("rate_bits_per_second", 0):>12} {str(relay["distorted"]).lower():>10}')
PY
done
