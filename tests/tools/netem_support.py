"""What the tests of mxp-netem share: the tool, programs that end with their test, and a server that sends back what it gets."""
import json
import os
import signal
import socket
import subprocess
import threading

NETEM = os.path.join(os.environ["MXP_BIN"], "mxp-netem")


def spawn(case, *command, **options):
    """A program that ends with its test. Unbuffered: what readline() would read ahead, communicate() would never see."""
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, bufsize=0, **options)

    def end():
        if process.poll() is None:
            process.kill()
            process.communicate()
        for stream in (process.stdin, process.stdout, process.stderr):
            if stream:
                stream.close()
    case.addCleanup(end)
    return process


def report_of(case, process):
    """What a relay with `--stats -` has to say at its end, which this is."""
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=30)
    case.assertEqual(process.returncode, 130, err)
    return json.loads(out)


class Echo:
    """A UDP server that sends back what it gets, and remembers it and from where."""

    def __init__(self, host="127.0.0.1", family=socket.AF_INET):
        self.socket = socket.socket(family, socket.SOCK_DGRAM)
        self.socket.bind((host, 0))
        self.port = self.socket.getsockname()[1]
        self.received = []
        self.peers = []
        self.thread = threading.Thread(target=self._serve, daemon=True)
        self.thread.start()

    def _serve(self):
        while True:
            try:
                data, peer = self.socket.recvfrom(65535)
            except OSError:
                return
            if data == b"stop":
                return
            self.received.append(data)
            self.peers.append(peer)
            self.socket.sendto(data, peer)

    def close(self):
        with socket.socket(self.socket.family, socket.SOCK_DGRAM) as poke:
            poke.sendto(b"stop", self.socket.getsockname())
        self.thread.join(20)
        self.socket.close()
