#!/usr/bin/env bash
# Prints the table of docs/benchmarks.md, "The same links in real time": a dozen links of at most 100 Mbit/s, each once in
# virtual time and as often as asked through mxp-netem over loopback, with mxp-perf at both ends. It takes about four
# minutes for each repetition. The machine should have nothing else to do: a relay or an end that is late changes the link.
#
# Usage: scripts/congestion_realtime.sh [--repetitions N] [--seconds N] [--only WORD]
#   --repetitions N  runs in real time for each link, of which the median counts (default 3)
#   --seconds N      length of each transfer, of which the first third does not count (default 15)
#   --only WORD      only the links whose names contain WORD
source "$(dirname "$0")/common.sh"
repetitions=3
seconds=15
only=
while [ $# -gt 0 ]; do
  case "$1" in
    --repetitions) repetitions=$(whole_number "$@"); shift 2 ;;
    --seconds) seconds=$(whole_number "$@"); shift 2 ;;
    --only) only=$(value "$@"); shift 2 ;;
    *) other_argument "$1" ;;
  esac
done
[ "$seconds" -ge 3 ] || fail "--seconds takes 3 or more" 2
cmake --preset release "${launcher[@]+"${launcher[@]}"}" >/dev/null
cmake --build --preset release --parallel "$jobs" --target link_goodput mxp-perf mxp-netem >&2
exec python3 - "$repetitions" "$seconds" "$only" <<'PY'
import json, math, os, re, signal, statistics, subprocess, sys

repetitions, seconds, only = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
omit = seconds // 3
build = "build/release"


def link(mbit=100, rtt_ms=50, queue_bdp=1.0, more=""):
    """The link as tests/congestion/scenario.h has it, with packets of 1500 bytes. The emulated queue counts the packets in its delay line too."""
    bdp = mbit * 1e3 * rtt_ms / 8 / 1500
    limit = math.ceil(bdp / 2 + max(queue_bdp * bdp, 2))
    return f"rate {mbit}mbit delay {rtt_ms / 2}ms {more} limit {limit} mtu 1500"


def back(rtt_ms=50, more=""):
    return f"delay {rtt_ms / 2}ms {more} mtu 1500"


links = [
    ("no loss", link(), back()),
    ("loss 1 %", link(more="loss 1%"), back()),
    ("loss 5 %", link(more="loss 5%"), back()),
    ("bursts of loss, 1 %", link(more="loss gemodel 0.2% 20%"), back()),
    ("loss 1 %, round trip 10 ms", link(rtt_ms=10, more="loss 1%"), back(10)),
    ("loss 1 %, round trip 200 ms", link(rtt_ms=200, more="loss 1%"), back(200)),
    ("loss 1 %, 10 Mbit/s", link(mbit=10, more="loss 1%"), back()),
    ("no loss, queue 0.25 BDP", link(queue_bdp=0.25), back()),
    ("no loss, queue 8 BDP", link(queue_bdp=8), back()),
    ("loss 1 %, jitter 5 ms on the way back", link(more="loss 1%"), "delay 25ms 5ms mtu 1500"),
    ("loss 1 %, 2 % overtake", link(more="loss 1% reorder 2%"), back()),
    ("loss 1 %, return path 1 Mbit/s", link(more="loss 1%"), back(more="rate 1mbit limit 100")),
    ("loss 1 %, return path loses 10 %", link(more="loss 1%"), back(more="loss 10%")),
]


def first_line(process, pattern):
    line = process.stderr.readline()
    found = re.search(pattern, line)
    if not found:
        sys.exit(f"congestion_realtime: not expected: {line.strip()}")
    return found


def end(process):
    process.send_signal(signal.SIGINT)
    return process.communicate(timeout=20)[0]


def simulated(up, down):
    done = subprocess.run([f"{build}/tests/link_goodput", up, down, str(seconds), str(omit), "1"], capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"congestion_realtime: link_goodput: {done.stderr.strip()}")
    return float(done.stdout)


def real(up, down, seed):
    """Mbit/s, and how late the latest 1 % of the relay's packets left, in microseconds."""
    server = subprocess.Popen([f"{build}/bin/mxp-perf", "server", "127.0.0.1:0"], stderr=subprocess.PIPE, text=True)
    relay = None
    try:
        key, port = first_line(server, r"listening mxp://([^@]+)@[^:]+:(\d+)").groups()
        relay = subprocess.Popen([f"{build}/bin/mxp-netem", "-l", "127.0.0.1:0", "-t", f"127.0.0.1:{port}", "--up", up, "--down", down, "--seed", str(seed), "--stats", "-"],
                                 stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        at = first_line(relay, r"relaying ([0-9.]+:\d+)").group(1)
        done = subprocess.run([f"{build}/bin/mxp-perf", "client", f"mxp://{key}@{at}", "--test", "bulk", "--duration", str(seconds), "--omit", str(omit), "--no-limits", "--json"],
                              capture_output=True, text=True, timeout=seconds + 30)
        if done.returncode != 0:
            sys.exit(f"congestion_realtime: mxp-perf: {done.stderr.strip()}")
        report = json.loads(end(relay))
        return json.loads(done.stdout)["result"]["goodput_bits_per_second"] / 1e6, report["relay"]["late_us"]["p99"]
    finally:
        for process in (relay, server):
            if process is not None and process.poll() is None:
                end(process)


print("| link | virtual time, Mbit/s | real time, Mbit/s: median (range) | difference, % | the relay's latest 1 %, ms late |", flush=True)
print("|---|---|---|---|---|", flush=True)
for name, up, down in links:
    if only not in name:
        continue
    expected = simulated(up, down)
    runs = [real(up, down, seed) for seed in range(1, repetitions + 1)]
    rates = [rate for rate, _ in runs]
    median = statistics.median(rates)
    late = statistics.median([late for _, late in runs]) / 1e3
    print(f"| {name} | {expected:.1f} | {median:.1f} ({min(rates):.1f} to {max(rates):.1f}) | {100 * (median / expected - 1):+.1f} | {late:.1f} |", flush=True)
PY
