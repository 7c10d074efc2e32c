#!/usr/bin/env python3
"""What mxp-perf writes for programs is as its schema says: in every mode, on every failure, and when it is interrupted."""
import json
import re
import signal
import socket
import tempfile
import time
import unittest
from pathlib import Path

from perf_schema import SCHEMA, strict
from perf_support import Server, at_once, perf, start

SCHEMA_FILE = Path(__file__).resolve().parents[2] / "docs/schema/mxp-perf-result.schema.json"
TESTS = re.search(r"--test[^{]*\{([a-z,]+)\}", perf("run", "--help").stdout)[1].split(",")
SHORT = ("--duration", "0.3s", "--no-limits")


def url_of_nobody():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as closed:
        closed.bind(("127.0.0.1", 0))
        return f"mxp://{'B' * 42 + 'A'}@127.0.0.1:{closed.getsockname()[1]}"


class Schema(unittest.TestCase):
    def test_the_file_is_what_the_tool_prints(self):
        self.assertEqual(SCHEMA_FILE.read_text(), perf("--json-schema").stdout)
        self.assertEqual(perf("run", "--json-schema").stdout, SCHEMA_FILE.read_text())

    def test_every_key_has_a_meaning(self):
        def check(node, path):
            for name, value in node.get("properties", {}).items():
                if not {"$ref", "items", "const"} & value.keys():
                    self.assertTrue(value.get("description") or "properties" in value, f"{path}/{name}")
                check(value, f"{path}/{name}")
                check(value.get("items", {}), f"{path}/{name}[]")
        check(SCHEMA, "")
        for name, value in SCHEMA["$defs"].items():
            check(value, name)


class EveryMode(unittest.TestCase):
    def test_every_test_is_valid(self):
        cases = [("--test", test) for test in TESTS]
        cases += [("--reverse",), ("--bidir",), ("--parallel", "2", "--streams", "3"), ("--test", "rr", "--rate", "500"), ("--test", "datagrams", "--rate", "500"),
                  ("--test", "messages", "--rate", "5000"), ("--test", "mixed", "--rate", "5000"), ("--link", "delay 1ms rate 50mbit"), ("--interval", "100ms")]
        for case, done in zip(cases, at_once(perf, [("run", *SHORT, *case, "--json") for case in cases], at_a_time=4)):
            with self.subTest(" ".join(case)):
                self.assertEqual(done.returncode, 0, done.stderr)
                document = strict(done.stdout)
                self.assertGreater(document["started_at_unix_seconds"], time.time() - 3600)
                spans = document["intervals"]
                self.assertEqual(spans[0]["start_seconds"], 0)
                self.assertTrue(all(a["end_seconds"] == b["start_seconds"] for a, b in zip(spans, spans[1:])))

    def test_what_a_server_says_of_its_clients_is_valid(self):
        with Server("--json") as server:
            for test in ("bulk", "messages", "connect"):
                self.assertEqual(perf("client", server.url, "--test", test, *SHORT).returncode, 0)
        lines = [strict(line) for line in server.output[0].splitlines()]
        self.assertEqual([line["test"] for line in lines if "event" in line], ["bulk", "messages", "connect"])

    def test_limits_beside_a_test_and_alone_are_valid(self):
        self.assertIn("udp_bits_per_second", strict(perf("run", "--duration", "0.1s", "--json").stdout)["limits"])

    def test_intervals_add_up_to_the_bytes(self):
        document = strict(perf("run", "--reverse", "--duration", "1s", "--no-limits", "--json").stdout)
        total = sum(one["goodput_bits_per_second"] * (one["end_seconds"] - one["start_seconds"]) / 8 for one in document["intervals"])
        self.assertAlmostEqual(total, document["result"]["bytes"], delta=0.05 * document["result"]["bytes"])


class EveryFailure(unittest.TestCase):
    def test_each_has_its_kind(self):
        nobody = url_of_nobody()
        cases = [(2, "usage", ("run", "--test", "nonsense")), (2, "usage", ("nothing",)), (2, "usage", ("run", "--rate", "5")), (2, "usage", ("client", "mxp://x")),
                 (1, "network", ("client", nobody, *SHORT)), (6, "threshold", ("run", *SHORT, "--assert", "goodput>=1000gbit")),
                 (2, "usage", ("client", nobody, "--identity", "/nonexistent")), (1, "io", ("run", "--test", "rr", "--hlog", "/nonexistent/x")),
                 (2, "usage", ("merge", "/nonexistent.hlog")), (1, "io", ("run", "--iperf3-json", "/nonexistent/x"))]
        for (code, kind, arguments), done in zip(cases, at_once(perf, [(*arguments, "--json") for _, _, arguments in cases], at_a_time=4)):
            with self.subTest(" ".join(arguments)):
                self.assertEqual(done.returncode, code, done.stderr)
                self.assertEqual(strict(done.stdout)["error"]["kind"], kind)

    def test_interrupted_at_any_time(self):
        for after in (0.0, 0.05, 0.4, 0.9):
            process = start("run", "--test", "rr", "--duration", "1s", "--json")
            self.wait_for_handler(process)
            time.sleep(after)
            process.send_signal(signal.SIGINT)
            out, err = process.communicate(timeout=30)
            with self.subTest(after=after):
                self.assertEqual(process.returncode, 130, err)
                self.assertEqual(strict(out)["error"]["kind"], "interrupted")

    def wait_for_handler(self, process):
        """Until a signal would be caught: before that nothing can be printed, by any program."""
        while process.poll() is None:
            caught = re.search(r"^SigCgt:\s*(\w+)", Path(f"/proc/{process.pid}/status").read_text(), re.M)
            if caught and int(caught[1], 16) & 1 << signal.SIGINT - 1:
                return
            time.sleep(0.001)


class Stream(unittest.TestCase):
    def events(self, text):
        lines = [json.loads(line) for line in text.splitlines()]
        for line in lines:
            self.assertEqual(set(line), {"event", "data"})
        return [(line["event"], line["data"]) for line in lines]

    def test_start_intervals_end(self):
        done = perf("run", "--duration", "0.5s", "--interval", "100ms", "--no-limits", "--json-stream")
        self.assertEqual(done.returncode, 0, done.stderr)
        events = self.events(done.stdout)
        names = [name for name, _ in events]
        self.assertEqual((names[0], names[-1], set(names[1:-1])), ("start", "end", {"interval"}))
        end = strict(json.dumps(events[-1][1]))
        self.assertEqual([data for name, data in events if name == "interval"], end["intervals"])
        self.assertLessEqual(events[0][1]["config"].items(), end["config"].items())

    def test_the_lines_come_as_things_happen(self):
        process = start("run", "--duration", "20s", "--interval", "50ms", "--no-limits", "--json-stream")
        first, second = json.loads(process.stdout.readline()), json.loads(process.stdout.readline())
        self.assertEqual((first["event"], second["event"]), ("start", "interval"))
        process.send_signal(signal.SIGINT)
        rest = self.events(process.communicate(timeout=30)[0])
        self.assertEqual([name for name, _ in rest if name != "interval"], ["error", "end"])
        self.assertEqual(rest[-2][1]["kind"], "interrupted")
        self.assertEqual(process.returncode, 130)

    def test_failures_are_events(self):
        for arguments, kind in ((("run", "--test", "nonsense", "--json-stream"), "usage"), (("client", url_of_nobody(), *SHORT, "--json-stream"), "network")):
            with self.subTest(kind):
                name, data = self.events(perf(*arguments).stdout)[-1]
                self.assertEqual((name, data["kind"]), ("error", kind))

    def test_both_on_stdout_are_2(self):
        done = perf("run", "--json", "--json-stream")
        self.assertEqual(done.returncode, 2)
        self.assertIn("--json=FILE", done.stderr)

    def test_a_reader_that_is_gone_is_1(self):
        process = start("run", "--duration", "0.5s", "--no-limits", "--json-stream")
        process.stdout.close()
        process.stdout = None
        self.assertIn("stdout", process.communicate(timeout=30)[1])
        self.assertEqual(process.returncode, 1)


class Iperf3(unittest.TestCase):
    """The shape that iperf3 3.21 writes, as far as both know the same."""

    def run_to_file(self, *arguments):
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "iperf3.json"
            done = perf(*arguments, f"--iperf3-json={path}", f"--json={folder}/own.json")
            return done, json.loads(path.read_text()) if path.exists() else None, json.loads((Path(folder) / "own.json").read_text())

    def test_bulk(self):
        done, document, own = self.run_to_file("run", "--duration", "0.5s", "--interval", "100ms", "--no-limits")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(set(document), {"start", "intervals", "end"})
        self.assertEqual(document["start"]["test_start"]["num_streams"], 1)
        self.assertEqual(document["start"]["timestamp"]["timesecs"], int(own["started_at_unix_seconds"]))
        received = document["end"]["sum_received"]
        self.assertEqual(received["bytes"], own["result"]["bytes"])
        self.assertAlmostEqual(received["bits_per_second"], own["result"]["goodput_bits_per_second"], delta=1)
        self.assertIn("retransmits", document["end"]["sum_sent"])
        self.assertGreater(document["end"]["cpu_utilization_percent"]["host_total"], 0)
        for one in document["intervals"]:
            self.assertAlmostEqual(one["sum"]["bits_per_second"] * one["sum"]["seconds"] / 8, one["sum"]["bytes"], delta=1)
            self.assertEqual(len(one["streams"]), 1)

    def test_datagrams_say_what_was_lost(self):
        done, document, own = self.run_to_file("run", "--test", "datagrams", "--rate", "2000", "--duration", "1s", "--no-limits", "--link", "loss 10%")
        self.assertEqual(done.returncode, 0, done.stderr)
        counts, received = own["result"]["datagrams"], document["end"]["sum_received"]
        self.assertEqual(received["lost_packets"], counts["sent"] - counts["delivered"])
        self.assertAlmostEqual(received["lost_percent"], 100 - 100 * counts["delivered_share"], places=6)

    def test_a_failure_is_an_error(self):
        done, document, own = self.run_to_file("client", url_of_nobody(), *SHORT)
        self.assertEqual((done.returncode, document["error"]), (1, own["error"]["message"]))

    def test_not_for_calls(self):
        done, document, own = self.run_to_file("run", "--test", "rr")
        self.assertEqual((done.returncode, document), (2, None))
        self.assertIn("--iperf3-json is not for --test rr", done.stderr)


if __name__ == "__main__":
    unittest.main()
