#!/usr/bin/env bash
# mxp-dump beside tshark on the same large capture: seconds and peak memory, medians. The capture is one bulk session
# over an emulated link of 1 Gbit/s with 0.1 % loss, taken at the loopback interface, once as it was taken (datagrams
# that the kernel coalesced) and once with a frame for each packet. Bounded: half a minute, and a minute for each
# repetition. Needs root (or CAP_NET_RAW) to capture, and a release build.
#
# Usage: scripts/capture_speed.sh [--repetitions N] [--megabytes N] [--keep DIR]
#   --megabytes N  size of the capture (default 1000)
#   --keep DIR     leave captures and keys there, and use those that are there already
source "$(dirname "$0")/common.sh"
repetitions=3
megabytes=1000
keep=
while [ $# -gt 0 ]; do
  case "$1" in
    --repetitions) repetitions=$(whole_number "$@"); shift 2 ;;
    --megabytes) megabytes=$(whole_number "$@"); shift 2 ;;
    --keep) keep=$(value "$@"); shift 2 ;;
    *) other_argument "$1" ;;
  esac
done
bin=$PWD/build/release/bin
[ -x "$bin/mxp-dump" ] || fail "no $bin/mxp-dump; build the release preset first"
work=${keep:-$(mktemp -d)}
mkdir -p "$work"
started=()
finish() {
  for pid in "${started[@]+"${started[@]}"}"; do kill -INT "$pid" 2>/dev/null || true; done
  wait 2>/dev/null || true
  [ -n "$keep" ] || rm -rf "$work"
}
trap finish EXIT

if [ ! -s "$work/coalesced.pcap" ]; then
  rm -f "$work/server.log" "$work/link.log"  # those of an earlier run would be taken for this one's
  "$bin/mxp-perf" server 127.0.0.1:0 2>"$work/server.log" & started+=($!)
  url=$(line_of "$work/server.log" "listening " "${started[0]}" | cut -d' ' -f2)
  "$bin/mxp-netem" -l 127.0.0.1:0 -t "${url#*@}" --seed 3 'delay 5ms rate 1gbit limit 2000 loss 0.1%' 2>"$work/link.log" & started+=($!)
  relay=$(line_of "$work/link.log" "relaying " "${started[1]}" | cut -d' ' -f2)
  timeout 300 "$bin/mxp-dump" -i lo -f "udp port ${relay##*:}" -w "$work/coalesced.pcap" >/dev/null 2>"$work/capture.log" & capture=$!
  for _ in $(seq 200); do [ -s "$work/coalesced.pcap" ] && break; sleep 0.05; done
  MXPKEYLOGFILE=$work/keys.log "$bin/mxp-perf" client "${url%@*}@$relay" --test bulk --duration "$((megabytes / 90 + 1))s" --no-limits >&2
  kill -INT "$capture"
  wait "$capture" || [ $? = 130 ]
fi
python3 - "$bin/mxp-dump" "$work" "$repetitions" <<'PY'
import os, shutil, statistics, struct, subprocess, sys, time

dump, work, repetitions = sys.argv[1], sys.argv[2], int(sys.argv[3])


def one_by_one(source, target):
    """Writes each packet of coalesced IPv4 datagrams as a frame: a packet begins where the id of the first stands again."""
    with open(source, "rb") as file, open(target, "wb") as out:
        out.write(file.read(24))
        while len(head := file.read(16)) == 16:
            seconds, fraction, captured, _ = struct.unpack("<IIII", head)
            frame = file.read(captured)
            payload = frame[42:]
            step = payload.find(payload[1:9], 9) - 1
            if step < 21:
                step = len(payload)
            for at in range(0, len(payload), max(step, 1)):
                packet = payload[at:at + step]
                header = bytearray(frame[:42])
                struct.pack_into(">H", header, 16, 28 + len(packet))
                struct.pack_into(">HH", header, 38, 8 + len(packet), 0)
                struct.pack_into(">H", header, 24, 0)
                total = sum(struct.unpack(">10H", header[14:34]))
                total = (total & 0xffff) + (total >> 16)
                struct.pack_into(">H", header, 24, 0xffff & ~((total & 0xffff) + (total >> 16)))
                out.write(struct.pack("<IIII", seconds, fraction, 42 + len(packet), 42 + len(packet)))
                out.write(header)
                out.write(packet)


def timed(command):
    """Seconds and peak KiB; a small shell in between, so that this interpreter's memory is not counted."""
    begun = time.monotonic()
    done = subprocess.run(["/usr/bin/time", "-f", "%M", *command], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    if done.returncode != 0:
        sys.exit(f"capture_speed: {' '.join(command)}: {done.stderr.strip()}")
    return time.monotonic() - begun, int(done.stderr.split()[-1])


coalesced, single, keys = (os.path.join(work, name) for name in ("coalesced.pcap", "single.pcap", "keys.log"))
if not os.path.exists(single):
    one_by_one(coalesced, single)
print("| capture | program | seconds, median (range) | peak memory |")
print("|---|---|---|---|")
for name, path in (("coalesced datagrams", coalesced), ("one packet a frame", single)):
    rows = {"mxp-dump --stats summary": [dump, "-r", path, "--stats", "summary"],
            "mxp-dump --stats summary, with keys": [dump, "-r", path, "--keylog", keys, "--stats", "summary"],
            "mxp-dump why, with keys": [dump, "why", path, "--keylog", keys]}
    if shutil.which("tshark"):
        rows["tshark, counting frames"] = ["tshark", "-r", path, "-q", "-z", "io,stat,0"]
    measured = {row: [] for row in rows}
    for _ in range(repetitions):
        for row, command in rows.items():
            measured[row].append(timed(command))
    for row, runs in measured.items():
        seconds = [one for one, _ in runs]
        print(f"| {name}, {os.path.getsize(path) / 1e6:.0f} MB | {row} | {statistics.median(seconds):.2f} ({min(seconds):.2f} to {max(seconds):.2f}) "
              f"| {max(peak for _, peak in runs) / 1024:.0f} MiB |", flush=True)
PY
