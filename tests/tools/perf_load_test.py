#!/usr/bin/env python3
"""Tests of mxp-perf that ask and are answered: calls, short streams, handshakes; when they are due, and what a pause of
the server does to their figures."""
import json
import signal
import time
import unittest

from perf_schema import report_of
from perf_support import Server, perf, start


def result_of(test, *arguments, duration="0.5s"):
    return report_of("run", "--test", test, "--duration", duration, *arguments)


class Handshakes(unittest.TestCase):
    def test_one_at_a_time_and_several(self):
        for arguments, at_a_time in (((), 1), (("--parallel", "8"), 8)):
            with self.subTest(arguments):
                report = result_of("connect", *arguments)
                result = report["result"]
                self.assertGreater(result["handshakes_per_second"], 5)
                self.assertLess(0, result["latency_us"]["p50"])
                self.assertLessEqual(result["latency_us"]["p50"], result["latency_us"]["max"])
                self.assertEqual(report["config"]["outstanding"], at_a_time)
                self.assertEqual(report["config"]["connections"], 1)  # on which the test was agreed on
                self.assertEqual((result["calls"]["unanswered"], result["calls"].get("failed", 0)), (0, 0))
                # Those of the test, and the one beside them.
                self.assertGreaterEqual(report["transport"]["connections"], result["calls"]["answered"])
                for absent in ("messages_per_second", "goodput_bits_per_second", "sender_late_us"):
                    self.assertNotIn(absent, result)
                for absent in ("streams", "size_bytes"):
                    self.assertNotIn(absent, report["config"])

    def test_a_handshake_takes_a_round_trip_of_the_link(self):
        result = result_of("connect", "--link", "delay 20ms", "--parallel", "4", duration="1s")["result"]
        self.assertGreaterEqual(result["latency_us"]["p50"], 40_000)
        self.assertLessEqual(result["handshakes_per_second"], 100)  # four at a time, 40 ms each

    def test_at_a_rate(self):
        report = result_of("connect", "--rate", "50", "--arrivals", "poisson", duration="1s")
        result = report["result"]
        self.assertEqual(report["config"]["handshakes_per_second"], 50)
        self.assertEqual(report["config"]["arrivals"], "poisson")
        self.assertGreater(result["calls"]["due"], 15)  # of 50; as few come once in 10^8 runs
        self.assertLess(result["calls"]["due"], 95)
        calls = result["calls"]
        self.assertGreater(calls["answered"], 0)
        self.assertEqual(calls["answered"] + calls["unanswered"] + calls.get("failed", 0), calls["due"])
        self.assertIn("sender_late_us", result)
        self.assertIn("service_time_us", result)

    def test_in_text_and_by_an_assertion(self):
        done = perf("run", "--test", "connect", "--duration", "0.3s", "--no-limits", "--assert", "handshakes>=1")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertRegex(done.stdout, r"(?m)^handshakes \d+(\.\d+)? /s$")
        done = perf("run", "--test", "connect", "--duration", "0.3s", "--no-limits", "--assert", "handshakes>=10000000")
        self.assertEqual(done.returncode, 6, done.stderr)


class ShortStreams(unittest.TestCase):
    def test_many_are_opened_and_ended(self):
        for arguments in ((), ("--streams", "10", "--parallel", "3", "--size", "5000")):
            with self.subTest(arguments):
                report = result_of("streams", *arguments)
                result = report["result"]
                self.assertGreater(result["streams_per_second"], 10)
                self.assertEqual(result["bytes"], result["calls"]["answered"] * report["config"]["size_bytes"])
                self.assertEqual(result["calls"]["unanswered"], 0)
                self.assertNotIn("messages_per_second", result)

    def test_more_than_a_peer_allows_at_once_wait_for_room(self):
        # A thousand may be open; each takes 100 ms, and 20,000 a second are asked for.
        report = result_of("streams", "--rate", "20000", "--outstanding", "5000", "--link", "delay 50ms", duration="0.5s")
        self.assertIs(report["result"]["rate_kept"], False)
        self.assertEqual(report["config"]["outstanding"], 5000)
        self.assertGreater(report["result"]["calls"]["answered"], 500)
        self.assertGreater(report["result"]["latency_us"]["p50"], 100_000)

    def test_in_text_and_by_an_assertion(self):
        done = perf("run", "--test", "streams", "--rate", "100", "--duration", "0.5s", "--no-limits", "--assert", "streams>=1")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertRegex(done.stdout, r"(?m)^streams   \d+ /s$")
        self.assertRegex(done.stdout, r"(?m)^sender late p50 ")


class Arrivals(unittest.TestCase):
    def test_a_mix_says_how_late_the_sender_was_and_what_answers_took(self):
        report = result_of("mixed", "--rate", "1000", "--arrivals", "poisson", "--outstanding", "50", duration="1s")
        for key in ("latency_us", "service_time_us", "sender_late_us"):
            self.assertLessEqual(report["result"][key]["p50"], report["result"][key]["max"])
        self.assertEqual((report["config"]["outstanding"], report["config"]["arrivals"]), (50, "poisson"))

    def test_latency_is_at_least_the_service_time_and_what_the_sender_was_late(self):
        result = result_of("rr", "--rate", "500", duration="1s")["result"]
        self.assertEqual(result["calls"]["due"], 500)
        self.assertGreaterEqual(result["latency_us"]["max"] * 1.002, result["service_time_us"]["max"])
        self.assertGreaterEqual(result["latency_us"]["max"] * 1.002, result["sender_late_us"]["max"])

    def test_what_does_not_go_together_is_2(self):
        for arguments, says in ((("rr", "--arrivals", "poisson"), "--arrivals needs --rate"),
                                (("rr", "--arrivals", "uniform", "--rate", "5"), "--arrivals"),
                                (("bulk", "--arrivals", "fixed"), "--arrivals is not for --test bulk"),
                                (("datagrams", "--rate", "5", "--arrivals", "poisson"), "--arrivals is not for --test datagrams"),
                                (("isolation", "--rate", "5", "--arrivals", "poisson"), "--arrivals is not for --test isolation"),
                                (("rr", "--outstanding", "5"), "--outstanding needs --rate"),
                                (("rr", "--outstanding", "0", "--rate", "5"), "--outstanding"),
                                (("bulk", "--outstanding", "5"), "--outstanding is not for --test bulk"),
                                (("messages", "--outstanding", "5"), "--outstanding is not for --test messages"),
                                (("connect", "--outstanding", "5"), "--parallel is as many at a time"),
                                (("connect", "--size", "5"), "--size is not for --test connect"),
                                (("connect", "--streams", "5"), "--streams is not for --test connect"),
                                (("connect", "--reverse"), "connect goes both ways by itself"),
                                (("streams", "--bidir"), "streams goes both ways by itself"),
                                (("streams", "--size", "2M"), "--size takes 1 byte to 1M")):
            with self.subTest(arguments):
                done = perf("run", "--test", *arguments)
                self.assertEqual(done.returncode, 2, done.stderr)
                self.assertIn(says, done.stderr)


class BusyPoll(unittest.TestCase):
    CALLS = ("--test", "rr", "--rate", "20", "--duration", "1s")

    def wanted(self, report, side):
        """How much of the test's time a side's thread ran or was ready to run."""
        return report["cpu"][f"{side}_seconds"] + report["cpu"].get(f"{side}_waited_seconds", 0)

    def test_both_sides_of_run_spin_and_the_result_says_so(self):
        asleep, spinning = (report_of("run", *self.CALLS, *more) for more in ((), ("--busy-poll",)))
        self.assertTrue(spinning["config"]["busy_poll"])
        self.assertNotIn("busy_poll", asleep["config"])
        for side in ("client", "server"):
            self.assertTrue(spinning["cpu"][f"{side}_busy_poll"])
            self.assertNotIn(f"{side}_busy_poll", asleep["cpu"])
            if f"{side}_waited_seconds" in spinning["cpu"]:
                self.assertGreater(self.wanted(spinning, side), 0.8)
            self.assertGreater(self.wanted(spinning, side), self.wanted(asleep, side))
        self.assertEqual(spinning["result"]["calls"]["unanswered"], 0)

    def test_a_spinning_server_is_no_busy_one_and_ends_when_it_is_told(self):
        with Server("--busy-poll") as server:
            report = report_of("client", server.url, "--test", "bulk", "--duration", "0.5s")
        self.assertEqual(server.process.returncode, 130, server.output)
        self.assertTrue(report["cpu"]["server_busy_poll"])
        self.assertNotIn("client_busy_poll", report["cpu"])
        self.assertNotIn("thread of the server", report["verdict_reason"])

    def test_a_spinning_client_is_interrupted_with_its_result(self):
        process = start("run", "--busy-poll", "--test", "rr", "--duration", "30s", "--interval", "50ms", "--no-limits", "--json")
        process.stderr.readline()
        process.send_signal(signal.SIGINT)
        out, _ = process.communicate(timeout=20)
        self.assertEqual(process.returncode, 130)
        self.assertGreater(json.loads(out)["result"]["messages_per_second"], 0)


class CoordinatedOmission(unittest.TestCase):
    """A server that stands still for a second of a run: what is due meanwhile waits, and the figures say so."""
    RATE, SECONDS = 100, 5

    def test_a_pause_moves_the_latency_as_arithmetic_says_and_the_service_time_hides_it(self):
        with Server() as server:
            client = start("client", server.url, "--test", "rr", "--rate", self.RATE, "--outstanding", "1", "--duration", f"{self.SECONDS}s",
                           "--interval", "0.5s", "--no-limits", "--json")
            client.stderr.readline()  # half a second of the test is over
            begin = time.monotonic()
            server.process.send_signal(signal.SIGSTOP)
            try:
                time.sleep(1)
            finally:
                server.process.send_signal(signal.SIGCONT)
                paused = time.monotonic() - begin
            out, err = client.communicate(timeout=30)
        self.assertEqual(client.returncode, 0, err)
        result = json.loads(out)["result"]
        self.assertEqual((result["calls"]["due"], result["calls"]["answered"]), (self.RATE * self.SECONDS,) * 2)
        # A call that is due x before the end of the pause waits for x. So many of all calls, the largest ones, are above
        # the percentile: their share of those that came in the pause is left of its length.
        for name, above in (("p99", 0.01), ("p90", 0.1)):
            expected = (paused - above * self.SECONDS) * 1e6
            with self.subTest(name, expected=expected):
                # Late wake-ups, lost packets' timers and the backlog only add; the clock of this test is read outside.
                self.assertGreater(result["latency_us"][name], expected - 30_000)
        # One call of 500 met the pause.
        self.assertGreater(result["service_time_us"]["max"], (paused - 0.05) * 1e6)
        self.assertLess(result["service_time_us"]["p99"], 0.8 * paused * 1e6)


if __name__ == "__main__":
    unittest.main()
