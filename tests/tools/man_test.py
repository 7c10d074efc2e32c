#!/usr/bin/env python3
"""The man pages and the completions of bash have the options that the tools have: each of --help, no more, no less.

MXP_BIN names the folder of the tools."""
import os
import re
import subprocess
import unittest
from pathlib import Path

COMPLETION = Path(__file__).resolve().parents[2] / "completions" / "mxp.bash"
MAN = Path(__file__).resolve().parents[2] / "docs" / "man"
COMMANDS = {"mxp-cat": ["keygen", "pubkey", "listen", "connect"], "mxp-perf": ["server", "client", "find-capacity", "run", "limits", "compare", "merge", "report"], "mxp-dump": ["why", "join", "redact", "inject-keys", "strip-keys"], "mxp-netem": []}
# Options that are described elsewhere, and a program that is not built everywhere: its page is another one.
OF_RANKS = "mxp-perf-mpi"
OF_RANKS_BUILT = os.path.exists(os.path.join(os.environ["MXP_BIN"], OF_RANKS))
SECTIONS = ["NAME", "SYNOPSIS", "DESCRIPTION", "OPTIONS", "FILES", "ENVIRONMENT", "EXIT STATUS", "EXAMPLES", "SEE ALSO"]
LONG = re.compile(r"(?<![\w-])--[a-z][a-z0-9-]*[a-z0-9]")
SHORT = re.compile(r"(?<![\w-])-[a-zA-Z](?![\w-])")


def helps(tool):
    """The help of a tool and that of each of its commands."""
    texts = []
    for command in [None, *COMMANDS.get(tool, [])]:
        arguments = [os.path.join(os.environ["MXP_BIN"], tool), *([command] if command else []), "--help"]
        done = subprocess.run(arguments, capture_output=True, text=True, timeout=20, check=True)
        texts.append(done.stdout)
    return texts


def option_column(text):
    """Where a help declares options: the first word of lines that begin with two spaces and a dash."""
    return "\n".join(re.split(r"\s{2,}|\s(?=[A-Z\[{])", line.strip())[0] for line in text.splitlines() if re.match(r"  -", line))


def plain(page):
    """A page's text without the marks of roff."""
    text = page.read_text().replace("\\-", "-")
    text = re.sub(r'^\.\\".*$', "", text, flags=re.M)
    text = re.sub(r"\\f[A-Z]", "", text)
    return re.sub(r"[\"]", "", text)


def completed(tool, *words):
    """What bash offers for the last of these words."""
    script = 'source "$1"; shift; tool=$1; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _mxp_complete "$tool"; printf "%s\\n" "${COMPREPLY[@]}"'
    path = os.path.join(os.environ["MXP_BIN"], tool)
    done = subprocess.run(["bash", "-c", script, "bash", str(COMPLETION), path, *words], capture_output=True, text=True, timeout=20, check=True)
    assert not done.stderr, done.stderr
    return [line for line in done.stdout.splitlines() if line]


class Completions(unittest.TestCase):
    def test_each_option_of_the_help_is_completed_and_no_other(self):
        for tool, commands in [*COMMANDS.items(), *([(OF_RANKS, [])] if OF_RANKS_BUILT else [])]:
            for command, text in zip([None, *commands], helps(tool)):
                with self.subTest(tool=tool, command=command):
                    column = option_column(text)
                    offered = set(LONG.findall(column)) | set(SHORT.findall(column))
                    words = [command] if command else []
                    self.assertEqual(set(completed(tool, *words, "-")), offered)

    def test_commands_and_beginnings_are_completed(self):
        self.assertEqual(completed("mxp-cat", "li"), ["listen"])
        self.assertEqual(set(completed("mxp-perf", "")), set(COMMANDS["mxp-perf"]))
        self.assertEqual(completed("mxp-cat", "connect", "--half"), ["--half-close"])
        self.assertEqual(completed("mxp-cat", "connect", "--suite", "cha"), ["chacha20", "chacha20,aes256"])
        self.assertIn("delay", completed("mxp-netem", "de"))

    def test_values_of_options_are_completed_by_tool(self):
        tests = re.search(r"--test[^{]*\{([a-z,]+)\}", helps("mxp-perf")[COMMANDS["mxp-perf"].index("run") + 1])[1]
        self.assertEqual(set(completed("mxp-perf", "run", "--test", "")), set(tests.split(",")))
        self.assertEqual(completed("mxp-perf", "run", "--arrivals", ""), ["fixed", "poisson"])
        self.assertEqual(completed("mxp-perf", "run", "--baseline", ""), ["tls"])
        self.assertEqual(completed("mxp-perf", "compare", "--metric", "p"), ["p50", "p90", "p99", "p999"])
        self.assertEqual(completed("mxp-perf", "compare", "--format", ""), ["text", "json", "junit", "github"])
        self.assertEqual(completed("mxp-dump", "--format", ""), ["text", "json", "fields"])
        self.assertEqual(completed("mxp-netem", "ma"), ["marks"])


class ManPages(unittest.TestCase):
    def test_each_tool_has_a_page_and_each_page_a_tool(self):
        self.assertEqual(sorted(page.stem for page in MAN.glob("*.1")), sorted([*COMMANDS, OF_RANKS]))

    def test_commands_are_those_of_the_help(self):
        for tool, commands in COMMANDS.items():
            block = re.search(r"Subcommands:\n((?:  .*\n)+)", helps(tool)[0])
            found = re.findall(r"^  (\w[\w-]*)", block[1], re.M) if block else []
            self.assertEqual(found, commands, tool)
            for command in commands:
                self.assertIn(f".B {command}\n", plain(MAN / f"{tool}.1"))

    def test_options_of_the_help_are_in_the_page_and_the_reverse(self):
        for tool in COMMANDS:
            with self.subTest(tool=tool):
                page = plain(MAN / f"{tool}.1")
                text = "\n".join(option_column(help_text) for help_text in helps(tool))
                for kind, least in ((LONG, 8), (SHORT, 2)):
                    offered = set(kind.findall(text))
                    self.assertGreaterEqual(len(offered), least)
                    options = page[page.index(".SH OPTIONS"):page.index(".SH FILES")]
                    described = set(kind.findall("\n".join(re.findall(r"^\.TP\n(.*)$", options, re.M))))
                    self.assertEqual(offered - described, set(), "in --help, not in the page")
                    self.assertEqual(described - offered, set(), "in the page, not in --help")
                # What the page only mentions must exist as well.
                elsewhere = set(LONG.findall(re.sub(r"(?s)^\.EX.*?^\.EE", "", page, flags=re.M)))
                self.assertEqual(elsewhere - set(LONG.findall(text)), set())

    def test_pages_have_their_sections_in_order(self):
        for tool in COMMANDS:
            text = (MAN / f"{tool}.1").read_text()
            self.assertTrue(text.startswith(".TH " + tool.upper().replace("-", "\\-") + " 1 "))
            headings = re.findall(r"^\.SH \"?([A-Z ]+?)\"?$", text, re.M)
            self.assertEqual([heading for heading in headings if heading in SECTIONS], SECTIONS, tool)
            for variable in ("MXPKEYLOGFILE", "NO_COLOR", "XDG_CONFIG_HOME"):
                self.assertIn(variable, text)

    def test_exit_codes_are_those_that_the_help_names(self):
        for tool in COMMANDS:
            line = re.search(r"^Exit(?: codes)?: ((?:.|\n)*?130)", helps(tool)[0], re.M)
            named = set(re.findall(r"(?<![\w.])(\d+)(?= )", line[1] + " "))
            section = re.search(r"\.SH EXIT STATUS\n(.*?)\.SH", plain(MAN / f"{tool}.1"), re.S)[1]
            self.assertEqual(set(re.findall(r"^\.TP\n\.B (\d+)$", section, re.M)), named, tool)

    def test_examples_are_those_of_the_help(self):
        for tool in COMMANDS:
            shown = re.search(r"Examples:?\n((?:  .*\n)+)", helps(tool)[0])[1]
            page = plain(MAN / f"{tool}.1")
            for line in shown.splitlines():
                self.assertIn(line.strip().replace('"', ""), page, tool)

    @unittest.skipUnless(OF_RANKS_BUILT, "mxp-perf-mpi was not built: Open MPI was not found")
    def test_the_page_of_ranks_names_what_is_there(self):
        [text], page = helps(OF_RANKS), plain(MAN / f"{OF_RANKS}.1")
        offered = set(LONG.findall(option_column(text)))
        self.assertGreaterEqual(len(offered), 30)
        self.assertEqual(set(LONG.findall(re.sub(r"(?s)^\.EX.*?^\.EE", "", page, flags=re.M))) - offered, set())
        of_client = set(LONG.findall(option_column(helps("mxp-perf")[1 + COMMANDS["mxp-perf"].index("client")] + helps("mxp-perf")[0])))
        self.assertEqual(offered - of_client, set(), "an option that mxp-perf client has not")
        self.assertEqual(of_client - offered, {"--no-limits", "--json-stream", "--iperf3-json", "--baseline"})
        for line in re.search(r"Examples:?\n((?:  .*\n)+)", text)[1].splitlines():
            self.assertIn(line.strip(), page)
        codes = set(re.findall(r"(?<![\w.])(\d+)(?= )", re.search(r"^Exit codes: ((?:.|\n)*?130)", text, re.M)[1] + " "))
        self.assertEqual(set(re.findall(r"^\.TP\n\.B (\d+)$", re.search(r"\.SH EXIT STATUS\n(.*?)\.SH", page, re.S)[1], re.M)), codes)
        self.assertEqual(completed(OF_RANKS, "--cc", ""), ["bbr", "cubic", "newreno", "none"])


if __name__ == "__main__":
    unittest.main()
