#!/usr/bin/env python3
"""The example of a pipeline: the shell steps of its workflow as they stand, with tools that are built already."""
import os
import re
import subprocess
import tempfile
import unittest
from pathlib import Path

import browser
from perf_schema import strict

ROOT = Path(__file__).resolve().parents[2]
BIN = os.environ["MXP_BIN"]
WORKFLOW = (ROOT / "examples/pipeline/performance.yml").read_text()


def steps():
    """The commands of each step that has any: of one line, or of a block."""
    found = re.findall(r"^        run: (?:\|\n((?:          .*\n)+)|(.+)\n)", WORKFLOW, re.M)
    return [re.sub(r"^ {10}", "", block, flags=re.M) or line for block, line in found]


class Pipeline(unittest.TestCase):
    def setUp(self):
        held = tempfile.TemporaryDirectory()
        self.addCleanup(held.cleanup)
        self.folder = Path(held.name)
        (self.folder / "examples").symlink_to(ROOT / "examples")

    def slowed(self, name, rate):
        """A folder of tools whose runs go over a link of this rate."""
        folder = self.folder / name
        folder.mkdir()
        program = folder / "mxp-perf"
        program.write_text(f"#!/bin/sh\n[ \"$1\" != run ] || set -- \"$@\" --link 'rate {rate}'\nexec {BIN}/mxp-perf \"$@\"\n")
        program.chmod(0o755)
        return str(folder)

    def run_workflow(self, **variables):
        """The exit code of each step, and what was said."""
        self.assertEqual(len(steps()), 2)
        environment = {**os.environ, "GITHUB_ACTIONS": "true", "GITHUB_STEP_SUMMARY": str(self.folder / "step.md"), "BASE_COMMIT": "v1", "NEW_COMMIT": "v2", **variables}
        done = [subprocess.run(["bash", "-eo", "pipefail", "-c", step], cwd=self.folder, env=environment, capture_output=True, text=True, timeout=120) for step in steps()]
        return [one.returncode for one in done], done[0].stdout, done[0].stderr

    def test_a_regression_fails_the_job_and_is_named(self):
        codes, out, err = self.run_workflow(BASE_BIN=self.slowed("base", "40mbit"), NEW_BIN=self.slowed("new", "10mbit"), RUNS="3", DURATION="0.4s", TESTS="bulk --test bulk")
        self.assertEqual(codes, [6, 0], err)
        self.assertRegex(out, r"(?m)^::error title=mxp-perf bulk%3A REGRESSION::goodput: ")
        self.assertEqual(strict((self.folder / "performance/bulk.json").read_text())["comparison"]["finding"], "regression")
        self.assertIn("REGRESSION", (self.folder / "step.md").read_text())
        page = (self.folder / "performance/report.html").read_text()
        self.assertIn("mxp-perf: v2 against v1", page)
        data = browser.data_of(page)
        self.assertEqual((len(data["results"]), len(data["comparisons"])), (6, 1))

    def test_all_tests_run_whatever_comes_of_them(self):
        codes, out, err = self.run_workflow(BASE_BIN=BIN, NEW_BIN=BIN, RUNS="2", DURATION="0.2s", MAX_REGRESSION="90%")
        self.assertIn(codes[0], (0, 6), err)  # two short runs on a busy machine say little
        self.assertEqual(out.count("title=mxp-perf "), 4, out)
        names = [path.name for path in (self.folder / "performance").glob("*.json")]
        self.assertEqual(len(names), 4, names)

    def test_what_fails_is_no_regression(self):
        codes, _, err = self.run_workflow(BASE_BIN=BIN, NEW_BIN=BIN, RUNS="2", TESTS="bulk --test nonsense")
        self.assertEqual(codes[0], 2)
        self.assertIn("failed with exit code 2", err)


if __name__ == "__main__":
    unittest.main()
