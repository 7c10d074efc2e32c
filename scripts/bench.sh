#!/usr/bin/env bash
# The table of docs/benchmarks.md: each test several times with the machine's limits measured beside it in the same
# run; medians of the figures and of their ratios. Bounded: about 80 seconds for each repetition.
#
# Needs a release build (scripts/test.sh makes one). Configured with -DMXP_BENCHMARKS=ON, and with libbenchmark-dev and
# libzmq3-dev installed, that build also has what measures the codec and ZeroMQ.
#
# Usage: scripts/bench.sh [--repetitions N] [--duration TIME] [--targets]
#   --targets  write docs/targets.md instead: each target of the project, what shows it, and what was seen. It takes
#              about four minutes for each repetition; socat and tshark are used where they are installed, and tests of
#              the release build are run.
source "$(dirname "$0")/common.sh"
repetitions=5
duration=3s
targets=0
while [ $# -gt 0 ]; do
  case "$1" in
    --repetitions) repetitions=$(whole_number "$@"); shift 2 ;;
    --duration) duration=$(value "$@"); shift 2 ;;
    --targets) targets=1; shift ;;
    *) other_argument "$1" ;;
  esac
done
if [ "$targets" = 1 ]; then
  cmake --preset release "${launcher[@]+"${launcher[@]}"}" >/dev/null
  cmake --build --preset release --parallel "$jobs" >&2
  cmake --build --preset release --parallel "$jobs" --target congestion_table >&2
  written=$(mktemp)
  python3 scripts/targets.py "$repetitions" | tee "$written"
  cat "$written" >docs/targets.md
  rm "$written"
  exit
fi
perf=build/release/bin/mxp-perf
[ -x "$perf" ] || fail "no $perf; build the release preset first"
exec python3 - "$perf" "$repetitions" "$duration" <<'PY'
import json, os, statistics, subprocess, sys

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


def seconds_of(text):
    """As mxp-perf takes a time."""
    for unit, size in (("ms", 1e-3), ("s", 1), ("m", 60)):
        if text.endswith(unit):
            return float(text[:-len(unit)]) * size
    sys.exit(f"bench: --duration takes ms, s or m: {text}")


def lines_of(program, *arguments):
    """What a program prints that not every build has; nothing without it."""
    path = os.path.join(os.path.dirname(perf), program)
    if not os.access(path, os.X_OK):
        return None
    return subprocess.run([path, *arguments], capture_output=True, text=True, check=True).stdout


rates = {"mxp": [], "curve": [], "plain": []}
sealed, cpu_client, cpu_server = [], [], []
for _ in range(repetitions):
    result = measure("run", "--test", "messages", "--size", "64", "--duration", duration)
    rates["mxp"].append(result["result"]["messages_per_second"] / 1e6)
    sealed.append(result["limits"]["sealed_bits_per_second"] / 1e9)
    for kind in ("curve", "plain"):
        if (printed := lines_of("zeromq_messages", str(seconds_of(duration)), "64", kind)) is not None:
            rates[kind].append(float(printed) / 1e6)
    at_rate = measure("run", "--test", "messages", "--size", "64", "--rate", "500000", "--duration", duration, "--no-limits")
    seconds = at_rate["result"]["seconds"]
    cpu_client.append(100 * at_rate["cpu"]["client_seconds"] / seconds)
    cpu_server.append(100 * at_rate["cpu"]["server_seconds"] / seconds)
beside = f"sealed pipeline {statistics.median(sealed):.2f} Gbit/s"
for kind in ("curve", "plain"):
    if rates[kind]:
        beside += f"; ZeroMQ {kind} {spread(rates[kind])} M/s"
print(f"| messages of 64 B, one connection | {spread(rates['mxp'])} M/s | {beside} | | |")
print(f"| 500,000 such messages per second | {statistics.median(cpu_client):.0f} % of a core at the sender, {statistics.median(cpu_server):.0f} % at the receiver | | | |")
for link in (None, "delay 25ms rate 100mbit", "delay 25ms rate 100mbit loss 1%"):
    alone, beside_bulk, goodput = [], [], []
    for _ in range(repetitions):
        more = ["--link", link] if link else []
        result = measure("run", "--test", "isolation", "--duration", "15s", "--no-limits", *more)["result"]
        alone.append(result["alone"]["latency_us"]["p99"] / 1e3)
        beside_bulk.append(result["latency_us"]["p99"] / 1e3)
        goodput.append(result["goodput_bits_per_second"] / 1e6)
    print(f"| critical calls, {link or 'loopback'} | p99 {spread(beside_bulk)} ms beside {statistics.median(goodput):.0f} Mbit/s of bulk | p99 {spread(alone)} ms alone | | |")
if (printed := lines_of("message_codec_bench", "--benchmark_format=json")) is not None:
    for it in json.loads(printed)["benchmarks"]:
        print(f"| message encoded and decoded, {it['name'].split('/')[1]} B | p50 {it['p50_ns']:.0f} ns, p99 {it['p99_ns']:.0f} ns | | | |")
PY
