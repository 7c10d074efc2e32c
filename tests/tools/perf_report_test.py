#!/usr/bin/env python3
"""mxp-perf report: what the page holds, of results with known figures; and, where there is a Chromium, what it shows with no network."""
import base64
import hashlib
import html
import json
import re
import tempfile
import unittest
from pathlib import Path

import browser
from hdr import Histogram
from perf_support import perf

NASTY = "<img src=x onerror=alert(1)>\"'&</script>\u2028"


class ReportCase(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.held = tempfile.TemporaryDirectory()
        cls.folder = Path(cls.held.name)
        for name, test in (("rr-1", "rr"), ("rr-2", "rr"), ("bulk", "bulk")):
            done = perf("run", "--test", test, "--duration", "0.5s", "--interval", "100ms", "--no-limits", f"--json={cls.folder}/{name}.json")
            assert done.returncode == 0, done.stderr
        base, new = f"{cls.folder}/rr-1.json,{cls.folder}/rr-2.json", f"{cls.folder}/rr-2.json,{cls.folder}/rr-1.json"
        perf("compare", base, new, f"--json={cls.folder}/comparison.json")
        cls.files = [cls.folder / f"{name}.json" for name in ("rr-1", "rr-2", "bulk", "comparison")]

    @classmethod
    def tearDownClass(cls):
        cls.held.cleanup()

    def page(self, *files, title=()):
        path = self.folder / "page.html"
        done = perf("report", *(files or self.files), "-o", path, *title)
        self.assertEqual(done.returncode, 0, done.stderr)
        return path


class Content(ReportCase):
    def test_it_has_the_results_and_their_curves(self):
        data = browser.data_of(self.page().read_text())
        self.assertEqual([one["name"] for one in data["results"]], ["rr-1", "rr-2", "bulk"])
        self.assertEqual([one["name"] for one in data["comparisons"]], ["comparison"])
        original = json.loads(self.files[0].read_text())
        self.assertEqual(data["results"][0]["result"], original["result"])
        histogram = Histogram(original["histograms"]["latency"])
        curve = data["results"][0]["curves"]["latency"]
        self.assertAlmostEqual(curve[-1][1], 1 / histogram.total)
        for value, above in curve[:-1]:
            self.assertAlmostEqual(value, histogram.value_at(1 - above) / 1000, delta=0.002 * value)
        self.assertNotIn("curves", data["results"][2])

    def test_the_page_lets_run_its_own_scripts_alone(self):
        text = self.page().read_text()
        policy = html.unescape(re.search(r'Content-Security-Policy" content="([^"]+)"', text)[1])
        scripts = re.findall(r"<script>(.*?)</script>", text, re.S)
        allowed = re.findall(r"'sha256-([^']+)'", policy)
        self.assertEqual([base64.b64encode(hashlib.sha256(script.encode()).digest()).decode() for script in scripts], allowed)
        self.assertTrue(policy.startswith("default-src 'none'"))
        self.assertIsNone(re.search(r'(?:src|href)="(?!data:)', text))

    def test_what_is_no_result_is_2(self):
        bad = self.folder / "bad.json"
        for content in ("", "[1]", '{"schema":1}', '{"schema":"other/1"}'):
            bad.write_text(content)
            done = perf("report", self.files[0], bad, "-o", self.folder / "none.html")
            self.assertEqual((done.returncode, "bad.json" in done.stderr, (self.folder / "none.html").exists()), (2, True, False))
        self.assertEqual(perf("report", self.files[0], "-o", self.files[0]).returncode, 2)
        self.assertEqual(perf("report", self.files[0]).returncode, 2)
        for word in ("--json", f"--json={self.folder}/none.json"):
            done = perf("report", self.files[0], "-o", self.folder / "none.html", word)
            self.assertEqual((done.returncode, "--json is not for report" in done.stderr, (self.folder / "none.html").exists()), (2, True, False))


@unittest.skipUnless(browser.PROGRAM, "no Chromium")
class Shown(ReportCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.profile = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
        cls.browser = browser.Browser(cls.profile.name)

    @classmethod
    def tearDownClass(cls):
        cls.browser.close()
        cls.profile.cleanup()
        super().tearDownClass()

    def test_all_is_drawn_on_a_screen_and_on_a_phone(self):
        for width in (1280, 390):
            with self.subTest(width=width):
                problems, asked = self.browser.open(str(self.page()), width)
                self.assertEqual((problems, asked), ([], []))
                self.assertEqual(self.browser.run("document.documentElement.scrollWidth - innerWidth"), 0)
                text = self.browser.run("document.body.innerText")
                for word in ("Goodput over time", "Calls or messages over time", "Latency by percentile", "Service time by percentile", "base, median", "Settings and environment", "rr-2"):
                    self.assertIn(word, text)
                self.assertGreaterEqual(self.browser.run("document.querySelectorAll('.chart canvas').length"), 8)
                p99 = json.loads(self.files[0].read_text())["result"]["latency_us"]["p99"]
                shown = self.browser.run(f"microsecondsText({p99})")
                self.assertRegex(shown, r"^[\d.]+ (?:µs|ms|s)$")
                self.assertIn(shown, text)

    def test_names_of_others_stay_text(self):
        document = json.loads(self.files[0].read_text())
        document["config"]["link"] = document["test"] = document["verdict"] = document["version"] = NASTY
        document["curves"], document["histograms"]["latency"] = {"latency": 7}, "HISTFAAAnonsense"
        document["intervals"].append({"start_seconds": "x", "goodput_bits_per_second": None})
        document["cpu"] = [NASTY]
        document["started_at_unix_seconds"] = 1e300
        document["intervals"].append(None)
        evil, comparison = self.folder / "evil.json", self.folder / "evil2.json"
        evil.write_text(json.dumps(document))
        comparison.write_text(json.dumps({"schema": "mxp-perf/1", "comparison": {"finding": NASTY, "test": NASTY, "metrics": [{"name": NASTY, "base": "x"}], "differences": [{"key": NASTY}]}}))
        failed = self.folder / "evil3.json"
        failed.write_text(json.dumps({"schema": "mxp-perf/1", "error": {"kind": NASTY, "message": {"toString": 1}}}))
        inherited = self.folder / "evil4.json"
        inherited.write_text(json.dumps({"schema": "mxp-perf/1", "comparison": {"finding": "constructor", "runs": "toString", "metrics": [None, {"decides": True, "finding": "__proto__", "base": [1, 2], "interval_percent": 1}], "differences": [None]}}))
        odd = [self.folder / f"odd{i}.json" for i in range(4)]
        odd[0].write_text(json.dumps({"schema": "mxp-perf/1", "comparison": None}))
        odd[1].write_text(json.dumps({"schema": "mxp-perf/1", "capacity": {"trials": [None, {}, {"rate_per_second": "x"}]}}))
        odd[2].write_text(json.dumps({"schema": "mxp-perf/1", "capacity": 7}))
        # Curves that are none of ours: the chart would have endlessly many marks.
        odd[3].write_text(json.dumps({"schema": "mxp-perf/1", "result": {}, "curves": {"latency": [[1, 0], [2, 0], [3, 0]]}}))
        path = self.page(evil, comparison, failed, inherited, *odd, title=("--title", NASTY))
        self.assertEqual([list(one.get("curves", [])) for one in browser.data_of(path.read_text())["results"]], [["service_time", "to_client", "to_server"], []])
        problems, asked = self.browser.open(str(path), 1280)
        self.assertEqual((problems, asked), ([], []))
        self.assertEqual(self.browser.run("document.querySelectorAll('img, main script').length"), 0)
        self.assertIn("onerror=alert(1)", self.browser.run("document.body.innerText"))


if __name__ == "__main__":
    unittest.main()
