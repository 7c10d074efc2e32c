#!/usr/bin/env python3
"""Measures the project's targets and prints docs/targets.md. Called by scripts/bench.sh --targets, which builds what it needs.

Each row has a figure and, where the figure depends on the machine, something measured beside it in the same run; what is compared
with the bar is printed as a ratio. A row that cannot be measured here says why."""
import contextlib
import datetime
import json
import os
import platform
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

REPETITIONS = int(sys.argv[1])
BIN = os.path.join("build", "release", "bin")
TESTS = os.path.join("build", "release", "tests")


class NotMeasured(Exception):
    pass


def run(*command):
    done = subprocess.run(command, capture_output=True, text=True, timeout=600)
    if done.returncode != 0:
        raise NotMeasured(f"`{' '.join(command)}` ended with {done.returncode}: {done.stderr.strip().splitlines()[-1:]}")
    return done.stdout


@contextlib.contextmanager
def started(*command):
    """A program beside others; it is ended if it has not ended by then."""
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def perf(*arguments):
    return json.loads(run(os.path.join(BIN, "mxp-perf"), *arguments, "--json"))


def several(measure):
    """The median of what a function returns, part by part."""
    return [statistics.median(part) for part in zip(*(measure() for _ in range(REPETITIONS)))]


def modes():
    return {mode["name"]: mode for mode in perf("limits", "--mtu", "1500")["limits"]["modes"]}


def messages():
    rate, = several(lambda: [perf("run", "--test", "messages", "--size", "64", "--duration", "3s", "--no-limits")["result"]["messages_per_second"]])
    return f"{rate / 1e6:.2f} M/s", rate / 2.5e6


def codec():
    program = os.path.join(BIN, "message_codec_bench")
    if not os.access(program, os.X_OK):
        raise NotMeasured("needs a build with -DMXP_BENCHMARKS=ON")
    results = {it["name"].split("/")[1]: it for it in json.loads(run(program, "--benchmark_format=json"))["benchmarks"]}
    small = results["64"]
    text = ", ".join(f"{size} B {it['p50_ns']:.0f} ns" for size, it in results.items())
    return f"p50 {text}; p99 {small['p99_ns']:.0f} ns at 64 B", 250 / small["p50_ns"]


def bulk(mtu, tls_bar):
    def once():
        done = perf("run", "--test", "bulk", "--duration", "3s", "--mtu", str(mtu), "--baseline", "tls")
        goodput = done["result"]["goodput_bits_per_second"]
        return goodput, goodput / done["limits"]["sealed_bits_per_second"], goodput / done["baseline"]["tls"]["goodput_bits_per_second"]

    def measure():
        goodput, sealed, tls = several(once)
        return f"{goodput / 1e9:.1f} Gbit/s: {tls:.2f} of TLS, {100 * sealed:.0f} % of the sealed pipeline", min(tls / tls_bar, sealed / 0.8)
    return measure


def call_response():
    def once():
        latency = perf("run", "--test", "rr", "--duration", "3s", "--no-limits")["result"]["latency_us"]
        ping = modes()["ping_pong_blocking"]["us"]
        return latency["p50"], ping["p50"], latency["p50"] / ping["p50"], latency["p99"] / ping["p99"]
    p50, ping, ratio50, ratio99 = several(once)
    return f"p50 {p50:.1f} us beside {ping:.1f} us: {ratio50:.2f}; p99 {ratio99:.2f}", min(1.25 / ratio50, 1.5 / ratio99)


def lossy_calls():
    def once():
        return [perf("run", "--test", "rr", "--duration", "4s", "--no-limits", "--link", link)["result"]["latency_us"]["p99"]
                for link in ("delay 500us", "delay 500us loss 1%")]
    clean, lossy = several(once)
    return f"p99 {lossy / 1000:.2f} ms, {clean / 1000:.2f} ms without loss", None


def handshakes():
    def once():
        rate = perf("run", "--test", "connect", "--parallel", "32", "--duration", "3s", "--no-limits")["result"]["handshakes_per_second"]
        # Either end does four exchanges and makes a key pair, which is one more, for each handshake (docs/protocol.md, section 2).
        return rate, rate / (1e9 / modes()["x25519"]["ns_per_op"] / 5)
    rate, of_curve = several(once)
    return f"{rate:.0f} /s, {100 * of_curve:.0f} % of what five X25519 operations at each end allow", rate / 2300


def memory(pattern, bar, unit, name):
    def measure():
        found = re.search(pattern, run(os.path.join(TESTS, "test_connection"), "--run_test=endpoint_memory", "--log_level=message"))
        return f"{int(found[1]) / unit:.1f} {name}", bar / int(found[1])
    return measure


def cpu_at_rate():
    def once():
        done = perf("run", "--test", "messages", "--size", "64", "--rate", "500000", "--duration", "3s", "--no-limits")
        return [100 * done["cpu"][f"{end}_seconds"] / done["result"]["seconds"] for end in ("client", "server")] + [done["result"]["messages_per_second"]]
    sender, receiver, rate = several(once)
    seen = f"{sender:.0f} % at the sender, {receiver:.0f} % at the receiver"
    if rate < 495_000:
        return f"{seen}, of only {rate:.0f} /s", None
    return seen, 40 / max(sender, receiver)


def overhead():
    done = perf("run", "--test", "bulk", "--duration", "3s", "--no-limits")
    ratio = done["transport"]["bytes_sent"] / done["result"]["bytes"]
    return f"{ratio:.3f}", 1.1 / ratio


def congestion(link):
    line = run(os.path.join(TESTS, "congestion_table"), "--seeds", "3", "--seconds", "20", "--only", link).splitlines()[-1]
    cells = [cell.strip() for cell in line.strip("|").split("|")]
    return float(cells[2].split()[0]), [float(part) for part in cells[3].split("/")], float(cells[5])


def lossy_bulk():
    shares = [congestion(f"loss {loss} %")[0] for loss in ("0.1", "1", "5")]
    return "{:.1f} / {:.1f} / {:.1f} % of the link".format(*shares), min(share / bar for share, bar in zip(shares, (92, 90, 85)))


def transfer_from_cold():
    def once(loss, work):
        with started(os.path.join(BIN, "mxp-cat"), "listen", "127.0.0.1:0", "--recv", work, "--force", "--identity", f"{work}/key") as listener:
            url = re.search(r"mxp://(\S+)@(\S+)", listener.stderr.readline())
            with started(os.path.join(BIN, "mxp-netem"), "-l", "127.0.0.1:0", "-t", url[2], f"delay 25ms rate 100mbit limit 500 loss {loss}%") as link:
                relay = re.search(r"relaying (\S+)", link.stderr.readline())[1]
                begun = time.monotonic()
                subprocess.run([os.path.join(BIN, "mxp-cat"), f"mxp://{url[1]}@{relay}", "--send", f"{work}/20MB"], check=True, capture_output=True, timeout=60)
                took = time.monotonic() - begun
                listener.wait(timeout=10)
        return 160 / took
    with tempfile.TemporaryDirectory() as work:
        run(os.path.join(BIN, "mxp-cat"), "keygen", "-o", f"{work}/key")
        with open(f"{work}/20MB", "wb") as file:
            file.write(os.urandom(20_000_000))
        rates = [statistics.median(once(loss, work) for _ in range(REPETITIONS)) for loss in (0, 1, 5)]
    return "{:.1f} / {:.1f} / {:.1f} Mbit/s".format(*rates), min(rate / bar for rate, bar in zip(rates, (80, 76, 74)))


def deep_queue():
    share, (_, p99), _ = congestion("queue 8 BDP, no loss")
    return f"p99 {p99:.1f} ms of a round trip of 50 ms, at {share:.1f} % use", 12.5 / p99


def fairness():
    together = min(congestion(f"{flows} flows, no loss")[2] for flows in (2, 4, 8, 16))
    late = congestion("a late-comer each 5 s, four flows, no loss")[2]
    return f"Jain {together:.2f} together (the least of 2 to 16 flows), {late:.2f} with late-comers", min(together / 0.95, late / 0.9)


def isolation():
    def once():
        result = perf("run", "--test", "isolation", "--duration", "15s", "--no-limits", "--link", "delay 25ms rate 100mbit loss 1%")["result"]
        return result["latency_us"]["p99"] / 1e3, result["alone"]["latency_us"]["p99"] / 1e3
    p99, alone = several(once)
    return f"p99 {p99:.1f} ms, {alone:.1f} ms alone", 55 / p99


def captures():
    if shutil.which("tshark") is None:
        raise NotMeasured("needs tshark")
    table = run("scripts/capture_speed.sh", "--megabytes", "300", "--repetitions", str(REPETITIONS))
    rows = re.findall(r"\| one packet a frame, (\d+) MB \| ([^|]+?) \| ([\d.]+) ", table)
    size, seconds = int(rows[0][0]), {name: float(took) for _, name, took in rows}
    tshark = seconds["tshark, counting frames"]
    plain, keyed = seconds["mxp-dump --stats summary"], seconds["mxp-dump --stats summary, with keys"]
    return f"{size / plain:.0f} MB/s, with keys {size / keyed:.0f} MB/s: {tshark / plain:.1f} and {tshark / keyed:.1f} times tshark that counts frames", tshark / plain / 10


def emulator():
    # A line for each link, which ends with its verdict, and at last "N of M links within the target".
    lines = run("scripts/netem_accuracy.sh", "--seconds", "2").splitlines()
    within, links = map(int, re.match(r"(\d+) of (\d+) links within", lines[-1]).groups())
    beyond = [re.split(r"  +", line)[0] for line in lines if line.endswith("BEYOND")]
    if len(beyond) != links - within:
        raise NotMeasured("the lines of scripts/netem_accuracy.sh do not agree with its last one")
    return lines[-1] + (f"; beyond it: {', '.join(beyond)}" if beyond else ""), within / links


def tests(program, *names):
    def measure():
        for name in names:
            if subprocess.run([os.path.join(TESTS, program), f"--run_test={name}"], capture_output=True, timeout=600).returncode != 0:
                return f"fails: {name}", 0.0
        return "holds", None
    return measure


def whole_file():
    if shutil.which("socat") is None:
        raise NotMeasured("needs socat")
    def served(listener, ready, client):
        """Seconds of the client and its listener, which ends by itself."""
        with started(*listener) as process:
            command = client(ready(process))
            begun = time.monotonic()
            subprocess.run(command, check=True, capture_output=True, timeout=120)
            process.wait(timeout=60)
            return time.monotonic() - begun
    with tempfile.TemporaryDirectory(dir="/dev/shm" if os.path.isdir("/dev/shm") else None) as work:
        run(os.path.join(BIN, "mxp-cat"), "keygen", "-o", f"{work}/key")
        run("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=localhost", "-keyout", f"{work}/tls.pem", "-out", f"{work}/cert.pem")
        with open(f"{work}/tls.pem", "a") as file:
            file.write(open(f"{work}/cert.pem").read())
        with open(f"{work}/file", "wb") as file:
            for _ in range(64):
                file.write(os.urandom(1 << 24))
        os.mkdir(f"{work}/in")

        def port_of(process):
            for line in process.stderr:
                if found := re.search(r"listening on .*:(\d+)", line):
                    return found[1]
            raise NotMeasured("socat did not listen")

        def once():
            ours = served([os.path.join(BIN, "mxp-cat"), "listen", "127.0.0.1:0", "--recv", f"{work}/in", "--force", "--digest", "--identity", f"{work}/key"],
                          lambda process: re.search(r"mxp://\S+", process.stderr.readline())[0],
                          lambda url: [os.path.join(BIN, "mxp-cat"), url, "--send", f"{work}/file", "--digest"])
            tls = served(["socat", "-dd", "-u", "-b", "65536", f"OPENSSL-LISTEN:0,bind=127.0.0.1,cert={work}/tls.pem,verify=0", f"CREATE:{work}/in/tls"],
                         port_of, lambda port: ["socat", "-u", "-b", "65536", f"OPEN:{work}/file", f"OPENSSL:127.0.0.1:{port},verify=0"])
            return 1 / ours, tls / ours
        gib, ratio = several(once)
    return f"{gib * 1074:.0f} MB/s, {ratio:.2f} of socat", ratio / 1.2


PERF = "mxp-perf run --test"
# Number, what, the bar, what shows it, and the function that gives what was seen and its ratio to the bar, where there is one.
ROWS = [
    ("1", "64-byte messages, one connection", "2,500,000 /s", f"`{PERF} messages --size 64`", messages),
    ("2", "message encoded and decoded", "p50 250 ns, p99 500 ns at 64 B", "`message_codec_bench`", codec),
    ("3", "bulk, 65,535-byte packets", "1.3 × TLS, 80 % of the sealed pipeline", f"`{PERF} bulk --mtu 65535 --baseline tls`", bulk(65535, 1.3)),
    ("3", "bulk, 1,500-byte packets", "1.1 × TLS, 80 %", f"`{PERF} bulk --mtu 1500 --baseline tls`", bulk(1500, 1.1)),
    ("4", "call and response, 64 B", "p50 1.25 × UDP ping-pong, p99 1.5 ×", f"`{PERF} rr`, `mxp-perf limits`", call_response),
    ("5", "the same with 1 % loss, round trip 1 ms", "p99 800 µs over the round trip and one recovery", f"`{PERF} rr --link 'delay 500us loss 1%'`", lossy_calls),
    ("6", "handshakes, 32 at a time", "2,300 /s", f"`{PERF} connect --parallel 32`", handshakes),
    ("7", "memory, 10,000 open streams", "128 MB", "test `ten_thousand_open_streams`", memory(r"10,000 open streams: (\d+)", 128_000_000, 1e6, "MB at each end")),
    ("8", "memory, one idle connection at a server", "11 KiB", "test `a_client_that_waits_costs_little`", memory(r"an idle connection: (\d+)", 11 * 1024, 1024, "KiB")),
    ("9", "CPU at 500,000 messages/s", "40 % of a core", f"`{PERF} messages --size 64 --rate 500000`", cpu_at_rate),
    ("10", "bytes sent for a byte delivered, bulk without loss", "1.1", f"`{PERF} bulk`", overhead),
    ("11", "from blocked to the signal", "50 µs", "write() takes less, in the same call: test `the_buffer_takes_up_to_its_limit`",
     tests("test_scheduler", "send_stream/the_buffer_takes_up_to_its_limit")),
    ("12", "bulk over 100 Mbit/s, RTT 50 ms, loss 0.1 / 1 / 5 %, steady state", "92 / 90 / 85 %", "`scripts/congestion_table.sh --only 'loss 1 %'`", lossy_bulk),
    ("12a", "20 MB from the start of the client, RTT 50 ms, loss 0 / 1 / 5 %", "80 / 76 / 74 Mbit/s", "`mxp-cat --send` through `mxp-netem 'delay 25ms rate 100mbit limit 500 loss 1%'`", transfer_from_cold),
    ("13", "queue kept in a buffer of 8 BDP", "p95 0.25 × RTT at 90 % use", "`scripts/congestion_table.sh --only 'queue 8 BDP, no loss'`", deep_queue),
    ("14", "fairness of 2 to 16 flows", "Jain 0.95 together, 0.90 for a late-comer", "`scripts/congestion_table.sh --only '16 flows, no loss'`", fairness),
    ("15", "burst of ten times the rate for 100 ms", "drops nothing reliable", "tests `critical_calls_do_not_feel_a_burst_that_the_path_carries` and `a_burst_beyond_what_the_path_carries_is_over_soon`",
     tests("test_sim", "isolation/critical_calls_do_not_feel_a_burst_that_the_path_carries", "isolation/a_burst_beyond_what_the_path_carries_is_over_soon")),
    ("16", "critical class beside bulk, 1 % loss, RTT 50 ms", "p99 55 ms", f"`{PERF} isolation --link 'delay 25ms rate 100mbit loss 1%'`", isolation),
    ("17", "steady state", "no allocation per packet, message or short stream", "tests `bulk_data_allocate_nothing`, `short_streams_allocate_nothing` and their like",
     tests("test_scheduler", "streams_allocation")),
    ("18", "scaling over cores", "1.8 × with two pairs on four cores", "not measurable on fewer than four cores", None),
    ("19", "mxp-dump over a capture", "10 × tshark, memory constant", "`scripts/capture_speed.sh`", captures),
    ("20", "mxp-netem", "delay within 100 µs, loss within its interval, rate within 1 %, 200,000 packets/s", "`scripts/netem_accuracy.sh`", emulator),
    ("21", "a 1 GiB file by `mxp-cat --send`, with digest", "1.2 × `socat OPENSSL -b 65536`", "`mxp-cat --send FILE --digest`, in memory", whole_file),
]


def processor():
    for line in open("/proc/cpuinfo"):
        if line.startswith("model name"):
            return line.split(":", 1)[1].strip()
    return platform.machine()


def main():
    print("# Targets\n")
    print("Written by `scripts/bench.sh --targets`: the project's targets, what shows each of them, and what was seen last, "
          f"on {datetime.date.today()} ({os.cpu_count()} processors, {processor()}; medians of {REPETITIONS}). "
          "*Of the bar* is above 1 where the target is met. Figures of a machine that others share go up and down together with what is measured beside them.\n")
    print("| # | what | must reach | shown by | seen last | of the bar |")
    print("|---|---|---|---|---|---|", flush=True)
    for number, what, bar, command, measure in ROWS:
        seen, ratio = "–", ""
        if measure is not None:
            try:
                seen, of_bar = measure()
                ratio = "" if of_bar is None else f"{of_bar:.2f}"
            except Exception as why:  # whatever it was, the other rows are measured
                seen = f"not measured: {why}"
        print(f"| {number} | {what} | {bar} | {command} | {seen} | {ratio} |", flush=True)


if __name__ == "__main__":
    main()
