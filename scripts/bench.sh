#!/usr/bin/env bash
# The table of docs/benchmarks.md: each test several times with the machine's limits measured beside it in the same
# run; medians of the figures and of their ratios. Bounded: about 25 seconds for each repetition.
#
# Usage: scripts/bench.sh [--repetitions N] [--duration TIME]      needs a release build (scripts/test.sh makes one)
source "$(dirname "$0")/common.sh"
repetitions=5
duration=3s
while [ $# -gt 0 ]; do
  case "$1" in
    --repetitions) repetitions=$(whole_number "$@"); shift 2 ;;
    --duration) duration=$(value "$@"); shift 2 ;;
    *) other_argument "$1" ;;
  esac
done
perf=build/release/bin/mxp-perf
[ -x "$perf" ] || fail "no $perf; build the release preset first"
exec python3 - "$perf" "$repetitions" "$duration" <<'PY'
import json, statistics, subprocess, sys

perf, repetitions, duration = sys.argv[1], int(sys.argv[2]), sys.argv[3]


def measure(*arguments):
    done = subprocess.run([perf, *arguments, "--json"], capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"bench: {' '.join(arguments)}: {done.stderr.strip()}")
    return json.loads(done.stdout)


def spread(values):
    return f"{statistics.median(values):.2f} ({min(values):.2f} to {max(values):.2f})"


print("| test | figure | beside it | ratio, median (range) | CPU-s per GB, both ends |")
print("|---|---|---|---|---|")
for name, arguments in (("bulk, 1,500-byte packets", ["--mtu", "1500"]), ("bulk, 65,535-byte packets", ["--mtu", "65535"]),
                        ("bulk, 1,500, ChaCha20", ["--mtu", "1500", "--suite", "chacha20"])):
    goodput, sealed, ratio, cpu = [], [], [], []
    for _ in range(repetitions):
        result = measure("run", "--test", "bulk", "--duration", duration, *arguments)
        bits, limit = result["result"]["goodput_bits_per_second"], result["limits"]["sealed_bits_per_second"]
        goodput.append(bits / 1e9)
        sealed.append(limit / 1e9)
        ratio.append(bits / limit)
        cpu.append((result["cpu"]["client_seconds"] + result["cpu"]["server_seconds"]) / (result["result"]["bytes"] / 1e9))
    print(f"| {name} | {statistics.median(goodput):.2f} Gbit/s | sealed pipeline {statistics.median(sealed):.2f} Gbit/s | {spread(ratio)} | {statistics.median(cpu):.2f} |", flush=True)
p50, p99, base50, base99, ratio50 = [], [], [], [], []
for _ in range(repetitions):
    latency = measure("run", "--test", "rr", "--duration", duration, "--no-limits")["result"]["latency_us"]
    modes = {mode["name"]: mode for mode in measure("limits", "--mtu", "1500")["limits"]["modes"]}
    base = modes["ping_pong_blocking"]["us"]
    p50.append(latency["p50"]); p99.append(latency["p99"]); base50.append(base["p50"]); base99.append(base["p99"])
    ratio50.append(latency["p50"] / base["p50"])
print(f"| call/response, 64 B, one outstanding | p50 {statistics.median(p50):.1f} us, p99 {statistics.median(p99):.1f} us | blocking UDP ping-pong p50 {statistics.median(base50):.1f} us, p99 {statistics.median(base99):.1f} us | {spread(ratio50)} at p50 | |")
PY
