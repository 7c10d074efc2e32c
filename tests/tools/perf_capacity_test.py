#!/usr/bin/env python3
"""mxp-perf find-capacity, against a link whose capacity is known."""
import signal
import subprocess
import unittest

from perf_schema import PERF, strict
from perf_support import Server, perf


class FindCapacity(unittest.TestCase):
    def test_datagrams_fill_a_link_to_its_rate(self):
        with Server() as server:
            done = perf("find-capacity", server.url, "--test", "datagrams", "--loss", "2%", "--link", "rate 4mbit", "--duration", "1s", "--min-rate", "100", "--max-rate", "10000", "--json", timeout=150)
        self.assertEqual(done.returncode, 0, done.stderr)
        document = strict(done.stdout)
        capacity = document["capacity"]
        # A datagram of 1170 bytes in a packet of at least 1200, and at most 1250 with all its headers.
        self.assertGreater(capacity["rate_per_second"], 0.85 * 4e6 / (8 * 1250))
        self.assertLess(capacity["rate_per_second"], 1.08 * 4e6 / (8 * 1200))
        self.assertIn(capacity["limited_by"], ("network", "tool", "peer"))
        kept = [trial["rate_per_second"] for trial in capacity["trials"] if trial["kept"]]
        self.assertEqual(kept[-1], capacity["rate_per_second"])
        self.assertEqual(document["config"]["command"], "find-capacity")

    def test_a_bound_that_nothing_keeps(self):
        with Server() as server:
            done = perf("find-capacity", server.url, "--p99", "1us", "--duration", "100ms", "--json")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertNotIn("rate_per_second", strict(done.stdout)["capacity"])

    def test_up_to_the_highest_rate(self):
        with Server() as server:
            done = perf("find-capacity", server.url, "--p99", "10s", "--max-rate", "200", "--duration", "300ms")
        self.assertEqual((done.returncode, done.stdout), (0, "capacity  200.0 /s\nlimit     none up to --max-rate\n"))
        self.assertEqual(len(done.stderr.splitlines()), 2)

    def test_interrupted_says_what_was_found(self):
        with Server() as server:
            process = subprocess.Popen([PERF, "find-capacity", server.url, "--p99", "10s", "--duration", "300ms", "--json"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
            process.stderr.readline()
            process.send_signal(signal.SIGINT)
            out, err = process.communicate(timeout=30)
        self.assertEqual(process.returncode, 130, err)
        document = strict(out)
        self.assertEqual((document["error"]["kind"], len(document["capacity"]["trials"]) >= 1), ("interrupted", True))

    def test_what_makes_no_search_is_2(self):
        url = "mxp://" + "B" * 42 + "A@127.0.0.1:1"
        for arguments, said in (((), "needs a bound"), (("--test", "bulk", "--loss", "1%"), "has none"), (("--p99", "1ms", "--rate", "5"), "looks for the rate"), (("--loss", "much"), "--loss"),
                                (("--loss", "1%", "--min-rate", "10", "--max-rate", "5"), "--min-rate is above"), (("--test", "datagrams", "--p99", "1ms"), "--p99 is not for datagrams"),
                                (("--p99", "1ms", "--json-stream"), "are for one run"), (("--p99", "1ms", "--assert", "p99<=1ms"), "--assert is for one run")):
            with self.subTest(arguments):
                done = perf("find-capacity", url, *arguments)
                self.assertEqual(done.returncode, 2, done.stderr)
                self.assertIn(said, done.stderr)


if __name__ == "__main__":
    unittest.main()
