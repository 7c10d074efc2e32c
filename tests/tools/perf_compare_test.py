#!/usr/bin/env python3
"""mxp-perf compare: results against results, and programs in turn. How sure it is, test_perf_parts checks on simulated runs, and
scripts/compare_trials.sh on this machine."""
import json
import os
import signal
import tempfile
import time
import unittest
import xml.etree.ElementTree
from pathlib import Path

from perf_schema import strict
from perf_support import PERF, perf, start


def bulk(goodput, **config):
    return {"schema": "mxp-perf/1", "version": "0.1", "test": "bulk", "verdict": "network", "config": {"mtu_bytes": 1500, **config}, "transport": {},
            "result": {"goodput_bits_per_second": goodput}}


def nested(depth):
    return {"a": nested(depth - 1)} if depth else 1


# A program that says it is mxp-perf: it writes the result that its turn has, and which arguments it got.
STAND_IN = """#!/bin/sh
for last; do :; done
echo "$(basename "$0") $*" >>{folder}/calls
n=$(grep -c "^$(basename "$0") " {folder}/calls)
value=$(sed -n "${{n}}p" {folder}/$(basename "$0").values)
[ "$value" != fail ] || {{ echo "the network is down" >&2; exit 1; }}
case $value in exit*)
  code=${{value#exit}}
  [ "$code" != 1io ] || {{ code=1; echo '{{"schema":"mxp-perf/1","error":{{"kind":"io","message":"no room"}}}}' >"${{last#--json=}}"; }}
  exit "$code"
esac
[ "$value" != wait ] || exec sleep 60
echo '{{"schema":"mxp-perf/1","version":"0.1","test":"bulk","config":{{}},"result":{{"goodput_bits_per_second":'$value'}}}}' >"${{last#--json=}}"
"""


class CompareCase(unittest.TestCase):
    def setUp(self):
        held = tempfile.TemporaryDirectory()
        self.addCleanup(held.cleanup)
        self.folder = Path(held.name)

    def results(self, name, goodputs, **config):
        paths = []
        for i, goodput in enumerate(goodputs):
            paths.append(self.folder / f"{name}{i}.json")
            paths[-1].write_text(json.dumps(bulk(goodput, **config)))
        return ",".join(map(str, paths))

    def program(self, name, values):
        (self.folder / f"{name}.values").write_text("".join(f"{value}\n" for value in values))
        path = self.folder / name
        path.write_text(STAND_IN.format(folder=self.folder))
        path.chmod(0o755)
        return path

    def calls(self):
        return [line.split() for line in (self.folder / "calls").read_text().splitlines()]


class Files(CompareCase):
    def test_worse_for_certain_is_6_and_the_comparison_stands_beside_the_error(self):
        base, new = self.results("a", [100e6, 101e6, 99e6]), self.results("b", [90e6, 90.4e6, 89.7e6])
        done = perf("compare", base, new, "--max-regression", "5%", "--json")
        self.assertEqual(done.returncode, 6, done.stderr)
        document = strict(done.stdout)
        self.assertEqual(document["error"]["kind"], "threshold")
        comparison = document["comparison"]
        self.assertEqual((comparison["finding"], comparison["runs"], comparison["differences"]), ("regression", "groups", []))
        metric = comparison["metrics"][0]
        self.assertAlmostEqual(metric["change_percent"], -10, delta=0.2)
        self.assertLess(metric["interval_percent"]["high"], -5)
        self.assertEqual(metric["base"], [100e6, 101e6, 99e6])
        self.assertEqual(perf("compare", base, new, "--max-regression", "5%", "--json").stdout, done.stdout)  # the same again

    def test_within_the_limit_or_unclear_is_0(self):
        base, new = self.results("a", [100e6, 101e6, 99e6]), self.results("b", [90e6, 90.4e6, 89.7e6])
        self.assertEqual(perf("compare", base, new, "--max-regression", "20%").returncode, 0)
        done = perf("compare", base, new, "--max-regression", "10%")
        self.assertEqual((done.returncode, "unclear: whether NEW is worse by more than 10% cannot be told" in done.stdout), (0, True))
        self.assertIn("better: NEW is better", perf("compare", new, base).stdout)

    def test_what_differs_is_named(self):
        done = perf("compare", self.results("a", [1e8, 1e8]), self.results("b", [1e8, 1e8], mtu_bytes=9000, link="rate 1gbit"))
        self.assertIn("differs     config.link: absent -> rate 1gbit\ndiffers     config.mtu_bytes: 1500 -> 9000\n", done.stdout)

    def test_forms(self):
        base, new = self.results("a", [100e6, 101e6, 99e6]), self.results("b", [90e6, 90.4e6, 89.7e6])
        done = perf("compare", base, new, "--format", "junit")
        suite = xml.etree.ElementTree.fromstring(done.stdout)
        self.assertEqual((done.returncode, suite.get("failures"), suite.find("testcase/failure").get("type")), (6, "1", "regression"))
        self.assertRegex(perf("compare", base, new, "--format", "github").stdout, r"^::error title=mxp-perf bulk%3A REGRESSION::goodput: ")
        self.assertEqual(strict(perf("compare", base, new, "--format", "json").stdout)["comparison"]["finding"], "regression")

    def test_single_runs_are_compared_as_they_are(self):
        done = perf("compare", self.results("a", [100e6]), self.results("b", [90e6]), "--json")
        self.assertEqual((done.returncode, strict(done.stdout)["comparison"]["runs"]), (6, "single"))
        self.assertIn("one run says nothing of the next one", perf("compare", self.results("a", [100e6]), self.results("b", [99e6])).stdout)

    def test_what_cannot_be_compared_is_2(self):
        good = self.results("a", [100e6])
        bad = self.folder / "bad.json"
        cases = [("", "it is not JSON"), ("[]", "it is not JSON"), ("{}", "it is no result of mxp-perf"), ('{"schema":"mxp-dump/1"}', "its schema is mxp-dump/1"), (json.dumps({"schema": "mxp-perf/1", "limits": {}}), "no result of a test"),
                 (json.dumps({**bulk(1e8), "error": {"kind": "interrupted", "message": "x"}}), "cut short"), (json.dumps({**bulk(1e8), "test": "rr"}), "different tests"),
                 (json.dumps({**bulk(1e8), "result": {"goodput_bits_per_second": "fast"}}), "not every result has goodput"), (json.dumps({**bulk(1e8), "result": {}}), "not every result has goodput"),
                 (json.dumps({**bulk(1e8), "config": [1, {"a": None}]}), None), (json.dumps(bulk(1e8, a=nested(20))), None),
                 (json.dumps(bulk(1e8, a=nested(40))), "nested more than 32 deep"), ('{"a":' * 200_000 + "1" + "}" * 200_000, "nested more than 32 deep"), ("[" * 1_000_000, "nested more than 32 deep")]
        for text, said in cases:
            bad.write_text(text)
            done = perf("compare", good, bad, "--json")
            with self.subTest(text[:60]):
                if said is None:
                    self.assertEqual(done.returncode, 0, done.stderr)
                else:
                    self.assertEqual(done.returncode, 2, done.stderr)
                    self.assertIn(said, done.stderr)
                strict(done.stdout)
        for arguments, said in ((("--max-regression", "much"), "takes a share"), (("--confidence", "100%"), "takes a share"), (("--keep", "x"), "--keep is for --runs"), (("c.json",), "not expected: c.json"),
                                (("--json", "--format", "junit"), "would mix on stdout"), (("--format", "github", "--json=-"), "would mix on stdout"),
                                (("--metric", "p50"), "not every result has p50"), (("--metric", "beauty"), "--metric")):
            done = perf("compare", good, good, *arguments)
            with self.subTest(arguments):
                self.assertEqual(done.returncode, 2, done.stdout)
                self.assertIn(said, done.stderr)
        bad.write_text(json.dumps(bulk(1e8)))
        self.assertEqual(perf("compare", good, bad, "--json=" + str(bad)).returncode, 2)
        self.assertEqual(json.loads(bad.read_text()), bulk(1e8))


class InTurn(CompareCase):
    def test_programs_run_in_pairs(self):
        old, new = self.program("old", [100, 80, 60, 90]), self.program("new", [95, 76.1, 57, 85.4])
        done = perf("compare", "--runs", "4", old, new, "--keep", self.folder / "kept", "--json", "--", "--duration", "1s")
        self.assertEqual(done.returncode, 6, done.stderr)
        comparison = strict(done.stdout)["comparison"]
        self.assertEqual((comparison["runs"], comparison["metrics"][0]["base"], comparison["metrics"][0]["new"]), ("pairs", [100, 80, 60, 90], [95, 76.1, 57, 85.4]))
        names = [call[0] for call in self.calls()]
        self.assertTrue(all(sorted(names[i:i + 2]) == ["new", "old"] for i in range(0, 8, 2)), names)
        self.assertTrue(all(call[1:4] == ["run", "--duration", "1s"] for call in self.calls()))
        self.assertEqual(sorted(path.name for path in (self.folder / "kept").iterdir()), sorted(f"{side}-00{i}.json" for side in ("base", "new") for i in range(1, 5)))

    def test_commands_and_arguments_that_name_one(self):
        self.program("old", [1e8, 1e8])
        done = perf("compare", "--runs", "1", f"{self.folder}/old run --link 'rate 1gbit'", self.folder / "old", "--", "client", "mxp://x")
        self.assertEqual(done.returncode, 0, done.stderr)
        calls = [call[1:-1] for call in self.calls()]  # in either order
        self.assertEqual(sorted(calls), [["client", "mxp://x"], ["run", "--link", "rate", "1gbit", "client", "mxp://x"]])

    def test_a_run_that_fails_ends_it_with_its_word(self):
        done = perf("compare", "--runs", "3", self.program("old", [1e8, 1e8, 1e8]), self.program("new", [1e8, "fail"]), "--json")
        self.assertEqual((done.returncode, done.stderr), (1, "mxp-perf: NEW failed with exit code 1: the network is down\n"))
        self.assertEqual(strict(done.stdout)["error"]["kind"], "network")
        self.assertEqual(perf("compare", "--runs", "3", "/nonexistent/perf", self.folder / "new").returncode, 2)
        self.assertEqual(perf("compare", "--runs", "1", "true", "true").returncode, 2)  # which writes no result

    def test_a_run_that_fails_ends_it_with_its_own_code(self):
        for word, code, kind in (("1", 1, "network"), ("1io", 1, "io"), ("2", 2, "usage"), ("3", 3, "auth"), ("4", 4, "timeout"), ("5", 5, "peer"), ("130", 130, "interrupted"), ("77", 1, "io"), ("127", 2, "usage")):
            with self.subTest(word):
                (self.folder / "calls").unlink(missing_ok=True)
                done = perf("compare", "--runs", "1", self.program("old", [f"exit{word}"]), self.program("new", [f"exit{word}"]), "--json")
                self.assertEqual((done.returncode, strict(done.stdout)["error"]["kind"]), (code, kind), done.stderr)
                self.assertRegex(done.stderr, rf"(BASE|NEW) failed with exit code {word.removesuffix('io')}: ")

    def test_results_of_earlier_runs_are_not_mixed_with_these(self):
        old, new = self.program("old", [1e8, 1e8, 1e8]), self.program("new", [1e8, 1e8, 1e8])
        kept = self.folder / "kept"
        for earlier in ("base-009.json", "new-1000.json"):
            kept.mkdir()
            (kept / earlier).write_text("{}")
            done = perf("compare", "--runs", "1", old, new, "--keep", kept)
            self.assertEqual((done.returncode, earlier in done.stderr, (self.folder / "calls").exists()), (2, True, False), done.stderr)
            (kept / earlier).unlink()
            kept.rmdir()
        kept.write_text("of a person")
        done = perf("compare", "--runs", "1", old, new, "--keep", kept)
        self.assertEqual((done.returncode, "is no folder" in done.stderr, (self.folder / "calls").exists()), (2, True, False), done.stderr)
        kept.unlink()
        kept.mkdir()
        (kept / "notes.txt").write_text("of a person")
        self.assertEqual(perf("compare", "--runs", "1", old, new, "--keep", kept).returncode, 0)

    def test_a_signal_ends_all_that_a_command_started(self):
        began = self.folder / "began"
        for number in (signal.SIGINT, signal.SIGTERM):
            began.unlink(missing_ok=True)
            command = f"echo >{began}; sleep 300; true"
            process = start("compare", "--runs", "2", command, command, "--json")
            while not began.exists():
                self.assertIsNone(process.poll())
                time.sleep(0.01)
            process.send_signal(number)
            out, err = process.communicate(timeout=60)  # and not 300 s
            self.assertEqual((process.returncode, strict(out)["error"]["kind"]), (130, "interrupted"), err)

    def test_interrupted_compares_the_pairs_that_are_whole(self):
        old, new = self.program("old", [1e8, 1e8, "wait"]), self.program("new", [1e8, 1e8, "wait"])
        process = start("compare", "--runs", "9", old, new, "--json")
        while not (self.folder / "calls").exists() or len(self.calls()) < 5:
            self.assertIsNone(process.poll())
            time.sleep(0.01)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=20)
        self.assertEqual(process.returncode, 130, err)
        document = strict(out)
        self.assertEqual((document["error"]["kind"], len(document["comparison"]["metrics"][0]["base"])), ("interrupted", 2))

    def test_this_program_runs_against_itself(self):
        done = perf("compare", "--runs", "2", PERF, PERF, "--json", "--", "--duration", "0.2s", "--no-limits", "--link", "rate 20mbit", env={**os.environ, "TMPDIR": str(self.folder)})
        self.assertIn(done.returncode, (0, 6), done.stderr)  # two short runs say nothing of which is faster
        self.assertEqual(len(strict(done.stdout)["comparison"]["metrics"][0]["new"]), 2)
        self.assertEqual(os.listdir(self.folder), [])


if __name__ == "__main__":
    unittest.main()
