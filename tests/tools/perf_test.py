#!/usr/bin/env python3
"""mxp-perf as a user runs it: results, limits, bounds, and every way to call it wrongly."""
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import unittest

import side_by_side
from perf_support import NETEM, PERF, Server, at_once, perf, relayed, start


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

    def test_datagrams_as_fast_as_they_go(self):
        done = perf("run", "--test", "datagrams", "--duration", "0.5s", "--no-limits", "--json")
        self.assertEqual(done.returncode, 0, done.stderr)
        report = json.loads(done.stdout)
        datagrams = report["result"]["datagrams"]
        self.assertEqual(report["config"]["size_bytes"], 1170)
        self.assertGreater(datagrams["delivered"], 1000)
        self.assertLessEqual(datagrams["delivered"], datagrams["sent"])
        self.assertAlmostEqual(datagrams["delivered_share"], datagrams["delivered"] / datagrams["sent"])
        self.assertEqual(report["result"]["bytes"], 1170 * datagrams["delivered"])
        self.assertEqual(datagrams["overtaken"], 0)
        self.assertGreater(report["result"]["goodput_bits_per_second"], 1e6)
        self.assertNotIn("latency_us", report["result"])

    def test_datagrams_at_a_rate_over_a_link_that_loses_a_tenth(self):
        with Server() as server, relayed(server.url, "--up", "loss 10%", "--seed", "5") as url:
            done = perf("client", url, "--test", "datagrams", "--rate", "1000", "--size", "900", "--duration", "2s", "--no-limits", "--json")
        self.assertEqual(done.returncode, 0, done.stderr)
        report = json.loads(done.stdout)
        datagrams = report["result"]["datagrams"]
        self.assertEqual(datagrams["asked_per_second"], 1000)
        self.assertEqual(report["config"]["datagrams_per_second"], 1000)
        self.assertAlmostEqual(datagrams["sent"] + datagrams["not_sent"], 2000, delta=60)
        self.assertGreater(datagrams["delivered_share"], 0.84)
        self.assertLess(datagrams["delivered_share"], 0.95)

    def test_datagrams_in_text(self):
        done = perf("run", "--test", "datagrams", "--rate", "500", "--size", "8", "--parallel", "3", "--duration", "0.5s", "--no-limits")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertRegex(done.stdout, r"\ndatagrams \d+ /s, \d+ of 2\d\d delivered \(\d+\.\d\d%\), \d+ overtaken; 500 /s asked")

    def test_datagram_options_that_do_not_fit_are_2(self):
        for arguments, word in ((["--size", "7"], "8 to 1170"), (["--size", "1171"], "8 to 1170"), (["--reverse"], "--reverse"), (["--bidir"], "--bidir"),
                                (["--streams", "2"], "--streams"), (["--omit", "1s"], "--omit")):
            with self.subTest(arguments):
                done = perf("run", "--test", "datagrams", *arguments)
                self.assertEqual(done.returncode, 2)
                self.assertIn(word, done.stderr)

    def test_messages_all_arrive_and_say_how_old_they_are(self):
        done = perf("run", "--test", "messages", "--duration", "0.5s", "--json")
        self.assertEqual(done.returncode, 0, done.stderr)
        report = json.loads(done.stdout)
        result, counts = report["result"], report["result"]["messages"]
        self.assertGreater(result["messages_per_second"], 1000)
        self.assertAlmostEqual(result["goodput_bits_per_second"], result["messages_per_second"] * 64 * 8, delta=1)
        self.assertGreater(report["limits"]["sealed_bits_per_second"], 0)
        self.assertEqual((counts["delivered"], counts["received"]), (counts["sent"], counts["sent"]))
        self.assertEqual((counts["expired"], counts["unknown"]), (0, 0))
        self.assertLess(0, result["latency_us"]["p50"])
        self.assertLessEqual(result["latency_us"]["p50"], result["latency_us"]["max"])
        self.assertNotIn("streams", report["config"])
        self.assertNotIn("rate_kept", result)

    def test_messages_at_a_rate_over_several_connections(self):
        done = perf("run", "--test", "messages", "--rate", "2000", "--size", "1100", "--parallel", "3", "--duration", "1s", "--no-limits", "--json")
        self.assertEqual(done.returncode, 0, done.stderr)
        result = json.loads(done.stdout)["result"]
        self.assertEqual((result["messages"]["sent"], result["messages"]["received"]), (2000, 2000))
        self.assertEqual((result["messages"]["not_sent"], result["rate_kept"]), (0, True))
        self.assertAlmostEqual(result["messages_per_second"], 2000, delta=60)

    def test_messages_at_a_high_rate_leave_in_batches(self):
        done = perf("run", "--test", "messages", "--rate", "200000", "--duration", "0.5s", "--no-limits", "--json")
        self.assertEqual(done.returncode, 0, done.stderr)
        report = json.loads(done.stdout)
        self.assertGreater(report["result"]["messages"]["sent"], 0)
        self.assertLess(report["transport"]["packets_sent"] * 4, report["result"]["messages"]["sent"])

    def test_a_rate_of_messages_that_is_not_kept_is_said(self):
        done = perf("run", "--test", "messages", "--rate", "10000000", "--size", "1100", "--duration", "0.5s", "--no-limits")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertRegex(done.stdout, r"(?m)^rate +missed: 10000000 messages/s asked, \d+/s reached, \d+ not sent$")

    def test_messages_too_small_for_a_time_have_no_latency(self):
        done = perf("run", "--test", "messages", "--size", "7", "--duration", "0.2s", "--no-limits", "--json", "--assert", "messages>=1")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertNotIn("latency_us", json.loads(done.stdout)["result"])

    def test_a_mix_of_messages_answers_its_calls(self):
        for arguments in ((), ("--rate", "1000")):
            with self.subTest(arguments):
                done = perf("run", "--test", "mixed", "--duration", "1s", "--no-limits", "--json", *arguments)
                self.assertEqual(done.returncode, 0, done.stderr)
                result = json.loads(done.stdout)["result"]
                counts = result["messages"]
                self.assertGreaterEqual(counts["sent"], 1000)
                self.assertEqual((counts["delivered"], counts["received"]), (counts["sent"], counts["sent"]))
                self.assertLess(0, result["latency_us"]["p50"])

    def test_isolation_compares_calls_alone_and_beside_bulk(self):
        done = perf("run", "--test", "isolation", "--rate", "200", "--duration", "2s", "--no-limits", "--json")
        self.assertEqual(done.returncode, 0, done.stderr)
        result = json.loads(done.stdout)["result"]
        self.assertEqual((result["calls"]["due"], result["calls"]["answered"], result["calls"]["unanswered"]), (400, 400, 0))
        self.assertGreater(result["goodput_bits_per_second"], 1e6)
        for latency in (result["alone"]["latency_us"], result["latency_us"]):
            self.assertLess(0, latency["p50"])
            self.assertLessEqual(latency["p50"], latency["max"])

    def test_isolation_leaves_out_the_beginning_of_both_halves(self):
        """Bulk data that start look for the rate of the link: that is in the whole and not in the rest."""
        common = ("run", "--test", "isolation", "--rate", "100", "--duration", "4s", "--link", "delay 50ms rate 20mbit", "--no-limits", "--json")
        whole, rest = (perf(*common, *arguments) for arguments in ((), ("--omit", "1.5s")))
        for done in (whole, rest):
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertEqual(json.loads(done.stdout)["result"]["calls"]["answered"], 400)
        whole, rest = (json.loads(done.stdout)["result"]["goodput_bits_per_second"] for done in (whole, rest))
        self.assertGreater(rest, 1.05 * whole)

    def test_an_emulated_link_is_in_between(self):
        done = perf("run", "--link", "delay 20ms rate 20mbit", "--duration", "1s", "--no-limits", "--json")
        self.assertEqual(done.returncode, 0, done.stderr)
        report = json.loads(done.stdout)
        self.assertEqual(report["config"]["link"], "delay 20ms rate 20mbit")
        self.assertGreater(report["transport"]["smoothed_rtt_us"], 40_000)
        self.assertLess(report["result"]["goodput_bits_per_second"], 20e6)
        blocked = report["transport"]["blocked_ms"]
        self.assertGreater(blocked.get("pacing", 0) + blocked.get("congestion", 0), 500)
        self.assertGreaterEqual(blocked["handshake"], 40)
        self.assertGreater(sum(blocked.values()), 1000)
        of_class = report["transport"]["blocked_ms_by_class"]["streaming"]
        self.assertGreater(of_class.get("pacing", 0) + of_class.get("congestion", 0), 500)
        self.assertAlmostEqual(sum(of_class.values()), sum(blocked.values()), 3)
        done = perf("run", "--link", "delay 20ms", "--duration", "0.2s", "--no-limits")
        self.assertRegex(done.stdout, r"(?m)^link +delay 20ms$")
        # Two ways of 20 ms, and what the handshake's cryptography takes, which sanitizers and a busy machine multiply.
        handshake = float(re.search(r"(?m)^blocked +.*handshake (\d+\.\d+) ms", done.stdout)[1])
        self.assertGreaterEqual(handshake, 40)
        self.assertLess(handshake, 150)

    def test_the_link_of_a_client_leads_to_the_server_of_the_url(self):
        with Server() as server:
            done = perf("client", server.url, "--link", "delay 30ms", "--test", "messages", "--rate", "100", "--duration", "0.5s", "--no-limits", "--json")
            self.assertEqual(done.returncode, 0, done.stderr)
            report = json.loads(done.stdout)
            self.assertGreater(report["transport"]["smoothed_rtt_us"], 60_000)
            self.assertEqual(report["result"]["messages"]["received"], 50)
            self.assertNotIn("latency_us", report["result"])  # nothing says whose clock the server reads

    def test_data_that_overtake_the_begin_of_their_test_do_not_end_it(self):
        for test in ("bulk", "isolation", "mixed", "rr"):
            with self.subTest(test):
                done = perf("run", "--test", test, "--link", "delay 10ms 10ms loss 10% order time", "--duration", "0.5s", "--no-limits", "--json",
                            *(("--streams", "8") if test != "mixed" else ()))
                self.assertEqual(done.returncode, 0, done.stderr)

    def test_a_link_that_is_none_is_2_and_one_that_cannot_begin_is_1(self):
        done = perf("run", "--link", "delay soon")
        self.assertEqual(done.returncode, 2)
        self.assertIn("--link: ", done.stderr)
        done = perf("run", "--link", "trace /nowhere/at-all", "--no-limits")
        self.assertEqual(done.returncode, 1)
        self.assertRegex(done.stderr, "--link: mxp-netem: .*trace")
        with tempfile.TemporaryDirectory() as folder:
            alone = shutil.copy(PERF, folder)
            done = subprocess.run([alone, "run", "--link", "delay 1ms", "--no-limits"], capture_output=True, text=True, timeout=60, env={"PATH": folder})
        self.assertEqual(done.returncode, 1)
        self.assertIn("--link: mxp-netem: cannot be run: is it installed?", done.stderr)

    def test_what_does_not_go_with_a_test_of_messages(self):
        for arguments, says in ((("messages", "--streams", "2"), "--streams is not for --test messages"),
                                (("messages", "--reverse"), "--reverse and --bidir are for --test bulk"),
                                (("messages", "--size", "1101"), "--size takes 1 to 1100 bytes for messages"),
                                (("mixed", "--size", "7"), "--size takes 8 bytes and more for mixed"),
                                (("isolation", "--duration", "1s", "--omit", "0.5s"), "--omit takes less than half of --duration")):
            with self.subTest(arguments):
                done = perf("run", "--test", *arguments)
                self.assertEqual(done.returncode, 2)
                self.assertIn(says, done.stderr)

    def test_large_calls(self):
        done = perf("run", "--test", "rr", "--size", "200K", "--duration", "0.3s", "--no-limits", "--json")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertGreater(json.loads(done.stdout)["result"]["messages_per_second"], 0)

    def test_datagrams_as_large_as_the_loopback_takes(self):
        done = perf("run", "--mtu", "65535", "--duration", "0.3s", "--no-limits", "--json")
        self.assertEqual(done.returncode, 0, done.stderr)
        report = json.loads(done.stdout)
        self.assertEqual(report["config"]["datagram_bytes"], 65507)
        self.assertEqual(report["transport"]["datagram_bytes"], 65507)

    def test_json_goes_to_a_file_and_text_to_stdout(self):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "result.json")
            done = perf("run", "--duration", "0.2s", "--no-limits", f"--json={path}")
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertIn("goodput", done.stdout)
            with open(path) as file:
                self.assertEqual(json.load(file)["schema"], "mxp-perf/1")


class Limits(unittest.TestCase):
    """Each measurement takes its second whatever else runs: all of them run at once, and the tests look at one each."""

    @classmethod
    def setUpClass(cls):
        with open("/dev/full", "w") as full:
            reader, writer = os.pipe()
            os.close(reader)
            cases = {"alone": (cls.alone,), "full": (cls.into, full, "--json=/dev/full"), "gone": (cls.into, writer),
                     "between": (cls.interrupted, signal.SIGINT, 10, "--json"),
                     **{(number, flags): (cls.interrupted, number, 1, *flags) for number in (signal.SIGINT, signal.SIGTERM) for flags in ((), ("--json",))}}
            cls.results = dict(zip(cases, at_once(lambda function, *rest: function(*rest), cases.values())))
            os.close(writer)

    @staticmethod
    def alone():
        return perf("limits", "--mtu", "1500", "--json")

    @staticmethod
    def into(stdout, *flags):
        return subprocess.run([PERF, "limits", "--mtu", "1500", *flags], stdout=stdout, stderr=subprocess.PIPE, text=True, timeout=60)

    @staticmethod
    def interrupted(number, lines, *arguments):
        """What `limits` prints that a signal meets after so many measurements; as Ctrl-C does, it goes to all its processes."""
        process = start("limits", "--mtu", "1500", "-v", *arguments, start_new_session=True)
        for _ in range(lines):
            process.stderr.readline()
        os.killpg(process.pid, number)
        out, err = process.communicate(timeout=20)
        return process.returncode, out, err

    def test_limits_alone(self):
        done = self.results["alone"]
        self.assertEqual(done.returncode, 0, done.stderr)
        modes = {mode["name"]: mode for mode in json.loads(done.stdout)["limits"]["modes"]}
        for name in ("udp", "sealed_aes256", "sealed_chacha20"):
            self.assertGreater(modes[name]["bits_per_second"], 0)
        self.assertGreater(modes["x25519"]["ns_per_op"], 0)
        self.assertGreater(modes["ping_pong_blocking"]["us"]["p50"], 0)
        self.assertGreater(modes["ping_pong_spinning"]["us"]["p50"], 0)

    def test_nowhere_to_write_is_1(self):
        for case, says in (("full", "/dev/full: No space left on device"), ("gone", "stdout: its reader is gone (broken pipe)")):
            with self.subTest(case):
                done = self.results[case]
                self.assertEqual((done.returncode, done.stderr), (1, f"mxp-perf: cannot write to {says}\n"))

    def test_interrupted_limits_print_what_was_measured(self):
        for number in (signal.SIGINT, signal.SIGTERM):
            with self.subTest(number.name):
                code, out, err = self.results[number, ()]
                self.assertEqual(code, 130, err)
                self.assertRegex(out, r"^udp +1472 B  [1-9]")
                self.assertRegex(err, r"(?m)^mxp-perf: interrupted after \d+ measurements?$")
                code, out, err = self.results[number, ("--json",)]
                self.assertEqual(code, 130, err)
                report = json.loads(out)
                self.assertEqual(report["error"]["kind"], "interrupted")
                self.assertEqual(report["limits"]["modes"][0]["name"], "udp")
                self.assertNotIn("timer_1ms_late", [mode["name"] for mode in report["limits"]["modes"]])

    def test_limits_interrupted_between_two_processes_that_answer_each_other(self):
        # Ten measurements come before the round trips: if their other end went, this one would wait for ever.
        code, out, err = self.results["between"]
        self.assertEqual(code, 130, err)
        report = json.loads(out)
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
        for arguments, name in ((self.SHORT, "stdout"), ((*self.SHORT, "--json"), "stdout"), ((*self.SHORT, "--json=/dev/full"), "/dev/full")):
            with self.subTest(" ".join(arguments)), open("/dev/full", "w") as full:
                done = subprocess.run([PERF, *arguments], stdout=full, stderr=subprocess.PIPE, text=True, timeout=60)
                self.assertEqual((done.returncode, done.stderr), (1, f"mxp-perf: cannot write to {name}: No space left on device\n"))

    def test_a_reader_that_is_gone_is_1(self):
        for arguments in (self.SHORT, (*self.SHORT, "--json")):
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

    def test_a_lost_json_leaves_the_text_that_is_written(self):
        done = perf(*self.SHORT, "--json=/dev/full")
        self.assertEqual(done.returncode, 1)
        self.assertRegex(done.stdout, r"(?m)^goodput +[0-9]")

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
        self.assertIn("served 2 tests", server.output[1])

    def test_a_port_alone_takes_ipv4_and_ipv6(self):
        try:
            with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as probe:
                probe.bind(("::1", 0))
        except OSError:
            self.skipTest("no IPv6 loopback")
        with Server(address="0") as server:
            for host, datagram in (("127.0.0.1", 1472), ("[::1]", 1452), ("localhost", None)):
                with self.subTest(host):
                    done = perf("client", server.url.replace("127.0.0.1", host), "--duration", "0.2s", "--no-limits", "--json")
                    self.assertEqual(done.returncode, 0, done.stderr)
                    report = json.loads(done.stdout)
                    self.assertGreater(report["result"]["bytes"], 0)
                    if datagram:
                        self.assertEqual(report["config"]["datagram_bytes"], datagram)

    def test_refused_by_policy_is_3(self):
        with tempfile.TemporaryDirectory() as folder:
            nobody = os.path.join(folder, "authorized_keys")
            with open(nobody, "w") as file:
                file.write("# nobody\n")
            with Server("--authorized-keys", nobody) as server:
                done = perf("client", server.url, "--duration", "0.2s", "--no-limits", "--json")
                self.assertEqual(done.returncode, 3)
                self.assertEqual(json.loads(done.stdout)["error"]["kind"], "auth")

    def test_an_option_of_a_key_that_is_not_known_is_refused(self):
        with tempfile.TemporaryDirectory() as folder:
            keys = os.path.join(folder, "authorized_keys")
            with open(keys, "w") as file:
                file.write("A" * 43 + " alice expires=2020-01-01\n")
            done = perf("server", "127.0.0.1:0", "--authorized-keys", keys, timeout=10)
            self.assertEqual(done.returncode, 2, done.stderr)
            self.assertIn("unknown option 'expires'", done.stderr)

    def test_a_run_ends_where_signals_are_ignored_by_inheritance(self):
        done = subprocess.run(["sh", "-c", f"trap '' TERM INT HUP; exec {PERF} run --test rr --duration 200ms --no-limits"], capture_output=True, timeout=20)
        self.assertEqual(done.returncode, 0, done.stderr)

    def test_nobody_listening_is_1_at_once(self):
        with Server() as server:
            url = server.url
        done = perf("client", url, "--duration", "0.2s", "--no-limits", timeout=5)
        self.assertEqual(done.returncode, 1)
        self.assertIn("unreachable", done.stderr)

    def interrupted(self, number, url, *arguments):
        """What a client prints that a signal meets after its first intervals: stdout and stderr."""
        process = start("client", url, "--duration", "60s", "--interval", "0.1s", *arguments)
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
        process = start("run", "--duration", "0.2s", "--json", "-v")
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
            process = start("client", url, "--json")
            silent.recv(2000)  # its first message, which nobody answers
            process.send_signal(signal.SIGTERM)
            out, err = process.communicate(timeout=20)
            self.assertEqual((process.returncode, err), (130, "mxp-perf: interrupted before the test began\n"))
            self.assertEqual(json.loads(out), {"schema": "mxp-perf/1", "error": {"kind": "interrupted", "message": "interrupted before the test began"}})


CAT = os.path.join(os.environ["MXP_BIN"], "mxp-cat")
SMALL_LOOPBACK = ("unshare", "-rn", "sh", "-c", 'ip link set lo mtu 1500 up && exec "$0" "$@"')


def through_link(server, link, *arguments):
    """A client whose path to the server is that of mxp-netem's words."""
    with relayed(server.url, link) as url:
        return perf("client", url, "--no-limits", *arguments, timeout=25)


def has_small_loopback():
    """Whether this machine lets us have a loopback interface of our own."""
    try:
        return subprocess.run([*SMALL_LOOPBACK, "true"], capture_output=True, timeout=20).returncode == 0
    except OSError:
        return False


@unittest.skipUnless(os.path.exists(NETEM), "mxp-netem is not built")
class PathMtu(unittest.TestCase):
    """Datagrams become as large as the path and --mtu allow, and no larger."""

    def test_the_size_is_that_of_the_path_or_of_the_option(self):
        cases = (((), "mtu 1500", 1472, 1472), (("--mtu", "9000"), "mtu 1500", 1472, 1472), (("--mtu", "1300"), "mtu 1500", 1272, 1272),
                 (("--mtu", "9000"), "mtu 1400", 1372 - 16, 1372), (("--mtu", "65535"), "mtu 9000", 8972, 8972), (("--mtu", "65535"), "mtu 65535", 65507, 65507))
        with Server("--mtu", "65535") as server:
            for (arguments, link, least, most), done in zip(cases, at_once(through_link, [
                    (server, link, "--json", "--duration", "2s", *arguments) for arguments, link, _, _ in cases])):
                with self.subTest(" ".join((link, *arguments))):
                    self.assertEqual(done.returncode, 0, done.stderr)
                    size = json.loads(done.stdout)["transport"]["datagram_bytes"]
                    self.assertTrue(least <= size <= most, size)

    def test_a_server_finds_its_size_too(self):
        with Server("--mtu", "9000") as server:
            done = through_link(server, "mtu 1400", "--reverse", "--json", "--duration", "1s")
        self.assertEqual(done.returncode, 0, done.stderr)
        report = json.loads(done.stdout)
        self.assertGreater(report["result"]["bytes"], 1_000_000)
        # More than datagrams of 1200 bytes could hold, in the mean of all.
        self.assertGreater(report["result"]["bytes"] / report["transport"]["packets_received"], 1200)

    def test_small_calls_need_no_large_packets(self):
        with Server() as server:
            done = through_link(server, "mtu 1300", "--test", "rr", "--duration", "1s", "--json")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(json.loads(done.stdout)["transport"]["datagram_bytes"], 1200)

    @unittest.skipUnless(has_small_loopback(), "no network namespaces here")
    def test_an_interface_that_takes_less_than_asked_is_no_error(self):
        done = subprocess.run([*SMALL_LOOPBACK, PERF, "run", "--mtu", "9000", "--no-limits", "--duration", "1s", "--json"], capture_output=True, text=True, timeout=20)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(json.loads(done.stdout)["transport"]["datagram_bytes"], 1472)


@unittest.skipUnless(os.path.exists(NETEM), "mxp-netem is not built")
class Links(unittest.TestCase):
    def test_a_slow_link_ends_near_the_duration_with_what_arrived_by_then(self):
        # 8 MiB of backlog would take a minute; the queue of 1,000 packets alone takes 12 s.
        def timed(server, *arguments):
            begin = time.monotonic()
            done = through_link(server, "rate 1mbit", "--duration", "3s", "--json", *arguments)
            return done, time.monotonic() - begin

        with Server() as server:
            cases = ((), ("--reverse",), ("--bidir",), ("--parallel", "20"))
            for arguments, (done, seconds) in zip(cases, at_once(timed, [(server, *arguments) for arguments in cases])):
                with self.subTest(" ".join(arguments)):
                    self.assertEqual(done.returncode, 0, done.stderr)
                    self.assertLess(seconds, 9)  # the duration, three seconds at most for the report, and a busy machine
                    result = json.loads(done.stdout)["result"]
                    self.assertGreater(result["goodput_bits_per_second"], 500_000)
                    self.assertLess(result["goodput_bits_per_second"], 2_000_000 if arguments == ("--bidir",) else 1_000_000)
                    self.assertLess(result["seconds"], 3.5 if not arguments else 7)

    def test_calls_beyond_one_outstanding_are_made(self):
        with Server() as server:
            # One call at a time would reach 20 calls/s over this path.
            done = through_link(server, "delay 25ms", "--test", "rr", "--rate", "200", "--duration", "2s", "--json")
            self.assertEqual(done.returncode, 0, done.stderr)
            result = json.loads(done.stdout)["result"]
            self.assertAlmostEqual(result["messages_per_second"], 200, delta=10)
            self.assertEqual((result["calls"]["due"], result["calls"]["answered"]), (400, 400))
            self.assertLess(result["latency_us"]["p50"], 100_000)


class Rates(unittest.TestCase):
    FAST = ("run", "--test", "rr", "--rate", "10000000", "--duration", "0.3s", "--no-limits")

    def test_a_rate_that_was_missed_is_said_in_text_and_json(self):
        done = perf(*self.FAST)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertRegex(done.stdout, r"(?m)^rate      missed: 10000000 calls/s asked, \d+/s reached$")
        result = json.loads(perf(*self.FAST, "--json").stdout)["result"]
        self.assertIs(result["rate_kept"], False)
        self.assertEqual(result["calls"]["asked_per_second"], 10_000_000)
        self.assertEqual(result["calls"]["due"], result["calls"]["answered"] + result["calls"]["unanswered"])
        # Calls that were due and not made count with the time that they waited: half of the test or more.
        self.assertGreater(result["latency_us"]["p50"], 50_000)

    def test_a_missed_rate_is_6_by_an_assertion(self):
        done = perf(*self.FAST, "--assert", "calls>=10000000", "--json")
        self.assertEqual(done.returncode, 6, done.stderr)
        report = json.loads(done.stdout)
        self.assertEqual(report["error"]["kind"], "threshold")
        self.assertIn("calls>=10000000 does not hold", report["error"]["message"])

    def test_a_rate_that_was_kept_is_not_called_missed(self):
        done = perf("run", "--test", "rr", "--rate", "50", "--duration", "1s", "--no-limits", "--json", "--assert", "calls>=40")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIs(json.loads(done.stdout)["result"]["rate_kept"], True)


class ManyConnections(unittest.TestCase):
    def test_a_thousand_work_in_little_memory(self):
        with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as err:
            process = start("run", "--parallel", "1000", "--duration", "1s", "--no-limits", "--json", stdout=out, stderr=err)
            _, status, usage = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
            out.seek(0), err.seek(0)
            self.assertEqual(process.returncode, 0, err.read())
            report = json.load(out)
        self.assertGreater(report["result"]["bytes"], 1_000_000)
        self.assertLess(usage.ru_maxrss, 400_000, "KiB, of the larger of client and server")
        # The figures are those of all connections: each sends a handshake, a request and data.
        self.assertEqual(report["transport"]["connections"], 1000)
        self.assertGreater(report["transport"]["packets_sent"], 3000)

    def test_a_server_that_does_not_know_how_many_come_shares_its_memory_too(self):
        with Server() as server:
            done = perf("client", server.url, "--reverse", "--parallel", "200", "--duration", "0.5s", "--no-limits")
            self.assertEqual(done.returncode, 0, done.stderr)
            with open(f"/proc/{server.process.pid}/status") as status:
                peak = int(re.search(r"VmHWM:\s+(\d+) kB", status.read())[1])
            self.assertLess(peak, 300_000)  # 200 times 8 MiB is 1.6 GB


class IntervalLines(unittest.TestCase):
    def test_the_last_interval_is_printed_and_what_is_left_out_shows(self):
        common = ("run", "--duration", "1s", "--omit", "0.9s", "--interval", "0.4s", "--no-limits")
        cases = (("--test", "rr"), (), ("--reverse",))
        for arguments, done in zip(cases, at_once(perf, [(*common, *arguments) for arguments in cases])):
            with self.subTest(" ".join(arguments)):
                self.assertEqual(done.returncode, 0, done.stderr)
                lines = [re.fullmatch(r" +([\d.]+) s  ([\d.]+)(?: calls/s| .?bit/s)", line).groups() for line in done.stderr.splitlines()]
                self.assertEqual(len(lines), 3)
                self.assertAlmostEqual(float(lines[-1][0]), 1.0, delta=0.15)
                for at, rate in lines:
                    self.assertGreater(float(rate), 0, at)


class Config(unittest.TestCase):
    def test_every_option_is_in_the_json(self):
        done = perf("run", "--test", "rr", "--duration", "0.3s", "--omit", "0.1s", "--size", "100", "--rate", "50", "--parallel", "2", "--streams", "3",
                    "--interval", "1s", "--mtu", "1400", "--cc", "none", "--suite", "chacha20", "--assert", "calls>=1", "--no-limits", "--json")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(json.loads(done.stdout)["config"], {
            "command": "run", "test": "rr", "duration_seconds": 0.3, "omit_seconds": 0.1, "size_bytes": 100, "calls_per_second": 50, "arrivals": "fixed",
            "outstanding": 10000, "connections": 2,
            "streams": 3, "interval_seconds": 1, "mtu_bytes": 1400, "datagram_bytes": 1372, "congestion_control": "none", "suites": ["chacha20"],
            "suite": "chacha20", "assertions": ["calls>=1"], "limits_measured": False})

    def test_what_does_not_apply_is_absent(self):
        done = perf("run", "--bidir", "--duration", "0.2s", "--no-limits", "--json")
        config = json.loads(done.stdout)["config"]
        self.assertEqual(config["direction"], "both")
        for key in ("size_bytes", "calls_per_second", "interval_seconds", "assertions", "url", "identity"):
            self.assertNotIn(key, config)


class PeersThatFail(unittest.TestCase):
    """Who goes away, or never was mxp-perf, ends the test with a word; what was measured by then stays."""

    DEATHS = [(number, code, kind, flags) for number, code, kind in ((signal.SIGKILL, 1, "network"), (signal.SIGTERM, 5, "peer"))
              for flags in ((), ("--reverse",), ("--test", "rr"))]
    LISTENERS = (((), False, "the peer ended the control stream without an answer"), ((), True, "gave no answer in"),
                 (("--echo",), False, "the server's answer is not understood"))
    WORDS = (("", False), ("hello\n", True), ("hello", False), ("x" * 5000, True), ("hello", True), ('{"perf":"two"}\n', True))

    @classmethod
    def setUpClass(cls):
        if not os.path.exists(CAT):
            raise unittest.SkipTest("mxp-cat is not built")
        with Server() as cls.server:
            results = at_once(lambda function, *rest: function(*rest), [
                *((cls.served_by_the_dying, number, flags) for number, _, _, flags in cls.DEATHS),
                *((cls.served_by_cat, flags, keep_stdin) for flags, keep_stdin, _ in cls.LISTENERS),
                *((cls.cat_says, text, keep_stdin) for text, keep_stdin in cls.WORDS)])
            cls.still_there = cls.server.process.poll() is None
            cls.still_serving = perf("client", cls.server.url, "--duration", "0.1s", "--no-limits").returncode
        cls.deaths, cls.listeners, cls.words = results[:6], results[6:9], results[9:]

    @staticmethod
    def served_by_the_dying(number, flags):
        with Server() as server:
            client = start("client", server.url, "--duration", "2s", "--interval", "0.1s", "--no-limits", "--json", *flags)
            for _ in range(4):
                client.stderr.readline()
            server.process.send_signal(number)
            out, err = client.communicate(timeout=25)
            return client.returncode, json.loads(out), err

    def test_a_client_that_hears_late_that_its_connections_are_gone_touches_none_of_them(self):
        """It is stopped while the server goes, and finds in one turn that the connections have ended, and timers of the test that are long due."""
        def one(test, *flags):
            with Server() as server:
                client = start("client", server.url, "--duration", "20s", "--interval", "0.1s", "--no-limits", "--json", "--parallel", "2", "--test", test, *flags)
                client.stderr.readline()
                client.send_signal(signal.SIGSTOP)
                server.process.send_signal(signal.SIGTERM)
                server.process.wait(timeout=20)
                client.send_signal(signal.SIGCONT)
                begun = time.monotonic()
                out, err = client.communicate(timeout=40)
                self.assertLess(time.monotonic() - begun, 15, test)  # at once, and not when its duration is over
                return client.returncode, json.loads(out)["error"]["kind"], err
        tests = [("bulk", "--omit", "0.3s"), *((test, "--rate", "500") for test in ("rr", "streams", "messages", "mixed", "datagrams", "connect", "isolation"))]
        for (test, *_), (code, kind, err) in zip(tests, at_once(one, tests)):
            with self.subTest(test):
                self.assertEqual((code, kind), (5, "peer"), err)
                self.assertIn("the server ended the test: the server was interrupted", err)
                self.assertNotIn("Sanitizer", err)

    @staticmethod
    def served_by_cat(flags, keep_stdin):
        with subprocess.Popen([CAT, "listen", "127.0.0.1:0", *flags], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
                              text=True) as listener:
            url = re.search(r"mxp://\S+", listener.stderr.readline())[0]
            if not keep_stdin:
                listener.stdin.close()
            try:
                return perf("client", url, "--duration", "0.2s", "--no-limits", "--json", timeout=20)
            finally:
                listener.kill()

    @classmethod
    def cat_says(cls, text, keep_stdin):
        with subprocess.Popen([CAT, cls.server.url], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as client:
            client.stdin.write(text)
            client.stdin.flush()
            if not keep_stdin:
                client.stdin.close()
            try:
                return client.wait(timeout=20), client.stderr.read()
            finally:
                client.kill()

    def test_a_server_that_dies_leaves_the_partial_result(self):
        for (number, code, kind, flags), (returned, report, err) in zip(self.DEATHS, self.deaths):
            with self.subTest(f"{number.name} {' '.join(flags)}"):
                self.assertEqual((returned, report["error"]["kind"]), (code, kind), err)
                self.assertGreater(report["result"]["bytes"], 0)
                if "rr" not in flags:
                    self.assertLess(report["result"]["seconds"], 1.9)  # until the last byte, not until the end
                    self.assertGreater(report["result"]["goodput_bits_per_second"], 0)
                self.assertNotIn("server_seconds", report["cpu"])

    def test_a_server_that_is_no_mxp_perf(self):
        for (_, _, says), done in zip(self.LISTENERS, self.listeners):
            with self.subTest(says):
                self.assertEqual(done.returncode, 5, done.stderr)
                self.assertIn(says, done.stderr)
                self.assertEqual(json.loads(done.stdout)["error"]["kind"], "peer")

    def test_a_client_that_is_no_mxp_perf(self):
        for (text, _), (code, err) in zip(self.WORDS, self.words):
            with self.subTest(text[:20]):
                self.assertEqual(code, 5, err)
                self.assertRegex(err, "not a request that this mxp-perf serves|this is mxp-perf server")
        self.assertTrue(self.still_there)
        self.assertEqual(self.still_serving, 0)


class WrongUse(unittest.TestCase):
    def test_each_is_2_with_a_word(self):
        for arguments, word in [
            ([], "a command is missing"),
            (["run", "--test", "launch"], "--test"),
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
            (["run", "--duration", "1s", "--omit", "1s"], "--omit takes less than --duration"),
            (["run", "--duration", "500us"], "--duration takes 1.0 ms to 1h00m"),
            (["run", "--duration", "2h"], "--duration takes 1.0 ms to 1h00m"),
            (["run", "--duration", "1000000000h"], "--duration"),
            (["run", "--size", "100"], "--size is not for --test bulk"),
            (["run", "--test", "rr", "--size", "0"], "--size takes 1 byte to 1M"),
            (["run", "--test", "rr", "--size", "2M"], "--size takes 1 byte to 1M"),
            (["run", "--test", "rr", "--rate", "nan"], "--rate takes 0.001 to 10,000,000"),
            (["run", "--test", "rr", "--rate", "1e8"], "--rate takes 0.001 to 10,000,000"),
            (["run", "--interval", "1ms"], "--interval takes 10.0 ms to 1h00m"),
            (["run", "--interval", "0"], "--interval takes 10.0 ms to 1h00m"),
            (["run", "--durations", "3"], "not expected: --durations 3 "),
            (["run", "--parallel", "1001"], "--parallel: Value 1001 not in range 1 to 1000"),
            (["run", "--parallel", "99999999999999999999"], "--parallel"),
            (["run", "--parallel", "-1"], "--parallel"),
            (["run", "--streams", "0"], "--streams: Value 0 not in range 1 to 1000"),
            (["run", "--parallel", "1000", "--streams", "11"], "at most 10000 streams in all"),
            (["run", "--mtu", "65536"], "--mtu: Value 65536 not in range 1228 to 65535"),
            (["run", "--assert", "speed>=1"], "speed"),
            (["run", "--assert", "goodput=1"], "goodput"),
            (["run", "--assert", "goodput>=slow"], "slow"),
            (["run", "--parallel", "0"], "--parallel"),
            (["run", "--link", "loss x%"], "--link"),
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

    def test_what_is_no_command_is_2(self):
        self.assertIn("'launch' is not a command", perf("launch", "--help").stderr)

    def test_help_and_version(self):
        self.assertIn("Examples", perf("--help").stdout)
        self.assertRegex(perf("--version").stdout, r"mxp-perf \d+\.\d+")


if __name__ == "__main__":
    side_by_side.main(alone=[Runs, Limits, PathMtu, Links, Rates, ManyConnections, PeersThatFail])
