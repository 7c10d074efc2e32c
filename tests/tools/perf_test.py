#!/usr/bin/env python3
"""mxp-perf as a user runs it: results, limits, bounds, and every way to call it wrongly."""
import json
import os
import re
import signal
import socket
import subprocess
import tempfile
import unittest

PERF = os.path.join(os.environ["MXP_BIN"], "mxp-perf")


def perf(*arguments, timeout=60):
    return subprocess.run([PERF, *arguments], capture_output=True, text=True, timeout=timeout)


class Server:
    """A server on a port of the kernel's choice; its URL."""

    def __init__(self, *arguments):
        self.process = subprocess.Popen([PERF, "server", "127.0.0.1:0", *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        line = self.process.stderr.readline()
        self.url = re.fullmatch(r"listening (mxp://[A-Za-z0-9_-]{43}@127\.0\.0\.1:\d+)\n", line)[1]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        self.output = self.process.communicate(timeout=20)


class Runs(unittest.TestCase):
    def test_bulk_delivers_and_reports_json(self):
        done = perf("run", "--test", "bulk", "--duration", "0.5s", "--no-limits", "--json")
        self.assertEqual(done.returncode, 0, done.stderr)
        result = json.loads(done.stdout)
        self.assertEqual(result["test"], "bulk")
        self.assertGreater(result["result"]["goodput_bits_per_second"], 1e6)
        self.assertGreater(result["result"]["bytes"], 0)
        self.assertIn(result["verdict"], ("tool", "network", "peer", "none"))
        self.assertGreater(result["cpu"]["client_seconds"], 0)
        self.assertGreater(result["cpu"]["server_seconds"], 0)
        self.assertNotIn("limits", result)
        self.assertNotIn("latency_us", result["result"])

    def test_limits_stand_beside_the_result(self):
        done = perf("run", "--duration", "0.3s", "--json")
        self.assertEqual(done.returncode, 0, done.stderr)
        limits = json.loads(done.stdout)["limits"]
        self.assertGreater(limits["udp_bits_per_second"], 0)
        self.assertGreater(limits["sealed_bits_per_second"], 0)

    def test_reverse_and_both_ways(self):
        for flag in ("--reverse", "--bidir"):
            with self.subTest(flag):
                done = perf("run", flag, "--duration", "0.3s", "--no-limits", "--json")
                self.assertEqual(done.returncode, 0, done.stderr)
                self.assertGreater(json.loads(done.stdout)["result"]["bytes"], 0)

    def test_several_connections_and_streams(self):
        done = perf("run", "--parallel", "3", "--streams", "4", "--duration", "0.3s", "--no-limits", "--json")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(json.loads(done.stdout)["config"]["connections"], 3)

    def test_rr_gives_ordered_percentiles(self):
        done = perf("run", "--test", "rr", "--duration", "0.5s", "--no-limits", "--json")
        self.assertEqual(done.returncode, 0, done.stderr)
        result = json.loads(done.stdout)["result"]
        latency = result["latency_us"]
        self.assertGreater(result["messages_per_second"], 10)
        self.assertGreater(latency["p50"], 0)
        self.assertLessEqual(latency["p50"], latency["p90"])
        self.assertLessEqual(latency["p90"], latency["p99"])
        self.assertLessEqual(latency["p99"], latency["p999"])
        self.assertLessEqual(latency["p999"], latency["max"])
        self.assertNotIn("goodput_bits_per_second", result)

    def test_open_loop_makes_the_calls_that_were_asked_for(self):
        done = perf("run", "--test", "rr", "--rate", "200", "--streams", "4", "--duration", "1s", "--no-limits", "--json")
        self.assertEqual(done.returncode, 0, done.stderr)
        result = json.loads(done.stdout)["result"]
        self.assertAlmostEqual(result["messages_per_second"], 200, delta=10)
        self.assertGreaterEqual(result["latency_us"]["max"], result["service_time_us"]["p50"])

    def test_large_calls(self):
        done = perf("run", "--test", "rr", "--size", "200K", "--duration", "0.3s", "--no-limits", "--json")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertGreater(json.loads(done.stdout)["result"]["messages_per_second"], 0)

    def test_datagrams_as_large_as_the_loopback_takes(self):
        done = perf("run", "--mtu", "65535", "--duration", "0.3s", "--no-limits", "--json")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(json.loads(done.stdout)["config"]["datagram_bytes"], 65507)

    def test_json_goes_to_a_file_and_text_to_stdout(self):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "result.json")
            done = perf("run", "--duration", "0.2s", "--no-limits", f"--json={path}")
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertIn("goodput", done.stdout)
            with open(path) as file:
                self.assertEqual(json.load(file)["schema"], "mxp-perf/1")

    def test_limits_alone(self):
        done = perf("limits", "--mtu", "1500", "--json")
        self.assertEqual(done.returncode, 0, done.stderr)
        modes = {mode["name"]: mode for mode in json.loads(done.stdout)["limits"]["modes"]}
        for name in ("udp", "sealed_aes256", "sealed_chacha20"):
            self.assertGreater(modes[name]["bits_per_second"], 0)
        self.assertGreater(modes["x25519"]["ns_per_op"], 0)
        self.assertGreater(modes["ping_pong_blocking"]["us"]["p50"], 0)

    def limits_interrupted(self, number, *arguments, lines):
        """What `limits` prints that a signal meets after so many measurements; as Ctrl-C does, it goes to all its processes."""
        process = subprocess.Popen([PERF, "limits", "--mtu", "1500", "-v", *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                                   start_new_session=True)
        for _ in range(lines):
            process.stderr.readline()
        os.killpg(process.pid, number)
        out, err = process.communicate(timeout=20)
        self.assertEqual(process.returncode, 130, err)
        return out, err

    def test_interrupted_limits_print_what_was_measured(self):
        for number in (signal.SIGINT, signal.SIGTERM):
            with self.subTest(number.name):
                out, err = self.limits_interrupted(number, lines=1)
                self.assertRegex(out, r"^udp +1472 B  [1-9]")
                self.assertRegex(err, r"(?m)^mxp-perf: interrupted after \d+ measurement\(s\)$")
                report = json.loads(self.limits_interrupted(number, "--json", lines=1)[0])
                self.assertEqual(report["error"]["kind"], "interrupted")
                self.assertEqual(report["limits"]["modes"][0]["name"], "udp")
                self.assertNotIn("timer_1ms_late", [mode["name"] for mode in report["limits"]["modes"]])

    def test_limits_interrupted_between_two_processes_that_answer_each_other(self):
        # Ten measurements come before the round trips: if their other end went, this one would wait for ever.
        report = json.loads(self.limits_interrupted(signal.SIGINT, "--json", lines=10)[0])
        self.assertEqual((len(report["limits"]["modes"]), report["limits"]["modes"][-1]["name"]), (10, "x25519"))


class Bounds(unittest.TestCase):
    def test_met(self):
        self.assertEqual(perf("run", "--duration", "0.2s", "--no-limits", "--assert", "goodput>=1kbit").returncode, 0)

    def test_not_met_is_6_and_keeps_the_result(self):
        done = perf("run", "--duration", "0.2s", "--no-limits", "--assert", "goodput>=900gbit", "--json")
        self.assertEqual(done.returncode, 6)
        self.assertIn("goodput>=900gbit", done.stderr)
        self.assertGreater(json.loads(done.stdout)["result"]["bytes"], 0)

    def test_a_metric_the_test_does_not_give_is_not_met(self):
        self.assertEqual(perf("run", "--duration", "0.2s", "--no-limits", "--assert", "p99<=10s").returncode, 6)


class NowhereToWrite(unittest.TestCase):
    """A result that is lost is a failure, with the reason."""
    SHORT = ("run", "--duration", "0.2s", "--no-limits")

    def test_a_full_disk_is_1(self):
        for arguments, name in ((self.SHORT, "stdout"), ((*self.SHORT, "--json"), "stdout"), ((*self.SHORT, "--json=/dev/full"), "/dev/full"),
                                (("limits", "--mtu", "1500", "--json=/dev/full"), "/dev/full")):
            with self.subTest(" ".join(arguments)), open("/dev/full", "w") as full:
                done = subprocess.run([PERF, *arguments], stdout=full, stderr=subprocess.PIPE, text=True, timeout=60)
                self.assertEqual((done.returncode, done.stderr), (1, f"mxp-perf: cannot write to {name}: No space left on device\n"))

    def test_a_reader_that_is_gone_is_1(self):
        for arguments in (self.SHORT, (*self.SHORT, "--json"), ("limits", "--mtu", "1500")):
            reader, writer = os.pipe()
            os.close(reader)  # as `| head` is when it has what it wants
            with self.subTest(" ".join(arguments)):
                done = subprocess.run([PERF, *arguments], stdout=writer, stderr=subprocess.PIPE, text=True, timeout=60)
                self.assertEqual((done.returncode, done.stderr), (1, "mxp-perf: cannot write to stdout: its reader is gone (broken pipe)\n"))
            os.close(writer)

    def test_a_lost_text_leaves_the_json_that_is_written(self):
        with tempfile.TemporaryDirectory() as folder, open("/dev/full", "w") as full:
            path = os.path.join(folder, "result.json")
            done = subprocess.run([PERF, *self.SHORT, f"--json={path}"], stdout=full, stderr=subprocess.PIPE, timeout=60)
            self.assertEqual(done.returncode, 1)
            with open(path) as file:
                self.assertGreater(json.load(file)["result"]["bytes"], 0)

    def test_a_file_that_cannot_be_opened_is_1_before_the_test(self):
        done = perf("run", "--duration", "60s", "--json=/nonexistent/result", timeout=20)
        self.assertEqual(done.returncode, 1)
        self.assertIn("/nonexistent/result", done.stderr)


class ServerAndClient(unittest.TestCase):
    def test_client_against_server_and_server_interrupted(self):
        with Server() as server:
            done = perf("client", server.url, "--duration", "0.2s", "--no-limits", "--json")
            self.assertEqual(done.returncode, 0, done.stderr)
            again = perf("client", server.url, "--test", "rr", "--duration", "0.2s", "--no-limits")
            self.assertEqual(again.returncode, 0, again.stderr)
        self.assertEqual(server.process.returncode, 130)
        self.assertIn("served 2 test(s)", server.output[1])

    def test_refused_by_policy_is_3(self):
        with tempfile.TemporaryDirectory() as folder:
            nobody = os.path.join(folder, "authorized_keys")
            with open(nobody, "w") as file:
                file.write("# nobody\n")
            with Server("--authorized-keys", nobody) as server:
                done = perf("client", server.url, "--duration", "0.2s", "--no-limits", "--json")
                self.assertEqual(done.returncode, 3)
                self.assertEqual(json.loads(done.stdout)["error"]["kind"], "auth")

    def test_nobody_listening_is_1_at_once(self):
        with Server() as server:
            url = server.url
        done = perf("client", url, "--duration", "0.2s", "--no-limits", timeout=5)
        self.assertEqual(done.returncode, 1)
        self.assertIn("unreachable", done.stderr)

    def interrupted(self, number, url, *arguments):
        """What a client prints that a signal meets after its first intervals: stdout and stderr."""
        process = subprocess.Popen([PERF, "client", url, "--duration", "60s", "--interval", "0.1s", *arguments],
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for _ in range(3):
            process.stderr.readline()
        process.send_signal(number)
        out, err = process.communicate(timeout=20)
        self.assertEqual(process.returncode, 130, err)
        return out, err

    def test_an_interrupted_client_prints_what_it_measured(self):
        with Server() as server:
            for number in (signal.SIGINT, signal.SIGTERM):
                with self.subTest(number.name):
                    out, err = self.interrupted(number, server.url)
                    self.assertRegex(out, r"(?m)^goodput   [1-9]")
                    self.assertRegex(err, r"(?m)^mxp-perf: interrupted after \S+ ms of 1m00s: the result is what was measured until then$")

    def test_an_interrupted_client_writes_its_partial_result_beside_the_error(self):
        with Server() as server:
            for number in (signal.SIGINT, signal.SIGTERM):
                for flag in ("--parallel=2", "--reverse", "--bidir"):
                    with self.subTest(f"{number.name} {flag}"):
                        report = json.loads(self.interrupted(number, server.url, "--json", flag)[0])
                        self.assertEqual(report["error"]["kind"], "interrupted")
                        self.assertEqual(report["schema"], "mxp-perf/1")
                        result = report["result"]
                        self.assertGreater(result["bytes"], 100_000)
                        self.assertGreater(result["seconds"], 0.1)
                        self.assertAlmostEqual(result["goodput_bits_per_second"], result["bytes"] * 8 / result["seconds"], delta=1)
                        self.assertGreater(report["cpu"]["client_seconds"], 0)
                        self.assertNotIn("server_seconds", report["cpu"])
                        self.assertEqual(report["verdict"], "none")
                        self.assertNotIn("limits", report)

    def test_an_interrupted_rr_client_has_its_latencies(self):
        with Server() as server:
            report = json.loads(self.interrupted(signal.SIGTERM, server.url, "--test", "rr", "--json")[0])
            self.assertEqual(report["error"]["kind"], "interrupted")
            self.assertGreater(report["result"]["messages_per_second"], 10)
            self.assertGreater(report["result"]["latency_us"]["p50"], 0)

    def test_what_was_to_be_left_out_is_not_in_a_partial_result(self):
        with Server() as server:
            for test in ("bulk", "rr"):
                result = json.loads(self.interrupted(signal.SIGINT, server.url, "--test", test, "--omit", "50s", "--json")[0])["result"]
                self.assertEqual(result, {"bytes": 0, "seconds": 0})

    def test_bounds_do_not_hold_a_partial_result(self):
        with Server() as server:
            self.assertNotIn("goodput>=", self.interrupted(signal.SIGINT, server.url, "--assert", "goodput>=900gbit")[1])

    def test_interrupted_while_limits_are_measured_keeps_the_whole_result(self):
        process = subprocess.Popen([PERF, "run", "--duration", "0.2s", "--json", "-v"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.assertIn("limits", process.stderr.readline())
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=20)
        self.assertEqual(process.returncode, 130, err)
        report = json.loads(out)
        self.assertEqual(report["error"]["kind"], "interrupted")
        self.assertGreater(report["cpu"]["server_seconds"], 0)
        self.assertNotIn("limits", report)

    def test_interrupted_before_the_test_is_130_without_a_result(self):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent, Server() as server:
            silent.bind(("127.0.0.1", 0))
            silent.settimeout(20)
            url = f"{server.url.rsplit(':', 1)[0]}:{silent.getsockname()[1]}"
            process = subprocess.Popen([PERF, "client", url, "--json"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
            silent.recv(2000)  # its first message, which nobody answers
            process.send_signal(signal.SIGTERM)
            out, err = process.communicate(timeout=20)
            self.assertEqual((process.returncode, err), (130, "mxp-perf: interrupted before the test began\n"))
            self.assertEqual(json.loads(out), {"error": {"kind": "interrupted", "message": "interrupted before the test began"}})


NETEM = os.path.join(os.environ["MXP_BIN"], "mxp-netem")
SMALL_LOOPBACK = ("unshare", "-rn", "sh", "-c", 'ip link set lo mtu 1500 up && exec "$0" "$@"')


def has_small_loopback():
    """Whether this machine lets us have a loopback interface of our own."""
    try:
        return subprocess.run([*SMALL_LOOPBACK, "true"], capture_output=True, timeout=20).returncode == 0
    except OSError:
        return False


@unittest.skipUnless(os.path.exists(NETEM), "mxp-netem is not built")
class PacketsTooLarge(unittest.TestCase):
    """Handshake and control are small and get through: what is lost is told from silence, and --mtu is named."""

    def through(self, server, mtu, *arguments):
        """A client whose path to the server carries packets of `mtu` bytes at most."""
        target = server.url.rsplit("@", 1)[1]
        with subprocess.Popen([NETEM, "-l", "127.0.0.1:0", "-t", target, "--quiet", "mtu", str(mtu)], stderr=subprocess.PIPE, text=True) as relay:
            try:
                address = re.match(r"relaying (\S+) ->", relay.stderr.readline())[1]
                return perf("client", server.url.replace(target, address), "--no-limits", *arguments, timeout=25)
            finally:
                relay.send_signal(signal.SIGTERM)

    def test_the_path_carries_less_than_asked(self):
        with Server("--mtu", "9000") as server:
            for arguments, says in ((("--mtu", "9000", "--duration", "60s"), r"packets of 9000 bytes \(--mtu\): try --mtu 1500$"),
                                    (("--mtu", "9000", "--duration", "0.2s"), r"packets of 9000 bytes \(--mtu\): try --mtu 1500$"),
                                    (("--bidir", "--mtu", "1500", "--duration", "60s"), r"as the server builds: try mxp-perf server --mtu 1400, or less$"),
                                    (("--reverse", "--duration", "60s"), r"as the server builds: try mxp-perf server --mtu 1400, or less$"),
                                    (("--test", "rr", "--size", "100K", "--mtu", "9000"), r"try --mtu 1500 here and at the server$")):
                with self.subTest(" ".join(arguments)):
                    done = self.through(server, 1500, "--json", *arguments)
                    self.assertEqual(done.returncode, 1, done.stderr)
                    self.assertRegex(done.stderr.strip(), r"^mxp-perf: 127\.0\.0\.1:\d+: the server answers, and no.* in 3\.\d\d s; .*" + says)
                    self.assertEqual(json.loads(done.stdout)["error"]["kind"], "network")

    def test_what_was_advised_works(self):
        with Server() as server:
            done = self.through(server, 1400, "--duration", "0.3s")
            self.assertIn("try --mtu 1400", done.stderr)
            done = self.through(server, 1400, "--duration", "0.3s", "--mtu", "1400")
            self.assertEqual(done.returncode, 0, done.stderr)

    def test_small_calls_need_no_large_packets(self):
        with Server() as server:
            done = self.through(server, 1300, "--test", "rr", "--duration", "4s")  # longer than data may take at first
            self.assertEqual(done.returncode, 0, done.stderr)

    @unittest.skipUnless(has_small_loopback(), "no network namespaces here")
    def test_the_interface_takes_less_than_asked(self):
        done = subprocess.run([*SMALL_LOOPBACK, PERF, "run", "--mtu", "9000", "--no-limits", "--duration", "60s"], capture_output=True, text=True, timeout=20)
        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertRegex(done.stderr, r"packets of 9000 bytes \(--mtu\) are larger than this machine's interface takes; try --mtu 1500\n$")


class WrongUse(unittest.TestCase):
    def test_each_is_2_with_a_word(self):
        for arguments, word in [
            ([], "subcommand"),
            (["run", "--test", "messages"], "--test"),
            (["run", "--duration", "0"], "--duration"),
            (["run", "--duration", "fast"], "--duration"),
            (["run", "--reverse", "--bidir"], "--bidir"),
            (["run", "--test", "rr", "--reverse"], "--reverse"),
            (["run", "--rate", "5"], "--rate"),
            (["run", "--test", "rr", "--rate", "0"], "--rate"),
            (["run", "--mtu", "100"], "--mtu"),
            (["run", "--suite", "aes256,rot13"], "--suite: 'rot13' is not a suite: use chacha20 or aes256"),
            (["run", "--suite", ""], "--suite: '' is not a suite"),
            (["run", "--omit", "20s"], "--omit"),
            (["run", "--assert", "speed>=1"], "speed"),
            (["run", "--assert", "goodput=1"], "goodput"),
            (["run", "--assert", "goodput>=slow"], "slow"),
            (["run", "--parallel", "0"], "--parallel"),
            (["run", "--link", "loss 1%"], "--link"),
            (["client", "mxp://127.0.0.1:9000"], "key"),
            (["client", "http://example"], "mxp://"),
            (["server"], "address"),
            (["server", "nonsense:port"], "port"),
            (["server", "127.0.0.1:0", "--identity", "/nonexistent/key"], "/nonexistent/key"),
        ]:
            with self.subTest(" ".join(arguments)):
                done = perf(*arguments)
                self.assertEqual(done.returncode, 2, done.stderr)
                self.assertIn(word, done.stderr)

    def test_commands_of_later_versions_are_2_and_say_so(self):
        for command in ("compare", "report", "merge", "find-capacity"):
            for arguments in ([command], [command, "--help"], ["--json", command, "a.json"]):
                with self.subTest(" ".join(arguments)):
                    done = perf(*arguments)
                    self.assertEqual(done.returncode, 2)
                    self.assertEqual(json.loads(done.stdout)["error"]["kind"] if "--json" in arguments else done.stdout, "usage" if "--json" in arguments else "")
                    self.assertRegex(done.stderr, rf"^mxp-perf: '{command}' is not in mxp-perf 0\.[^ ]+: use server, client, run, limits\n$")
        self.assertIn("'launch' is not a command", perf("launch", "--help").stderr)

    def test_help_and_version(self):
        self.assertIn("Examples", perf("--help").stdout)
        self.assertRegex(perf("--version").stdout, r"mxp-perf \d+\.\d+")


if __name__ == "__main__":
    unittest.main()
