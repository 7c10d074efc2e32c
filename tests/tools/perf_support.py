"""What the tests of mxp-perf share: the tool, its server, and cases that run at the same time."""
import os
import re
import signal
import subprocess
from concurrent.futures import ThreadPoolExecutor

PERF = os.path.join(os.environ["MXP_BIN"], "mxp-perf")


def perf(*arguments, timeout=60, **options):
    return subprocess.run([PERF, *map(str, arguments)], capture_output=True, text=True, timeout=timeout, **options)


def at_once(function, cases):
    """function(*case) of each, all at the same time: for tests that mostly wait. The results in the order of the cases."""
    with ThreadPoolExecutor(len(cases)) as pool:
        return [future.result() for future in [pool.submit(function, *case) for case in cases]]


class Server:
    """A server on a port of the kernel's choice; its URL."""

    def __init__(self, *arguments, address="127.0.0.1:0"):
        self.process = subprocess.Popen([PERF, "server", address, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        line = self.process.stderr.readline()
        self.url = re.fullmatch(r"listening (mxp://[A-Za-z0-9_-]{43}@127\.0\.0\.1:\d+)\n", line)[1]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        self.output = self.process.communicate(timeout=20)
