#!/usr/bin/env python3
"""What writes captures with their secrets is in no binary, unless it was built with MXP_DEBUG_TOOLS=ON."""
import os
import subprocess
import unittest
from pathlib import Path

BIN = Path(os.environ.get("MXP_BIN", "build/release/bin"))
MARKS = (b"PcapExporter", b"debug-pcap")


def built_to_debug():
    cache = BIN.parent / "CMakeCache.txt"
    return cache.exists() and "MXP_DEBUG_TOOLS:BOOL=ON" in cache.read_text()


class DebugTools(unittest.TestCase):
    def test_a_release_has_no_exporter_of_captures(self):
        if built_to_debug():
            self.skipTest("this build has MXP_DEBUG_TOOLS=ON")
        archives = sorted((BIN.parent / "libmxp").glob("*.a"))
        self.assertTrue(archives)
        for path in [BIN / "mxp-cat", BIN / "mxp-perf", *archives]:
            content = path.read_bytes()  # with its symbols and its texts
            for mark in MARKS:
                self.assertNotIn(mark, content, path)
        help_text = subprocess.run([BIN / "mxp-cat", "listen", "--help"], capture_output=True, timeout=20, check=True).stdout
        self.assertNotIn(b"pcap", help_text)

    def test_the_marks_are_those_of_the_exporter(self):
        source = Path(__file__).resolve().parents[2]
        self.assertIn("class PcapExporter", (source / "libmxp/trace/debug/pcap_exporter.h").read_text())
        self.assertIn("--debug-pcap", (source / "tools/common/observe/options.cpp").read_text())


if __name__ == "__main__":
    unittest.main()
