#!/usr/bin/env python3
"""mxp-perf --baseline tls: the same work over TLS 1.3 and TCP, and where there is none."""
import json
import signal
import unittest

from perf_schema import report_of
from perf_support import perf, start


class Baseline(unittest.TestCase):
    def run_with(self, *arguments):
        return report_of("run", "--baseline", "tls", "--duration", "0.5s", *arguments)

    def test_bulk_in_both_directions_and_suites(self):
        for arguments in ((), ("--reverse",), ("--suite", "chacha20"), ("--mtu", "65535"), ("--omit", "0.2s")):
            with self.subTest(arguments):
                report = self.run_with(*arguments)
                self.assertEqual(list(report["baseline"]["tls"]), ["goodput_bits_per_second"])
                self.assertGreater(report["baseline"]["tls"]["goodput_bits_per_second"], 1e6)
                self.assertGreater(report["result"]["goodput_bits_per_second"], 1e6)
                self.assertEqual(report["config"]["baseline"], "tls")

    def test_calls_and_handshakes_have_their_latencies(self):
        for test, key in (("rr", "messages_per_second"), ("connect", "handshakes_per_second")):
            with self.subTest(test):
                tls = self.run_with("--test", test)["baseline"]["tls"]
                self.assertEqual(sorted(tls), sorted((key, "latency_us")))
                self.assertGreater(tls[key], 5)
                self.assertLessEqual(tls["latency_us"]["p50"], tls["latency_us"]["max"])
                # One at a time: as many as fit one after the other.
                self.assertLess(tls[key] * tls["latency_us"]["p50"] * 1e-6, 2.5)

    def test_the_text_says_the_share(self):
        for arguments, says in (((), r"(?m)^tls +[\d.]+ .?bit/s: MXP has \d+\.\d\d of it$"), (("--test", "rr"), r"(?m)^tls latency p50 "),
                                (("--test", "connect"), r"(?m)^tls +[\d.]+ /s: MXP has \d+\.\d\d of it$")):
            with self.subTest(arguments):
                done = perf("run", "--baseline", "tls", "--duration", "0.3s", "--no-limits", *arguments)
                self.assertEqual(done.returncode, 0, done.stderr)
                self.assertRegex(done.stdout, says)

    def test_without_it_there_is_none(self):
        report = json.loads(perf("run", "--duration", "0.1s", "--no-limits", "--json").stdout)
        self.assertNotIn("baseline", report)
        self.assertNotIn("baseline", report["config"])

    def test_a_signal_ends_it_and_leaves_the_result_of_the_test(self):
        process = start("run", "--baseline", "tls", "--duration", "2s", "--no-limits", "--json", "-v")
        self.assertIn("the same work over TLS", process.stderr.readline())
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=20)
        self.assertEqual(process.returncode, 130, err)
        report = json.loads(out)
        self.assertEqual(report["error"]["kind"], "interrupted")
        self.assertGreater(report["result"]["bytes"], 0)
        self.assertNotIn("baseline", report)

    def test_where_it_cannot_be_is_2(self):
        url = "mxp://" + "A" * 43 + "@127.0.0.1:9"
        for arguments, says in ((("run", "--baseline", "quic"), "--baseline"), (("run", "--link", "delay 1ms"), "--baseline excludes --link"),
                                (("client", url), "--baseline is for mxp-perf run"), (("run", "--test", "messages"), "it is for bulk, rr and connect"),
                                (("run", "--busy-poll"), "--baseline excludes --busy-poll"),
                                (("run", "--bidir"), "--baseline excludes --bidir"), (("run", "--parallel", "2"), "--baseline excludes --parallel"),
                                (("run", "--streams", "2"), "--baseline excludes"), (("run", "--test", "connect", "--parallel", "2"), "--baseline excludes"),
                                (("run", "--test", "connect", "--rate", "5"), "--baseline excludes"),
                                (("run", "--test", "rr", "--rate", "5"), "--baseline excludes --rate")):
            with self.subTest(arguments):
                done = perf(*arguments, *(() if "--baseline" in arguments else ("--baseline", "tls")))
                self.assertEqual(done.returncode, 2, done.stderr)
                self.assertIn(says, done.stderr)


if __name__ == "__main__":
    unittest.main()
