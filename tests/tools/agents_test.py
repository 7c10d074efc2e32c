#!/usr/bin/env python3
"""The three programs of examples/agents over links that delay and lose: what comes back is exact, whatever the links do.

MXP_BIN is the folder with the built tools; the examples are beside it."""
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import unittest
from collections import Counter
from pathlib import Path

import side_by_side

BIN = Path(os.environ["MXP_BIN"]).resolve()
NETEM = BIN / "mxp-netem"
EXAMPLES = BIN.parent / "examples"
LIMIT = 60
LOSSY = ("delay", "20ms", "5ms", "loss", "5%", "rate", "20mbit")


def report(lines):
    """What caller.cpp says of a report that is whole. FNV-1a of the text, computed here once more; an event for each 500 lines."""
    digest, text = 0xCBF29CE484222325, b"".join(b"line %d of %d\n" % (number + 1, lines) for number in range(lines))
    for byte in text:
        digest = (digest ^ byte) * 0x100000001B3 % 2**64
    return f"{len(text)} bytes, digest {digest:016x}, {-(-lines // 500)} events"


@unittest.skipUnless(NETEM.exists() and (EXAMPLES / "agents_worker").exists(), "mxp-netem or the examples are not built")
class Agents(unittest.TestCase):
    def setUp(self):
        self.folder = Path(tempfile.mkdtemp())
        self.addCleanup(shutil.rmtree, self.folder)

    def start(self, *command, ready_on="stdout"):
        """A program that is ended with the test, and its first line on that stream."""
        process = subprocess.Popen([str(word) for word in command], stdin=subprocess.DEVNULL, text=True,
                                   **{"stdout": subprocess.PIPE, ready_on: subprocess.PIPE})
        self.addCleanup(self.end, process)
        return process, getattr(process, ready_on).readline().strip()

    @staticmethod
    def end(process, how=signal.SIGTERM):
        """What it had still to say on stdout. A second call does nothing."""
        if process.stdout.closed:
            return ""
        process.send_signal(how)
        return process.communicate(timeout=LIMIT)[0]

    def relay(self, target, seed, *link):
        """The address of a link to `target`, and a function that ends it and says how many packets it lost."""
        stats = self.folder / f"link-{seed}.json"
        process, line = self.start(NETEM, "-l", "127.0.0.1:0", "-t", target, "--seed", seed, "--stats", stats, *link,
                                   ready_on="stderr")
        address = re.search(r"relaying (\S+) ->", line)[1]

        def lost():
            self.end(process)
            told = json.loads(stats.read_text())
            return told["up"]["lost"] + told["down"]["lost"]
        return address, lost

    def scene(self, lifetime, *link):
        """A registry, and a worker that callers reach through a link. The registry's URL leads through another one."""
        self.registry, url = self.start(EXAMPLES / "agents_registry", "127.0.0.1:0", lifetime)
        key, address = url.rsplit("@", 1)
        to_registry, self.lost_to_registry = self.relay(address, 1, *link)
        self.url = f"{key}@{to_registry}"
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as free:
            free.bind(("127.0.0.1", 0))
            listen = "127.0.0.1:%d" % free.getsockname()[1]
        to_worker, self.lost_to_worker = self.relay(listen, 2, *link)
        self.worker, said = self.start(EXAMPLES / "agents_worker", self.url, listen, to_worker)
        self.assertEqual(said, "registered")
        self.assertEqual(self.registry.stdout.readline().strip(), "1 agents")

    def call(self, *jobs):
        return subprocess.run([EXAMPLES / "agents_caller", self.url, *jobs], capture_output=True, text=True, timeout=LIMIT)

    def test_over_lossy_links_each_call_ends_once_and_as_it_should(self):
        self.scene(3, *LOSSY)
        answers = {f"capitals=word {number}": f"WORD {number}" for number in range(300)}
        answers |= {f"nap={number}": "awake" for number in range(100, 110)}
        answers |= {"nap=30000": "timed out", "wake=2000": "taken back", "wake=3000": "taken back"}
        answers |= {f"report={lines}": report(lines) for lines in (0, 1, 700, 20000, 20001)}
        done = self.call(*answers)
        self.assertEqual(done.stderr, "")
        self.assertEqual(Counter(done.stdout.splitlines()), Counter(f"{job}: {answer}" for job, answer in answers.items()))
        self.assertEqual(done.returncode, 1, "a call has timed out")
        self.assertGreater(self.lost_to_worker(), 10)
        # The caller has had each answer once; that none was sent in vain, and that the worker knows what is not wanted:
        self.assertEqual(self.end(self.worker), "315 calls answered, 3 given up\n")
        # It has left in order, which its link to the registry was still there for.
        self.assertEqual(self.registry.stdout.readline().strip(), "0 agents")

    def test_work_that_is_all_done_exits_with_0(self):
        self.scene(3)
        done = self.call("capitals=a", "nap=1", "wake=200", "report=1000")
        self.assertEqual((done.returncode, done.stderr), (0, ""), done.stdout)

    def test_a_worker_that_dies_is_an_error_and_is_found_no_more(self):
        self.scene(2, *LOSSY)
        caller = subprocess.Popen([EXAMPLES / "agents_caller", self.url, "capitals=a", "report=100000000"], text=True,
                                  stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.addCleanup(caller.communicate)
        self.addCleanup(caller.kill)
        self.assertEqual(caller.stdout.readline(), "capitals=a: A\n")  # so it is in the middle of its work
        self.end(self.worker, signal.SIGKILL)
        said, errors = caller.communicate(timeout=LIMIT)
        self.assertEqual((said, errors, caller.returncode), ("report=100000000: unknown\n", "error: the worker is gone\n", 1))
        # Its heartbeats stay away, so the registry forgets it.
        self.assertEqual(self.registry.stdout.readline().strip(), "0 agents")
        done = self.call("capitals=b")
        self.assertEqual((done.stdout, done.stderr, done.returncode), ("", "error: no agent offers this work\n", 1))
        self.assertGreater(self.lost_to_registry(), 0)

    def test_a_worker_stays_registered_longer_than_its_lifetime(self):
        self.scene(1)
        done = self.call("wake=3000")  # after 1.5 s
        self.assertEqual(done.returncode, 0, done.stderr)
        done = self.call("capitals=still here")
        self.assertEqual(done.stdout, "capitals=still here: STILL HERE\n")

    def test_a_caller_that_dies_leaves_no_work_behind(self):
        self.scene(3)
        caller = subprocess.Popen([EXAMPLES / "agents_caller", self.url, "capitals=a", "wake=100000", "report=100000000"],
                                  text=True, stdout=subprocess.PIPE)
        self.assertEqual(caller.stdout.readline(), "capitals=a: A\n")
        caller.kill()
        caller.communicate()
        # The worker notices after three seconds of silence. Until then it goes on, as it must.
        done = self.call("wake=10000")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(self.end(self.worker), "1 calls answered, 3 given up\n")


class Usage(unittest.TestCase):
    @unittest.skipUnless((EXAMPLES / "agents_worker").exists(), "the examples are not built")
    def test_what_makes_no_sense_is_refused(self):
        key = "A" * 43
        for program, *words in (("registry", "here"), ("registry", "127.0.0.1:0", "0"), ("registry", "127.0.0.1:0", "2x"),
                                ("worker",), ("worker", "mxp://127.0.0.1:9000"), ("worker", f"mxp://{key}@127.0.0.1:1", "there"),
                                ("caller",), ("caller", f"mxp://{key}@127.0.0.1:1"),
                                ("caller", f"mxp://{key}@127.0.0.1:1", "nap=long"), ("caller", f"mxp://{key}@127.0.0.1:1", "sing=1")):
            with self.subTest(program=program, words=words):
                done = subprocess.run([EXAMPLES / f"agents_{program}", *words], capture_output=True, text=True, timeout=LIMIT)
                self.assertEqual(done.returncode, 2)
                self.assertRegex(done.stderr, f"^usage: agents_{program} ")


if __name__ == "__main__":
    side_by_side.main()
