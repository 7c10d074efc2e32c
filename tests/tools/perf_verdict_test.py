#!/usr/bin/env python3
"""What limited a run, the machine it was measured on, one-way delays, and a common start: cases whose answer is known."""
import os
import subprocess
import time
import unittest

from perf_schema import report_of
from perf_support import Server, at_once, perf, relayed

class Verdicts(unittest.TestCase):
    """Where the processors decide, a machine that is busy with other work may be too noisy to judge, and then has to say
    so; where they do not, the verdict holds on any machine."""

    def judged(self, report, verdict, says):
        self.assertRegex(report["verdict_reason"], says)
        self.assertEqual(report["verdict"], verdict, report["verdict_reason"])

    def test_a_link_with_a_rate_or_with_loss_is_the_network(self):
        for arguments in (("--link", "delay 10ms rate 10mbit"), ("--link", "delay 20ms loss 3%", "--cc", "cubic"),
                          ("--link", "delay 10ms rate 10mbit", "--reverse")):
            with self.subTest(arguments):
                self.judged(report_of("run", "--duration", "2s", *arguments), "network", "congestion control held the sender")
        self.judged(report_of("run", "--test", "rr", "--duration", "1s", "--link", "delay 30ms"), "network", "the round trip of")
        self.judged(report_of("run", "--test", "datagrams", "--rate", "500", "--duration", "1s", "--link", "loss 10%"), "network",
                    r"^\d+\.\d% of the datagrams were lost on the way$")

    def test_a_server_that_takes_or_gives_no_more_or_answers_late_is_the_peer(self):
        with Server("--max-rate", "5mbit") as slow, Server("--delay", "50ms") as late:
            self.judged(report_of("client", slow.url, "--duration", "3s"), "peer", "the server's flow control held the client back")
            self.judged(report_of("client", slow.url, "--duration", "2s", "--reverse"), "peer", "nothing to send")
            self.judged(report_of("client", late.url, "--test", "rr", "--duration", "1s"), "peer", "the server's application took 5")

    def test_loopback_is_the_tool(self):
        for arguments in ((), ("--reverse",), ("--test", "rr"), ("--test", "messages")):
            with self.subTest(arguments):
                report = report_of("run", "--duration", "1s", *arguments)
                if report["noise"]["too_noisy"]:
                    self.judged(report, "none", "too noisy to judge")
                else:
                    self.judged(report, "tool", ".")

    def test_a_rate_that_is_kept_is_none(self):
        report = report_of("run", "--test", "rr", "--rate", "20", "--duration", "1s")
        if report["noise"]["too_noisy"]:
            self.judged(report, "none", "too noisy to judge|the rate that was asked for was kept")
        else:
            self.assertIs(report["result"]["rate_kept"], True)
            self.judged(report, "none", "the rate that was asked for was kept")

    def test_other_work_on_the_same_processor_is_noise(self):
        all_cpus = os.sched_getaffinity(0)
        others = []
        # One processor, which what is started here inherits: the tests beside this one keep theirs.
        os.sched_setaffinity(0, {max(all_cpus)})
        try:
            others = [subprocess.Popen(["sh", "-c", "while :; do :; done"]) for _ in range(3)]
            report = report_of("run", "--duration", "1s")
        finally:
            for other in others:
                other.kill()
                other.wait()
            os.sched_setaffinity(0, all_cpus)
        if "client_waited_share" not in report["noise"]:
            self.skipTest("this kernel does not tell how long processes wait")
        self.assertIs(report["noise"]["too_noisy"], True, report["noise"])
        self.judged(report, "none", "too noisy to judge: the (client|server) waited for a processor")
        self.assertGreater(report["noise"]["others_cpus"], 0.1)


class Environment(unittest.TestCase):
    def test_it_is_recorded_and_the_name_of_the_machine_is_not(self):
        report = report_of("run", "--duration", "0.2s")
        environment = report["environment"]
        self.assertEqual(environment["kernel"], f"{os.uname().sysname} {os.uname().release} {os.uname().machine}")
        self.assertEqual(environment["cpus"], len(os.sched_getaffinity(0)))
        self.assertIs(type(environment["udp_gso"]), bool)
        self.assertGreater(environment["socket_send_buffer_bytes"], 0)
        self.assertGreater(environment["socket_receive_buffer_bytes"], 0)
        self.assertEqual(environment["version"], report["version"])
        if "commit" in environment:
            self.assertRegex(environment["commit"], r"^[0-9a-f]{7,40}$")
        self.assertNotIn("hostname", environment)
        for end in ("client", "server"):
            self.assertGreater(report["socket"][end]["datagrams_sent"], 0)
            self.assertIn("receive_overflows", report["socket"][end])


class OneWay(unittest.TestCase):
    def test_on_one_machine_the_clocks_are_one_and_the_delays_are_within_their_error(self):
        report = report_of("run", "--test", "rr", "--duration", "1s", "--link", "delay 15ms")
        one_way = report["result"]["one_way_us"]
        self.assertGreater(one_way["probes"], 5)
        self.assertLessEqual(abs(one_way["clock_offset"]), one_way["error_bound"] + 0.01)
        for direction in ("to_server", "to_client"):
            self.assertGreater(one_way[direction]["p50"], 14_000 - one_way["error_bound"])
            self.assertLess(one_way[direction]["p50"], report["result"]["latency_us"]["max"] + one_way["error_bound"])

    def test_a_path_that_is_longer_one_way_is_within_the_error(self):
        with Server() as server:
            with relayed(server.url, "--up", "delay 40ms", "--down", "delay 5ms") as url:
                report = report_of("client", url, "--test", "rr", "--duration", "1s")
        one_way = report["result"]["one_way_us"]
        bound = one_way["error_bound"]
        self.assertGreater(bound, 20_000)  # half of what goes there and back
        self.assertLessEqual(abs(one_way["clock_offset"]), bound + 0.01)  # both read one clock
        self.assertGreaterEqual(one_way["to_server"]["p50"] + bound, 40_000)
        # The clocks are one, so the offset is the error: without it, each way takes no less than the link. (0.2% are the
        # bins of the histogram.)
        to_server, to_client = one_way["to_server"]["p50"] + one_way["clock_offset"], one_way["to_client"]["p50"] - one_way["clock_offset"]
        self.assertGreaterEqual(to_server, 40_000 * 0.998)
        self.assertGreaterEqual(to_client, 5_000 * 0.998)
        self.assertLess(to_client, to_server)

    def test_only_where_calls_are_measured(self):
        self.assertNotIn("one_way_us", report_of("run", "--test", "streams", "--duration", "0.2s")["result"])


class StartAt(unittest.TestCase):
    def test_clients_begin_together(self):
        with Server() as server:
            start = time.time() + 10  # outlasts the start of three clients on a slow machine
            reports = at_once(report_of, [("client", server.url, "--test", "rr", "--rate", "20", "--duration", "0.3s", "--start-at", f"{start:.3f}")] * 3)
        for report in reports:
            self.assertGreaterEqual(report["started_at_unix_seconds"], start - 0.001)
            self.assertGreaterEqual(report["start"]["late_us"], -1000)
            self.assertAlmostEqual(report["start"]["asked_unix_seconds"], start, 2)
            self.assertAlmostEqual(report["config"]["start_at_unix_seconds"], start, 2)

    def test_a_time_that_is_over_or_none_is_2(self):
        for text in (str(time.time() - 10), str(time.time() + 7200), "soon", "nan", "0"):
            with self.subTest(text):
                done = perf("run", "--start-at", text)
                self.assertEqual(done.returncode, 2, done.stderr)
                self.assertIn("--start-at", done.stderr)


if __name__ == "__main__":
    unittest.main()
