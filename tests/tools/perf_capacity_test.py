#!/usr/bin/env python3
"""mxp-perf find-capacity, against a link whose capacity is known."""
import signal
import unittest

from perf_schema import strict
from perf_support import Server, perf, start


class FindCapacity(unittest.TestCase):
    def test_datagrams_fill_a_link_to_its_rate(self):
        with Server() as server:
            done = perf("find-capacity", server.url, "--test", "datagrams", "--loss", "5%", "--link", "rate 4mbit", "--duration", "0.5s", "--min-rate", "200", "--max-rate", "10000", "--json", timeout=120)
        self.assertEqual(done.returncode, 0, done.stderr)
        document = strict(done.stdout)
        capacity = document["capacity"]
        # A datagram of 1170 bytes in a packet of at least 1200, and at most 1250 with all its headers. Below it there is much
        # room for a machine that stalls; above it, for what the link's queue held when the time was over.
        self.assertGreater(capacity["rate_per_second"], 0.3 * 4e6 / (8 * 1250))
        self.assertLess(capacity["rate_per_second"], 1.2 * 4e6 / (8 * 1200))
        broken = [trial for trial in capacity["trials"] if not trial["kept"]]
        self.assertEqual(capacity["limited_by"], min(broken, key=lambda trial: trial["rate_per_second"])["limited_by"])
        kept = [trial["rate_per_second"] for trial in capacity["trials"] if trial["kept"]]
        self.assertEqual(kept[-1], capacity["rate_per_second"])
        self.assertEqual(document["config"]["command"], "find-capacity")

    def test_a_bound_that_nothing_keeps(self):
        with Server() as server:
            done = perf("find-capacity", server.url, "--p99", "1us", "--duration", "100ms", "--json")
        self.assertEqual(done.returncode, 6, done.stderr)
        document = strict(done.stdout)
        self.assertNotIn("rate_per_second", document["capacity"])
        self.assertEqual((document["error"]["kind"], document["error"]["message"] in done.stderr), ("threshold", True))
        self.assertRegex(document["error"]["message"], r"^no rate kept the bounds: at [\d.]+ /s p99 was [\d.]+ us$")

    def test_up_to_the_highest_rate(self):
        with Server() as server:
            done = perf("find-capacity", server.url, "--p99", "30s", "--min-rate", "10", "--max-rate", "20", "--duration", "1s", "--arrivals", "poisson", "--outstanding", "100", "--json")
        self.assertEqual(done.returncode, 0, done.stderr)
        capacity = strict(done.stdout)["capacity"]
        if all(trial["kept"] for trial in capacity["trials"]):  # but where the machine stood still for most of a second
            self.assertEqual((capacity["rate_per_second"], capacity["limited_by"], len(capacity["trials"])), (20, "max_rate", 2))
        self.assertEqual(len(done.stderr.splitlines()), len(capacity["trials"]))

    def test_interrupted_says_what_was_found(self):
        with Server() as server:
            process = start("find-capacity", server.url, "--p99", "10s", "--duration", "300ms", "--json")
            process.stderr.readline()
            process.send_signal(signal.SIGINT)
            out, err = process.communicate(timeout=30)
        self.assertEqual(process.returncode, 130, err)
        document = strict(out)
        self.assertEqual((document["error"]["kind"], len(document["capacity"]["trials"]) >= 1), ("interrupted", True))

    def test_its_help_has_its_own_options_and_defaults(self):
        text = perf("find-capacity", "--help").stdout
        self.assertRegex(text, r"--test [^\n]*(?:=rr|\[rr\])")
        self.assertIn("(default 2s)", text)
        self.assertNotRegex(text, r"(?m)^  --(?:rate|assert|json-stream|hlog|hgrm|iperf3-json|reverse|bidir|baseline|start-at)\b")

    def test_what_makes_no_search_is_2(self):
        url = "mxp://" + "B" * 42 + "A@127.0.0.1:1"
        for arguments, said in (((), "needs a bound"), (("--test", "bulk", "--loss", "1%"), "has none"), (("--p99", "1ms", "--rate", "5"), "--rate"), (("--loss", "much"), "--loss"),
                                (("--loss", "1%", "--min-rate", "10", "--max-rate", "5"), "--min-rate is above"), (("--test", "datagrams", "--p99", "1ms"), "--p99 is not for datagrams"),
                                (("--p99", "1ms", "--json-stream"), "--json-stream"), (("--p99", "1ms", "--assert", "p99<=1ms"), "--assert"),
                                (("--p99", "1ms", "--start-at", "1"), "--start-at"), (("--p99", "1ms", "--baseline", "tls"), "--baseline"), (("--p99", "1ms", "--hlog", "a"), "--hlog"), (("--p99", "1ms", "--reverse"), "--reverse")):
            with self.subTest(arguments):
                done = perf("find-capacity", url, *arguments)
                self.assertEqual(done.returncode, 2, done.stderr)
                self.assertIn(said, done.stderr)


if __name__ == "__main__":
    unittest.main()
