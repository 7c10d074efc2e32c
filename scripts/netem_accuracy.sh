#!/usr/bin/env bash
# How exactly mxp-netem keeps to its spec under full load, as docs/targets.md asks: for each delay and rate it prints what
# was asked, what the relay achieved, and how late it was itself. Needs a quiet machine, mxp-perf and mxp-netem.
#
# Usage: scripts/netem_accuracy.sh [BUILD_FOLDER] [SECONDS]
source "$(dirname "$0")/common.sh"

bin=${1:-build/release}/bin
seconds=${2:-5}
for tool in mxp-perf mxp-netem; do
  [ -x "$bin/$tool" ] || { echo "netem_accuracy: $bin/$tool is missing: build it first" >&2; exit 1; }
done
folder=$(mktemp -d)
pids=()
cleanup() {
  for pid in "${pids[@]+"${pids[@]}"}"; do kill "$pid" 2>/dev/null || true; done
  wait 2>/dev/null || true
  rm -rf "$folder"
}
trap cleanup EXIT

echo "what the machine allows by itself:"
"$bin/mxp-perf" limits 2>&1 | sed 's/^/  /'

"$bin/mxp-perf" server 127.0.0.1:0 2>"$folder/server.log" &
pids+=($!)
until grep -qs listening "$folder/server.log"; do kill -0 "${pids[0]}"; sleep 0.1; done
url=$(grep -o 'mxp://[^ ]*' "$folder/server.log" | head -1)

printf '%-34s %10s %10s %10s %12s %10s\n' spec 'p50 us' 'p99 us' 'late p99' 'rate bit/s' distorted
for spec in "delay 1ms" "delay 10ms" "delay 50ms 5ms" "rate 10mbit limit auto" "rate 100mbit limit auto" \
  "rate 1gbit limit auto" "delay 10ms rate 1gbit limit auto" "perfect"; do
  words=$spec
  [ "$spec" = perfect ] && words=
  # shellcheck disable=SC2086 # the spec is several words
  "$bin/mxp-netem" -l 127.0.0.1:0 -t "${url##*@}" --up "$words mtu 1500" --down "delay 1ms mtu 1500" --stats "$folder/stats.json" \
    --force --quiet 2>"$folder/netem.log" &
  relay=$!
  pids+=("$relay")
  until grep -qs relaying "$folder/netem.log"; do kill -0 "$relay"; sleep 0.1; done
  address=$(awk '{print $2; exit}' "$folder/netem.log")
  "$bin/mxp-perf" client "${url%@*}@$address" --duration "${seconds}s" --no-limits >/dev/null 2>"$folder/client.log" ||
    sed 's/^/  /' "$folder/client.log" >&2
  kill -INT "$relay"
  wait "$relay" || true
  python3 - "$spec" "$folder/stats.json" <<'PYTHON'
import json, sys
report = json.load(open(sys.argv[2]))
up, relay = report["up"], report["relay"]
delay, late = up.get("delay_us", {}), relay.get("late_us", {})
print(f'{sys.argv[1]:<34} {delay.get("p50", 0):>10.0f} {delay.get("p99", 0):>10.0f} {late.get("p99", 0):>10.0f} '
      f'{up.get("rate_bits_per_second", 0):>12} {str(relay["distorted"]).lower():>10}')
PYTHON
done
