#!/usr/bin/env python3
"""The runbook keeps its word: each drill is run and gives what it promises, each exit code has a page, each link leads somewhere.

MXP_BIN names the folder of the tools. The convention of the drills is in docs/runbook/README.md."""
import os
import re
import signal
import subprocess
import tempfile
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
RUNBOOK = ROOT / "docs" / "runbook"
EXIT_CODES = [0, 1, 2, 3, 4, 5, 6, 7, 130]
DRILL_SECONDS = 20  # they take one to four; more than this is a hang
DRILL = re.compile(r"^```sh drill\n(.*?)^```$", re.M | re.S)
EXPECT = re.compile(r"^# expect: exit (\d+)$", re.M)
EXPECT_OUTPUT = re.compile(r"^# expect-output: (.+)$", re.M)
LINK = re.compile(r"\[[^\]\n]*\]\(([^)\s]+)\)")
FENCED = re.compile(r"^```.*?^```$", re.M | re.S)


def drills():
    """(name, script) of each drill; the name is its page and its line."""
    for page in sorted(RUNBOOK.rglob("*.md")):
        text = page.read_text()
        for match in DRILL.finditer(text):
            yield f"{page.name}:{text.count(chr(10), 0, match.start()) + 1}", match[1]


def run_drill(script, folder):
    """The exit code (None if it took too long), all output of a drill, and its logs, with whatever it left running ended."""
    environment = {key: value for key, value in os.environ.items() if key not in ("MXPKEYLOGFILE", "CDPATH")}
    environment.update(PATH=os.environ["MXP_BIN"] + os.pathsep + os.environ["PATH"], HOME=folder,
                       XDG_CONFIG_HOME=os.path.join(folder, ".config"), NO_COLOR="1", LC_ALL="C")
    with tempfile.TemporaryFile() as output:
        process = subprocess.Popen(["bash", "-eu", "-c", script], cwd=folder, env=environment, stdin=subprocess.DEVNULL, stdout=output,
                                   stderr=subprocess.STDOUT, start_new_session=True)
        try:
            code = process.wait(timeout=DRILL_SECONDS)
        except subprocess.TimeoutExpired:
            code = None
        try:
            os.killpg(process.pid, signal.SIGKILL)  # the listeners that a drill leaves behind are of its session
        except ProcessLookupError:
            pass
        process.wait()
        output.seek(0)
        logs = "".join(f"\n{log.name}:\n{log.read_text(errors='replace')}" for log in sorted(Path(folder).glob("*.log")))
        return code, output.read().decode(errors="replace"), logs


def anchor(heading):
    """What a heading is called in a link, as the usual viewers make it."""
    return re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-")


class Drills(unittest.TestCase):
    def test_each_drill_gives_what_its_page_promises(self):
        count = 0
        for name, script in drills():
            count += 1
            with self.subTest(drill=name), tempfile.TemporaryDirectory() as folder:
                code, output, logs = run_drill(script, folder)
                expected = EXPECT.findall(script)
                self.assertLessEqual(len(expected), 1, "one exit code for each drill")
                self.assertIsNotNone(code, f"longer than {DRILL_SECONDS} s; output:\n{output}{logs}")
                self.assertEqual(code, int(expected[0]) if expected else 0, output + logs)
                for text in EXPECT_OUTPUT.findall(script):
                    self.assertIn(text, output, logs)
        self.assertGreaterEqual(count, len(EXIT_CODES))

    def test_each_drill_promises_something(self):
        for name, script in drills():
            with self.subTest(drill=name):
                self.assertTrue(EXPECT.search(script) or EXPECT_OUTPUT.search(script))
                for line in re.findall(r"^# ?expect.*$", script, re.M):
                    self.assertTrue(EXPECT.fullmatch(line) or EXPECT_OUTPUT.fullmatch(line), line)

    def test_a_drill_that_breaks_its_promise_is_noticed(self):
        with tempfile.TemporaryDirectory() as folder:
            self.assertEqual(run_drill("false; echo not reached", folder), (1, "", ""))
            self.assertEqual(run_drill("mxp-cat pubkey nothing 2>/dev/null; echo not reached", folder), (2, "", ""))
            # A listener that does not come up ends the drill at once, and its log is shown.
            code, _, logs = run_drill("mxp-cat listen nonsense 2>l.log & until grep -qs listening l.log; do kill -0 $!; sleep 0.1; done", folder)
            self.assertEqual(code, 1)
            self.assertIn("is not an address to listen on", logs)


class Pages(unittest.TestCase):
    def test_each_exit_code_has_a_page_and_a_drill_that_ends_with_it(self):
        for code in EXIT_CODES:
            page = RUNBOOK / f"exit-{code}.md"
            self.assertTrue(page.exists(), page.name)
            promised = [int((EXPECT.findall(script) or ["0"])[0]) for name, script in drills() if name.startswith(page.name + ":")]
            self.assertIn(code, promised, page.name)

    def test_each_page_is_reached_from_the_index(self):
        linked = set(LINK.findall((RUNBOOK / "README.md").read_text()))
        for page in RUNBOOK.glob("*.md"):
            if page.name != "README.md":
                self.assertIn(page.name, linked)

    def test_each_relative_link_leads_somewhere(self):
        texts = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), ROOT / "libmxp" / "README.md"]
        self.assertGreater(len(texts), 10)
        links = 0
        for text in texts:
            for link in LINK.findall(FENCED.sub("", text.read_text())):
                if re.match(r"[a-z]+:", link):
                    continue
                links += 1
                path, _, fragment = link.partition("#")
                target = (text.parent / path).resolve() if path else text
                with self.subTest(text=str(text.relative_to(ROOT)), link=link):
                    self.assertTrue(target.exists())
                    if fragment:
                        headings = re.findall(r"^#+ (.*)$", FENCED.sub("", target.read_text()), re.M)
                        self.assertIn(fragment, map(anchor, headings))
        self.assertGreater(links, 30)


if __name__ == "__main__":
    unittest.main()
