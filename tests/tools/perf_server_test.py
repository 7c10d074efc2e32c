#!/usr/bin/env python3
"""mxp-perf server for many: what each client had, and what the server does not allow."""
import json
import os
import signal
import subprocess
import tempfile
import unittest

from perf_support import Server, at_once, perf, start

QUICK = ("--no-limits", "--json")


def measured(server, *arguments):
    """What a client of the server did and said."""
    return perf("client", server.url, *QUICK, *arguments)


def accounts(server):
    """What a server with --json has said of its clients."""
    return [json.loads(line) for line in server.output[0].splitlines()]


class Accounts(unittest.TestCase):
    def test_several_clients_at_once_each_have_their_own(self):
        cases = {"bulk": ("--parallel", "2"), "rr": ("--rate", "50"), "messages": ("--rate", "100"), "datagrams": ("--rate", "100"),
                 "connect": ("--parallel", "2"), "mixed": ("--rate", "100"), "streams": ("--rate", "50")}
        with Server("--json") as server:
            results = dict(zip(cases, at_once(measured, [(server, "--test", test, "--duration", "1s", *arguments) for test, arguments in cases.items()])))
        for test, done in results.items():
            self.assertEqual(done.returncode, 0, f"{test}: {done.stderr}")
        by_test = {account["test"]: account for account in accounts(server) if "test" in account}
        self.assertEqual(sorted(by_test), sorted(cases))
        figures = {test: json.loads(done.stdout)["result"] for test, done in results.items()}
        self.assertEqual(by_test["bulk"]["connections"], 2)
        self.assertGreaterEqual(by_test["bulk"]["received_bytes"], figures["bulk"]["bytes"])
        self.assertEqual(by_test["rr"]["answers"], figures["rr"]["calls"]["answered"])
        self.assertEqual(by_test["rr"]["received_bytes"], 64 * figures["rr"]["calls"]["answered"])
        self.assertEqual(by_test["streams"]["answers"], figures["streams"]["calls"]["answered"])
        self.assertEqual(by_test["messages"]["messages"], figures["messages"]["messages"]["received"])
        self.assertEqual(by_test["mixed"]["answers"], figures["mixed"]["messages"]["received"] // 2)
        self.assertEqual(by_test["datagrams"]["datagrams"], figures["datagrams"]["datagrams"]["delivered"])
        self.assertGreater(by_test["connect"]["handshakes"], 0)
        self.assertLessEqual(by_test["connect"]["handshakes"], json.loads(results["connect"].stdout)["transport"]["connections"])
        for account in by_test.values():
            self.assertRegex(account["key"], r"^[A-Za-z0-9_-]{8}$")
            self.assertRegex(account["address"], r"^127\.0\.0\.1:\d+$")
            self.assertGreater(account["seconds"], 0.9)
            self.assertEqual(account["end"], "done")

    def test_in_text_with_the_name_that_the_key_has(self):
        with tempfile.TemporaryDirectory() as folder:
            identity, keys = os.path.join(folder, "id"), os.path.join(folder, "authorized_keys")
            made = subprocess.run([os.path.join(os.environ["MXP_BIN"], "mxp-cat"), "keygen", "-o", identity], capture_output=True, text=True, timeout=20)
            with open(keys, "w") as file:
                file.write(f"{made.stdout.strip()} alice\n")
            with Server("--authorized-keys", keys) as server:
                done = perf("client", server.url, "--identity", identity, "--reverse", "--duration", "0.3s", "--no-limits")
                self.assertEqual(done.returncode, 0, done.stderr)
        self.assertRegex(server.output[1], rf"(?m)^client {made.stdout[:8]} alice 127\.0\.0\.1:\d+: bulk, 1 connection, 0 B received, [\d.]+ [KMG]iB sent, .*: done$")

    def test_a_client_that_is_killed_has_one_too(self):
        with Server("--json") as server:
            client = start("client", server.url, "--duration", "30s", "--interval", "0.1s", "--no-limits", stdout=subprocess.DEVNULL)
            client.stderr.readline()
            client.send_signal(signal.SIGTERM)
            client.communicate(timeout=20)
            self.assertEqual(client.returncode, 130)
            done = measured(server, "--duration", "0.1s")  # by then the server has heard of it
            self.assertEqual(done.returncode, 0, done.stderr)
        first = accounts(server)[0]
        self.assertEqual(first["end"], "interrupted")
        self.assertGreater(first["received_bytes"], 0)


class Limits(unittest.TestCase):
    def refused(self, server, code, says, *arguments):
        done = measured(server, *arguments)
        self.assertEqual(done.returncode, code, done.stderr)
        self.assertIn(says, json.loads(done.stdout)["error"]["message"])
        self.assertEqual(json.loads(done.stdout)["error"]["kind"], "peer")

    def test_one_client_more_than_there_may_be_is_refused_and_the_others_go_on(self):
        with Server("--max-clients", "1", "--json") as server:
            first = start("client", server.url, "--test", "rr", "--duration", "4s", "--interval", "0.1s", "--parallel", "3", *QUICK)
            first.stderr.readline()  # it is being served
            self.refused(server, 5, "the server serves 1 client, and not more at a time", "--duration", "0.1s")
            out, err = first.communicate(timeout=30)
            self.assertEqual(first.returncode, 0, err)
            self.assertEqual(json.loads(out)["config"]["connections"], 3)  # of one client
            self.assertEqual(measured(server, "--duration", "0.1s").returncode, 0)
        refused = [account for account in accounts(server) if "refused" in account]
        self.assertEqual([account["test"] for account in refused], ["bulk"])
        self.assertIn("not more at a time", refused[0]["refused"])

    def test_runs_with_one_key_are_as_many_clients(self):
        with tempfile.TemporaryDirectory() as folder, Server("--max-clients", "2", "--json") as server:
            identity = os.path.join(folder, "key")
            subprocess.run([os.path.join(os.environ["MXP_BIN"], "mxp-cat"), "keygen", "-o", identity], check=True, capture_output=True, timeout=20)
            both = [start("client", server.url, "--identity", identity, "--test", "rr", "--duration", "4s", "--interval", "0.1s", "--parallel", "2", *QUICK) for _ in range(2)]
            for each in both:
                each.stderr.readline()  # it is being served
            self.refused(server, 5, "the server serves 2 clients, and not more at a time", "--identity", identity, "--duration", "0.1s")
            for each in both:
                self.assertEqual((each.communicate(timeout=30), each.returncode)[1], 0)
            self.assertEqual(measured(server, "--identity", identity, "--duration", "0.1s").returncode, 0)
        served = [account for account in accounts(server) if "refused" not in account]
        self.assertEqual(sorted(account["connections"] for account in served), [1, 2, 2])
        self.assertEqual(len({account["key"] for account in served}), 1)

    def test_a_longer_test_than_allowed_is_refused(self):
        with Server("--max-time", "1s") as server:
            self.refused(server, 5, "a test of 2.00 s is longer than this server allows: 1.00 s", "--duration", "2s")
            self.assertEqual(measured(server, "--duration", "0.2s").returncode, 0)
        self.assertRegex(server.output[1], r"(?m)^client \S{8} 127\.0\.0\.1:\d+: bulk refused: a test of 2\.00 s is longer")

    def test_a_rate_is_held_in_both_directions_and_by_all_connections_together(self):
        with Server("--max-rate", "8mbit") as server:
            cases = ((), ("--reverse",), ("--parallel", "3", "--streams", "2"), ("--test", "messages"), ("--test", "rr", "--size", "10K", "--streams", "20"))
            for arguments, done in zip(cases, at_once(measured, [(server, "--duration", "2s", "--omit", "0.5s", *arguments) for arguments in cases])):
                with self.subTest(arguments):
                    self.assertEqual(done.returncode, 0, done.stderr)
                    result = json.loads(done.stdout)["result"]
                    rate = result.get("goodput_bits_per_second", result["bytes"] * 8 / result["seconds"])
                    self.assertLess(rate, 8.8e6)
                    self.assertGreater(rate, 1e6)
            self.refused(server, 5, "datagrams as fast as they go are more than this server allows", "--test", "datagrams")
            self.refused(server, 5, "datagrams of 9.36 Mbit/s are more", "--test", "datagrams", "--rate", "1000")
            self.assertEqual(measured(server, "--test", "datagrams", "--rate", "100", "--duration", "0.2s").returncode, 0)

    def test_answers_are_held_back(self):
        with Server("--delay", "30ms") as server:
            cases = (("rr", "--streams", "3"), ("streams",), ("mixed", "--rate", "200"), ("isolation", "--rate", "50"))
            for arguments, done in zip(cases, at_once(measured, [(server, "--duration", "1s", "--test", *arguments) for arguments in cases])):
                with self.subTest(arguments):
                    self.assertEqual(done.returncode, 0, done.stderr)
                    result = json.loads(done.stdout)["result"]
                    self.assertGreaterEqual(result["latency_us"]["p50"], 30_000)
                    self.assertGreaterEqual(result["server_time_us"]["mean"], 30_000)
                    self.assertLess(result["server_time_us"]["mean"], result["latency_us"]["max"] * 1.02)

    def test_options_that_are_none_are_2(self):
        for arguments, word in ((("--max-clients", "0"), "--max-clients"), (("--max-rate", "fast"), "--max-rate"), (("--max-rate", "100"), "8kbit and more"),
                                (("--max-time", "0"), "--max-time takes"), (("--delay", "11s"), "--delay"), (("--delay", "later"), "--delay")):
            with self.subTest(arguments):
                done = perf("server", "127.0.0.1:0", *arguments)
                self.assertEqual(done.returncode, 2, done.stderr)
                self.assertIn(word, done.stderr)


if __name__ == "__main__":
    unittest.main()
