#!/usr/bin/env python3
"""Two tools whose cipher suites differ: they meet in the suite that both have, and say so when there is none."""
import json
import os
import re
import shutil
import signal
import subprocess
import tempfile
import time
import unittest
from pathlib import Path

import side_by_side

BIN = Path(os.environ.get("MXP_BIN", "build/release/bin"))
CAT, PERF = str(BIN / "mxp-cat"), str(BIN / "mxp-perf")
LIMIT = 30  # seconds: what takes longer hangs


class SuitesTest(unittest.TestCase):
    def setUp(self):
        signal.alarm(3 * LIMIT)
        self.folder = Path(tempfile.mkdtemp(prefix="mxp-suites-"))
        self.env = {k: v for k, v in os.environ.items() if k not in ("MXPKEYLOGFILE", "XDG_CONFIG_HOME")} | {"HOME": str(self.folder)}
        self.processes = []

    def tearDown(self):
        signal.alarm(0)
        for process in self.processes:
            process.kill()
            process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)

    def serve(self, *command):
        log = self.folder / f"server-{len(self.processes)}"
        with open(log, "wb") as output:
            self.processes.append(subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, env=self.env))
        end = time.monotonic() + LIMIT
        while not (url := re.search(r"mxp://\S+:\d+(?=\s)", log.read_text())):
            self.assertIsNone(self.processes[-1].poll(), log.read_text())
            self.assertLess(time.monotonic(), end)
            time.sleep(0.005)
        return url[0]

    def run_tool(self, *command):
        return subprocess.run(command, input=b"hello\n", capture_output=True, timeout=LIMIT, env=self.env)

    def echoed(self, server, client):
        url = self.serve(CAT, "listen", "127.0.0.1:0", "--echo", *server)
        started = time.monotonic()
        done = self.run_tool(CAT, url, "-v", *client)
        self.assertEqual((done.returncode, done.stdout), (0, b"hello\n"), done.stderr)
        return time.monotonic() - started, done.stderr.decode()

    def test_a_default_client_meets_a_listener_of_either_suite(self):
        for suite in ("chacha20", "aes256"):
            with self.subTest(suite):
                _, stderr = self.echoed(("--suite", suite), ())
                self.assertIn(suite, stderr)

    def test_a_preference_that_the_listener_lacks_costs_900_ms(self):
        for server, client in (("chacha20", "aes256,chacha20"), ("aes256", "chacha20,aes256")):
            with self.subTest(server):
                took, stderr = self.echoed(("--suite", server), ("--suite", client))
                self.assertIn(server, stderr)
                self.assertGreaterEqual(took, 0.9)

    def test_no_suite_in_common_is_4_and_named(self):
        url = self.serve(CAT, "listen", "127.0.0.1:0", "--echo", "--suite", "chacha20")
        done = self.run_tool(CAT, url, "--suite", "aes256", "--timeout", "1200ms")
        self.assertEqual(done.returncode, 4, done.stderr)
        self.assertIn("no cipher suite in common", done.stderr.decode())

    def test_mxp_perf_meets_a_server_of_either_suite(self):
        for suite in ("chacha20", "aes256"):
            with self.subTest(suite):
                url = self.serve(PERF, "server", "127.0.0.1:0", "--suite", suite)
                done = self.run_tool(PERF, "client", url, "--duration", "300ms", "--json")
                self.assertEqual(done.returncode, 0, done.stderr)
                self.assertEqual(json.loads(done.stdout)["config"].get("suite", suite), suite)


if __name__ == "__main__":
    side_by_side.main()
