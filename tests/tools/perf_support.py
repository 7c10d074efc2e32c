"""What the tests of mxp-perf share: the tool, its server, a relay in front of it, and cases that run at the same time."""
import contextlib
import os
import re
import signal
import subprocess
from concurrent.futures import ThreadPoolExecutor

PERF, NETEM = (os.path.join(os.environ["MXP_BIN"], name) for name in ("mxp-perf", "mxp-netem"))


def perf(*arguments, timeout=60, **options):
    return subprocess.run([PERF, *map(str, arguments)], capture_output=True, text=True, timeout=timeout, **options)


def start(*arguments, **options):
    """The tool as a process of its own, for what happens while it runs."""
    return subprocess.Popen([PERF, *map(str, arguments)], **{"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True, **options})


def at_once(function, cases, at_a_time=None):
    """function(*case) of each, all at the same time: for tests that mostly wait. The results in the order of the cases."""
    with ThreadPoolExecutor(at_a_time or len(cases)) as pool:
        return [future.result() for future in [pool.submit(function, *case) for case in cases]]


class Server:
    """A server on a port of the kernel's choice; its URL."""

    def __init__(self, *arguments, address="127.0.0.1:0"):
        self.process = start("server", address, *arguments)
        line = self.process.stderr.readline()
        self.url = re.fullmatch(r"listening (mxp://[A-Za-z0-9_-]{43}@127\.0\.0\.1:\d+)\n", line)[1]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        self.output = self.process.communicate(timeout=20)


@contextlib.contextmanager
def relayed(url, *link):
    """The URL by which a client goes to the server over what mxp-netem's words say."""
    target = url.rsplit("@", 1)[1]
    with subprocess.Popen([NETEM, "-l", "127.0.0.1:0", "-t", target, "--quiet", *link], stderr=subprocess.PIPE, text=True) as relay:
        try:
            yield url.replace(target, re.match(r"relaying (\S+) ->", relay.stderr.readline())[1])
        finally:
            relay.send_signal(signal.SIGTERM)
