#!/usr/bin/env bash
# The main job from a bare clone: installs, builds, makes keys, starts a listener behind a lossy link, sends a file
# through it, captures the traffic, decodes it with the key log, and says how it went.
#
# Usage: scripts/demo.sh [--no-setup] [--keep]
#   --no-setup  do not install missing packages
#   --keep      leave the keys, the capture and the logs in place and say where
source "$(dirname "$0")/common.sh"

setup=1
keep=0
for argument in "$@"; do
  case "$argument" in
    --no-setup) setup=0 ;;
    --keep) keep=1 ;;
    *) other_argument "$argument" ;;
  esac
done
link="delay 20ms 2ms loss 1% reorder 2% duplicate 1% corrupt 0.1% rate 200mbit mtu 1500"

say() { printf '\n== %s\n' "$*"; }

[ "$setup" = 0 ] || scripts/setup.sh
say "building"
cmake --preset release "${launcher[@]+"${launcher[@]}"}" >/dev/null
cmake --build --preset release --parallel "$jobs" --target mxp-cat mxp-perf mxp-dump mxp-netem | tail -n 1
bin=$PWD/build/release/bin

work=$(mktemp -d)
started=()
finish() {
  for pid in "${started[@]+"${started[@]}"}"; do kill "$pid" 2>/dev/null || true; done
  wait 2>/dev/null || true
  if [ "$keep" = 1 ]; then echo "kept: $work"; else rm -rf "$work"; fi
}
trap finish EXIT

say "keys"
"$bin/mxp-cat" keygen -o "$work/server.pem" >"$work/server.pub"
"$bin/mxp-cat" keygen -o "$work/client.pem" >"$work/client.pub"
echo "$(cat "$work/client.pub") demo-client" >"$work/authorized_keys"
echo "server $(cat "$work/server.pub")"
echo "client $(cat "$work/client.pub"), the only one in authorized_keys"

size_wanted=$((128 << 20))
say "a file of 128 MiB of real content: the system's headers and libraries"
{ find /usr/include /usr/lib -type f -print0 | sort -z | xargs -0 cat; cat "$bin"/*; } 2>/dev/null | head -c "$size_wanted" >"$work/payload.bin" || true
size=$(stat -c %s "$work/payload.bin")
[ "$size" = "$size_wanted" ] || { echo "demo: only $size bytes of content were found" >&2; exit 1; }
want=$(sha256sum <"$work/payload.bin" | cut -d' ' -f1)
echo "SHA-256 $want"

say "listener, and a link in front of it: $link, both ways"
mkdir "$work/received"
"$bin/mxp-cat" listen 127.0.0.1:0 --identity "$work/server.pem" --authorized-keys "$work/authorized_keys" \
  --recv "$work/received" --once 2>"$work/listen.log" &
listener=$!
started+=("$listener")
url=$(line_of "$work/listen.log" "listening " "$listener" | cut -d' ' -f2)
server_address=${url#*@}

"$bin/mxp-netem" -l 127.0.0.1:0 -t "$server_address" $link --seed 42 --pcap "$work/relay.pcapng" --stats "$work/relay.json" 2>"$work/netem.log" &
relay=$!
started+=("$relay")
relay_address=$(line_of "$work/netem.log" "relaying " "$relay" | cut -d' ' -f2)
echo "$url"
echo "relay at $relay_address"

# On the client's side of the relay, so that what the link loses in both directions shows.
"$bin/mxp-dump" -i lo -f "udp port ${relay_address##*:}" -w "$work/capture.pcap" >/dev/null 2>"$work/dump.log" &
capture=$!
started+=("$capture")
if line_of "$work/dump.log" "mxp-dump: capturing" "$capture" >/dev/null 2>&1; then
  capturing=1
  echo "capturing on the loopback interface"
else
  capturing=0
  echo "capturing is not allowed here: the relay's own capture is used"
fi

say "sending"
begin=$(date +%s.%N)
MXPKEYLOGFILE="$work/keys.log" "$bin/mxp-cat" connect "mxp://$(cat "$work/server.pub")@$relay_address" \
  --identity "$work/client.pem" --send "$work/payload.bin" --digest --idle-timeout 60s 2>"$work/connect.log"
wait "$listener"
end=$(date +%s.%N)
got=$(sha256sum <"$work/received/payload.bin" | cut -d' ' -f1)
[ "$got" = "$want" ] || { echo "demo: the received file differs: $got" >&2; exit 1; }
echo "received, SHA-256 equal"

say "decoding the capture with the key log"
file=$work/relay.pcapng
if [ "$capturing" = 1 ]; then
  kill -INT "$capture"
  wait "$capture" 2>/dev/null || true
  file=$work/capture.pcap
fi
kill -INT "$relay"
wait "$relay" 2>/dev/null || true
"$bin/mxp-dump" -r "$file" --keylog "$work/keys.log" -c 6
"$bin/mxp-dump" -r "$file" --keylog "$work/keys.log" --stats summary --json="$work/summary.json"

say "summary"
python3 - "$work/summary.json" "$work/relay.json" "$size" "$begin" "$end" <<'PY'
import json, sys
summary = json.load(open(sys.argv[1]))
relay = json.load(open(sys.argv[2]))
size, seconds = int(sys.argv[3]), float(sys.argv[5]) - float(sys.argv[4])
print(f"goodput          {size * 8 / seconds / 1e6:.1f} Mbit/s ({size} bytes in {seconds:.1f} s, handshake and digest included)")
for name, key in (("client to server", "up"), ("server to client", "down")):
    way = relay[key]
    print(f"{name} {way['in']} datagrams: {way['lost']} lost, {way['tail_dropped']} dropped by the queue, {way['duplicated']} duplicated, {way['corrupted']} corrupted, {way['reordered']} reordered")
print(f"connections      {summary['connections']}")
print(f"loss seen        {summary['lost']} packets")
print(f"retransmitted    {summary['retransmitted']}")
print(f"handshake        {summary['handshake_ms']:.1f} ms")
if summary["connections"] != 1:
    sys.exit("demo: one client and one server are one connection")
PY
