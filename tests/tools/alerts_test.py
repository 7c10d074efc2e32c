#!/usr/bin/env python3
"""The alert rules and the dashboard name metrics and label values that the tools serve; each rule is tested and is on the page of
the runbook; and promtool, where it is installed, finds that the rules load, and that each fires when it should and not otherwise.

Needs nothing that was built."""
import json
import re
import shutil
import subprocess
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
RULES = ROOT / "packaging/prometheus/mxp.rules.yml"
TESTS = ROOT / "packaging/prometheus/mxp.rules.test.yml"
DASHBOARD = ROOT / "packaging/grafana/mxp.json"
METRIC = re.compile(r"\bmxp_[a-z0-9_]+")
MATCHER = re.compile(r'\b(class|reason|state|role|decision)=~?"([^"$]*)"')


def documented():
    """The metrics of docs/observability.md; a histogram has three series."""
    names = set(METRIC.findall((ROOT / "docs/observability.md").read_text()))
    return names | {name + end for name in names for end in ("_bucket", "_sum", "_count")}


def label_values():
    """Everything that can be the value of a label: the words of the document and of the library's enums, as labels have them."""
    text = (ROOT / "docs/observability.md").read_text()
    words = set(re.findall(r"`([a-z0-9_]+)`", text)) | {"client", "server"}
    for source in ("libmxp/core/error_text.cpp", "libmxp/core/blocked_text.cpp", "libmxp/include/mxp/error.h", "libmxp/include/mxp/blocked.h"):
        path = ROOT / source
        if path.exists():
            text = path.read_text()
            words |= {re.sub(r"[ -]", "_", word) for word in re.findall(r'return "([^"]+)"', text)}
            words |= set(re.findall(r"^  ([a-z0-9_]+)[,\s]", text, re.M))
    return words


def alerts(path):
    return re.findall(r"^\s*-\s*alert(?:name)?:\s*(\w+)", path.read_text(), re.M)


class Names(unittest.TestCase):
    def check(self, text, where):
        self.assertEqual(set(METRIC.findall(text)) - documented(), set(), where)
        known = label_values()
        for label, values in MATCHER.findall(text):
            for value in values.split("|"):
                self.assertTrue(value in known, f"{where}: {label}={value} is served by nobody")

    def test_rules_and_their_tests_name_what_is_served(self):
        self.check(RULES.read_text(), RULES.name)
        self.check(TESTS.read_text(), TESTS.name)

    def test_the_dashboard_names_what_is_served(self):
        dashboard = json.loads(DASHBOARD.read_text())
        queries = [target["expr"] for panel in dashboard["panels"] for target in panel["targets"]]
        queries += [variable["query"] for variable in dashboard["templating"]["list"]]
        self.assertGreater(len(queries), 10)
        self.check("\n".join(queries), DASHBOARD.name)

    def test_each_rule_is_tested_both_ways_and_is_in_the_runbook(self):
        page = (ROOT / "docs/runbook/alerts.md").read_text()
        self.assertGreater(len(alerts(RULES)), 5)
        for name in alerts(RULES):
            self.assertIn(f"| `{name}` |", page)
            self.assertIn(f"- name: {name} fires\n", TESTS.read_text())
            self.assertIn(f"- name: {name} is silent\n", TESTS.read_text())
        self.assertEqual(set(alerts(RULES)), set(alerts(TESTS)))

    def test_each_rule_names_a_page(self):
        for page in re.findall(r"runbook: (\S+)", RULES.read_text()):
            self.assertTrue((ROOT / page).exists(), page)


@unittest.skipUnless(shutil.which("promtool"), "promtool is not installed (package prometheus)")
class Promtool(unittest.TestCase):
    def run_promtool(self, *arguments):
        done = subprocess.run(["promtool", *arguments], cwd=RULES.parent, capture_output=True, text=True, timeout=60)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def test_the_rules_load(self):
        self.run_promtool("check", "rules", RULES.name)

    def test_each_rule_fires_when_it_should_and_not_otherwise(self):
        self.run_promtool("test", "rules", TESTS.name)


if __name__ == "__main__":
    unittest.main()
