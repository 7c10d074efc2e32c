#!/usr/bin/env python3
"""mxp-perf's histograms: --hlog and --hgrm as others read them, and merge, whose sums are exact."""
import json
import os
import shutil
import subprocess
import tempfile
import unittest
from pathlib import Path

from hdr import Histogram, read_hgrm, read_hlog
from perf_schema import strict
from perf_support import perf

# HdrHistogram itself, as Debian packages it (libhdrhistogram-java).
JAR = next((str(path) for path in Path("/usr/share/java").glob("hdrhistogram*.jar")), None)
JAVA = shutil.which("java")


class Files(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.held = tempfile.TemporaryDirectory()
        cls.folder = Path(cls.held.name)
        done = perf("run", "--test", "rr", "--duration", "0.5s", "--no-limits", f"--hlog={cls.folder}/a.hlog", f"--hgrm={cls.folder}/a.hgrm", "--json")
        assert done.returncode == 0, done.stderr
        cls.result = strict(done.stdout)

    @classmethod
    def tearDownClass(cls):
        cls.held.cleanup()

    def test_the_log_has_what_the_result_says(self):
        rows, start = read_hlog((self.folder / "a.hlog").read_text())
        self.assertEqual([row[0] for row in rows], ["rr.latency", "rr.service_time", "rr.to_server", "rr.to_client"])
        self.assertEqual(start, self.result["started_at_unix_seconds"])
        for tag, begin, length, largest, histogram in rows:
            name = tag.removeprefix("rr.")
            self.assertEqual(begin, 0)
            self.assertGreater(length, 0.4)  # and as long as this machine takes to get the last answers
            self.assertEqual(histogram.counts, Histogram(self.result["histograms"][name]).counts)
            expected = self.result["result"]["one_way_us"][name] if name.startswith("to_") else self.result["result"][f"{name}_us"]
            for key, quantile in (("p50", 0.5), ("p90", 0.9), ("p99", 0.99), ("p999", 0.999), ("max", 1)):
                self.assertAlmostEqual(histogram.value_at(quantile) / 1000, expected[key], places=6, msg=key)
            self.assertAlmostEqual(largest, expected["max"] / 1000, places=3)
        self.assertEqual(rows[0][4].total, self.result["result"]["calls"]["answered"] + self.result["result"]["calls"]["unanswered"])

    def test_the_percentiles_are_those_of_the_log(self):
        histogram = read_hlog((self.folder / "a.hlog").read_text())[0][0][4]
        points, total = read_hgrm((self.folder / "a.hgrm").read_text())
        self.assertEqual((total, points[-1][1:]), (histogram.total, (1.0, histogram.total)))
        for value, quantile, _ in points:
            self.assertAlmostEqual(value, histogram.value_at(quantile) / 1000, delta=0.0006)

    @unittest.skipUnless(JAR and JAVA, "libhdrhistogram-java is not installed")
    def test_hdrhistogram_itself_reads_them(self):
        done = subprocess.run([JAVA, "-cp", JAR, "org.HdrHistogram.HistogramLogProcessor", "-i", str(self.folder / "a.hlog"), "-tag", "rr.latency", "-outputValueUnitRatio", "1000"],
                              capture_output=True, text=True, timeout=60)
        self.assertEqual(done.returncode, 0, done.stderr)
        theirs, total = read_hgrm(done.stdout)
        ours, _ = read_hgrm((self.folder / "a.hgrm").read_text())
        self.assertEqual(total, self.result["result"]["calls"]["answered"] + self.result["result"]["calls"]["unanswered"])
        self.assertEqual([(value, count) for value, _, count in theirs], [(value, count) for value, _, count in ours])
        for (_, their_share, _), (_, our_share, _) in zip(theirs, ours):
            self.assertAlmostEqual(their_share, our_share, delta=2e-12)  # Java rounds the last of twelve digits up where it stands halfway
        footer = [line for line in done.stdout.splitlines() if line.startswith("#[B") or line.startswith("#[M")]
        self.assertEqual(footer, [line for line in (self.folder / "a.hgrm").read_text().splitlines() if line.startswith("#[")])

    def test_a_log_merged_with_itself_has_everything_twice(self):
        log, merged = self.folder / "a.hlog", self.folder / "twice.hlog"
        done = perf("merge", log, log, "--hlog", merged, f"--json={self.folder}/m.json", "--hgrm", self.folder / "m.hgrm")
        self.assertEqual(done.returncode, 0, done.stderr)
        one, two = read_hlog(log.read_text()), read_hlog(merged.read_text())
        self.assertEqual(one[1], two[1])
        for before, after in zip(one[0], two[0]):
            self.assertEqual(after[:4], before[:4])
            self.assertEqual(after[4].counts, {bin_: 2 * count for bin_, count in before[4].counts.items()})
        document = strict((self.folder / "m.json").read_text())
        self.assertEqual(document["merged"]["files"], 2)
        row = document["merged"]["histograms"][0]
        self.assertEqual((row["tag"], row["latency_us"]), ("rr.latency", self.result["result"]["latency_us"]))
        self.assertIn("rr.latency", done.stdout)
        self.assertEqual(read_hgrm((self.folder / "m.hgrm").read_text())[1], row["count"])

    def test_a_log_merged_alone_is_itself(self):
        done = perf("merge", "-", "--hlog", self.folder / "alone.hlog", input=(self.folder / "a.hlog").read_text())
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual((self.folder / "alone.hlog").read_text(), (self.folder / "a.hlog").read_text())

    def test_tags_choose(self):
        done = perf("merge", self.folder / "a.hlog", "--tag", "rr.service_time", "--json")
        self.assertEqual([row["tag"] for row in strict(done.stdout)["merged"]["histograms"]], ["rr.service_time"])
        done = perf("merge", self.folder / "a.hlog", "--tag", "nothing")
        self.assertEqual((done.returncode, done.stderr), (2, "mxp-perf: no histogram has the tag nothing\n"))

    def test_what_is_malformed_is_2_and_named(self):
        text = (self.folder / "a.hlog").read_text()
        bad = self.folder / "bad.hlog"
        for content, said in (("", "no histogram"), ("hello\n", "line 1: a line has the form"), (text[:-20] + "\n", "line 8: its histogram: "), (text.replace("HISTFAAA", "HISTGAAA"), "line 5: "),
                              ("\x1b[31m,1,2,3\n", "line 1"), (json.dumps(self.result), "line 1")):
            bad.write_text(content)
            done = perf("merge", self.folder / "a.hlog", bad, "--json")
            self.assertEqual(done.returncode, 2, done.stderr)
            self.assertIn(said, done.stderr)
            self.assertIn("bad.hlog", done.stderr)
            self.assertNotIn("\x1b", done.stderr)
            self.assertEqual(strict(done.stdout)["error"]["kind"], "usage")
        done = perf("merge", self.folder / "a.hlog", "--hlog", self.folder / "a.hlog")
        self.assertEqual(done.returncode, 2, done.stderr)
        self.assertEqual((self.folder / "a.hlog").read_text(), text)


class Tests(unittest.TestCase):
    def test_every_test_with_latencies_has_its_histograms(self):
        for test, names in (("mixed", {"mixed.latency", "mixed.service_time", "mixed.sender_late"}), ("streams", {"streams.latency", "streams.service_time", "streams.sender_late"}),
                            ("isolation", {"isolation.latency", "isolation.alone"}), ("messages", {"messages.latency", "messages.sender_late"})):
            with self.subTest(test), tempfile.TemporaryDirectory() as folder:
                done = perf("run", "--test", test, "--rate", "2000", "--duration", "0.6s", "--no-limits", f"--hlog={folder}/a.hlog", "--json")
                self.assertEqual(done.returncode, 0, done.stderr)
                result = strict(done.stdout)["result"]
                rows, _ = read_hlog((Path(folder) / "a.hlog").read_text())
                self.assertEqual({row[0] for row in rows}, names)
                histogram = next(row[4] for row in rows if row[0].endswith(".latency"))
                self.assertAlmostEqual(histogram.value_at(0.99) / 1000, result["latency_us"]["p99"], places=6)
                for late in (row[4] for row in rows if row[0].endswith(".sender_late")):
                    self.assertAlmostEqual(late.value_at(0.99) / 1000, result["sender_late_us"]["p99"], places=6)

    def test_a_test_without_latencies_has_none(self):
        with tempfile.TemporaryDirectory() as folder:
            done = perf("run", "--hlog", f"{folder}/a.hlog")
            self.assertEqual(done.returncode, 2)
            self.assertIn("--hlog and --hgrm are not for --test bulk", done.stderr)
            self.assertFalse(os.path.exists(f"{folder}/a.hlog"))

    def test_a_hyphen_is_no_file(self):
        with tempfile.TemporaryDirectory() as folder:
            for arguments in (("run", "--test", "rr", "--hlog=-"), ("run", "--test", "rr", "--hgrm", "-"), ("run", "--iperf3-json=-"), ("merge", "a.hlog", "--hlog", "-")):
                with self.subTest(arguments):
                    done = perf(*arguments, cwd=folder)
                    self.assertEqual((done.returncode, "and - is none" in done.stderr, os.listdir(folder)), (2, True, []), done.stderr)


if __name__ == "__main__":
    unittest.main()
