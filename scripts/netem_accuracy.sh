#!/usr/bin/env bash
# How exactly mxp-netem keeps to its spec under full load: delays, loss and the perfect link at 200,000 packets/s, rates
# at a fifth more than they carry. A line for each link: what came in, what was asked and achieved, how late packets left
# (the errors of their delays), and whether that is within target 20 of docs/targets.md:
#   delay  the median within 100 us, p99 within 100 us of what a sleep of this machine is late (mxp-perf limits)
#   rate   within 1 %
#   loss   within the interval that holds 99 % of all runs
#   load   200,000 packets/s, of which the relay itself lost none
# Where the system allows it (CAP_SYS_NICE), the relay runs with --realtime, and the first line says so.
# Bounded: 20 seconds, and SECONDS for each of eleven links. Needs a quiet machine and a release build; the exit code says
# only whether it could measure.
#
# Usage: scripts/netem_accuracy.sh [--seconds N] [--build FOLDER] [--no-realtime]
#   --seconds N     how long each link is measured (default 5)
#   --build FOLDER  where the tools were built (default build/release)
#   --no-realtime   the relay is an ordinary process, whatever the system allows
source "$(dirname "$0")/common.sh"
seconds=5
build=build/release
realtime=if_allowed
while [ $# -gt 0 ]; do
  case "$1" in
    --seconds) seconds=$(whole_number "$@"); shift 2 ;;
    --build) build=$(value "$@"); shift 2 ;;
    --no-realtime) realtime=no; shift ;;
    *) other_argument "$1" ;;
  esac
done
for tool in mxp-perf mxp-netem; do
  [ -x "$build/bin/$tool" ] || fail "no $build/bin/$tool; build the release preset first"
done
exec python3 - "$build/bin" "$seconds" "$realtime" <<'PYTHON'
import json, math, os, re, signal, socket, subprocess, sys, time

tools, seconds = sys.argv[1], int(sys.argv[2])
UDP_SEGMENT = 103  # linux/udp.h: the kernel cuts what is sent into datagrams of this size
MOST_SEGMENTS = 64  # of one such cut, in all kernels that have it
IP_AND_UDP = 28
LOAD = 200_000  # packets/s
SMALL, LARGE = 200, 1472  # bytes of a datagram
BOUND_US = 100


def timer_late_us():
    """p99 of how late a sleep of 1 ms ends here."""
    done = subprocess.run([f"{tools}/mxp-perf", "limits", "--json"], capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"netem_accuracy: mxp-perf limits: {done.stderr.strip()}")
    modes = json.loads(done.stdout)["limits"]["modes"]
    return next(mode["us"]["p99"] for mode in modes if mode["name"] == "timer_1ms_late")


def send(address, size, packets_per_second):
    """So many datagrams, evenly, in runs of up to a millisecond's worth. The number sent, and a second's."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
        one.setsockopt(socket.SOL_UDP, UDP_SEGMENT, size)
        one.connect(address)
        run = max(1, min(packets_per_second // 1000, 60_000 // size, MOST_SEGMENTS))
        block = bytes(size * run)
        sent, begin = 0, time.monotonic()
        while (passed := time.monotonic() - begin) < seconds:
            if sent <= passed * packets_per_second:
                one.send(block)
                sent += run
            else:
                time.sleep(min(sent / packets_per_second - passed, 0.001))
        return sent, sent / passed


def measure(spec, size, packets_per_second):
    """What the relay reports of the way up, and what was sent."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sink:  # which nobody empties: the relay is measured, not it
        sink.bind(("127.0.0.1", 0))
        relay = subprocess.Popen([f"{tools}/mxp-netem", "-l", "127.0.0.1:0", "-t", "127.0.0.1:%d" % sink.getsockname()[1],
                                  "--up", spec, "--stats", "-", "--quiet", *realtime],
                                 stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, bufsize=1)
        try:
            ready = relay.stderr.readline()
            found = re.match(r"relaying (\S+):(\d+) ->", ready)
            if found is None:
                sys.exit(f"netem_accuracy: {spec}: {ready}{relay.stderr.read()}")
            sent, per_second = send((found[1], int(found[2])), size, packets_per_second)
            time.sleep(0.2)  # for what is on its way
            relay.send_signal(signal.SIGINT)
            out, err = relay.communicate(timeout=60)
        finally:
            if relay.poll() is None:
                relay.kill()
    if relay.returncode != 130:
        sys.exit(f"netem_accuracy: {spec}: mxp-netem ended with {relay.returncode}: {err}")
    return json.loads(out), sent, per_second


def judge_delay(asked_ms):
    def judge(report, _):
        late = report["relay"]["late_us"]
        return (f"{asked_ms} ms", f"{report['up']['delay_us']['mean'] / 1e3:.3f} ms",
                late["p50"] <= BOUND_US and late["p99"] <= timer_p99 + BOUND_US)
    return judge


def judge_rate(asked):
    def judge(report, _):
        got = report["up"].get("rate_bits_per_second", 0)
        return f"{asked / 1e6:g} Mbit/s", f"{got / 1e6:.2f} Mbit/s", abs(got / asked - 1) <= 0.01
    return judge


def judge_loss(report, _):
    up = report["up"]
    share, count = up["expected"]["lost"], up["in"]
    got = up["lost"] / count
    # Losses of a burst model are not independent, so the interval would be another one: this is for 'loss P%' alone.
    half = 2.576 * math.sqrt(share * (1 - share) / count)
    return f"{share:.2%} of {count}", f"{got:.3%}, +-{half:.3%}", abs(got - share) <= half


def judge_load(report, sent):
    up = report["up"]
    return f"{sent} packets", f"{up['out']} packets", up["out"] == sent


LINKS = [(f"delay {ms}ms limit 1000000", SMALL, LOAD, judge_delay(ms)) for ms in (1, 10, 50)]
LINKS += [(f"loss {percent}%", SMALL, LOAD, judge_loss) for percent in (0.1, 1, 10)]
LINKS += [(f"rate {mbit}mbit", LARGE, math.ceil(1.2e6 * mbit / 8 / (LARGE + IP_AND_UDP)), judge_rate(mbit * 1e6))
          for mbit in (1, 10, 100, 1000)]
LINKS += [("", SMALL, LOAD, judge_load)]

def allowed_realtime():
    """--realtime, where the relay may have it."""
    if sys.argv[3] == "no":
        return []
    try:
        os.sched_setscheduler(0, os.SCHED_RR | os.SCHED_RESET_ON_FORK, os.sched_param(1))
        os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))
        return ["--realtime"]
    except OSError:
        return []


try:
    realtime = allowed_realtime()
    timer_p99 = timer_late_us()
    print(f"a sleep of 1 ms is late here by {timer_p99:.0f} us (p99); the relay runs {'with' if realtime else 'without'} --realtime")
    print(f"{'link':<26} {'in/s':>8} {'asked':>16} {'achieved':>18} {'late p50':>9} {'late p99':>10}  verdict")
    kept = 0
    for spec, size, packets_per_second, judge in LINKS:
        report, sent, per_second = measure(spec, size, packets_per_second)
        asked, achieved, within = judge(report, sent)
        late, relay = report["relay"].get("late_us", {"p50": 0, "p99": 0}), report["relay"]
        verdict = "within" if within else "BEYOND"
        if per_second < 0.99 * packets_per_second:
            verdict = f"not measured: the sender came to {per_second:.0f} of {packets_per_second} packets/s"
        elif relay["socket_drops"] + relay["send_failures"] > 0:
            verdict = f"BEYOND: the relay lost {relay['socket_drops'] + relay['send_failures']} packets itself"
        kept += verdict == "within"
        print(f"{spec or 'perfect':<26} {per_second:>8.0f} {asked:>16} {achieved:>18} {late['p50']:>6.0f} us "
              f"{late['p99']:>7.0f} us  {verdict}", flush=True)
    print(f"{kept} of {len(LINKS)} links within the target")
except KeyboardInterrupt:
    sys.exit(130)
PYTHON
