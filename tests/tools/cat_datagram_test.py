#!/usr/bin/env python3
"""mxp-cat --datagram: lines that may be lost, what is said of those, and how both sides end all the same."""
import json
import re
import socket
import struct
import subprocess
import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
from cat_test import CAT, LIMIT, NETEM, CatTest, content  # noqa: E402

LINES = b"".join(b"line %d\n" % i for i in range(1000))


class Datagrams(CatTest):
    def both(self, given, *more, listener=(), answer=b""):
        """What the client was given, and what the listener printed; with both stderrs."""
        listening = self.listener("--datagram", *listener, stdin=subprocess.PIPE)
        listening.process.stdin.write(answer)
        listening.process.stdin.close()
        done = self.cat(listening.url, "--datagram", *more, input=given)
        code, out, err = listening.finish()
        self.assertEqual((done.returncode, code), (0, 0), done.stderr.decode() + err)
        return out, done.stdout, done.stderr.decode(), err

    def test_each_line_is_a_datagram_both_ways(self):
        out, back, err, _ = self.both(LINES, answer=b"one\n\ntwo\nlast without an end")
        self.assertEqual(out, LINES)
        self.assertEqual(back, b"one\n\ntwo\nlast without an end\n")
        self.assertIn("datagrams: 1000 sent (1000 acknowledged, 0 lost), 4 received", err)

    def test_the_largest_line_goes_and_one_byte_more_is_2_with_the_limit(self):
        out, *_ = self.both(b"x" * 1170 + b"\n")
        self.assertEqual(len(out), 1171)
        for given, before, which in ((b"a\nb\n" + b"x" * 1171 + b"\nnever", b"a\nb\n", "line 3 of stdin has 1171 bytes"), (b"x" * 5_000_000, b"", "line 1 of stdin has 5000000 bytes")):
            listening = self.listener("--datagram")
            self.fails(self.cat(listening.url, "--datagram", input=given), 2, which, "a datagram takes at most 1170")
            self.assertEqual(listening.finish()[:2], (0, before))  # what stood before it was sent

    def test_raw_input_is_cut_to_what_fits(self):
        given = content(100_000)
        out, *_ = self.both(given, "--frame", "raw", listener=("--frame", "raw"))
        self.assertEqual(out, given)

    def test_zero_bytes_frame_too(self):
        out, *_ = self.both(b"a\nb\0\0c\0", "--frame", "nul", listener=("--frame=nul",))
        self.assertEqual(out, b"a\nb\0\0c\0")

    def test_lengths_frame_too(self):
        payloads = [b"", b"a\nb", b"\0", content(1170)]
        given = b"".join(struct.pack("<I", len(each)) + each for each in payloads)
        out, *_ = self.both(given, "--frame", "len", listener=("--frame", "len"))
        self.assertEqual(out, given)
        listening = self.listener("--datagram", "--frame", "len")
        self.fails(self.cat(listening.url, "--datagram", "--frame", "len", input=given + b"\5\0\0\0four"), 2, "stdin ends within datagram 5")
        self.assertEqual(listening.finish()[:2], (0, given))

    def test_lost_ones_are_counted_and_the_rest_arrives_once(self):
        listening = self.listener("--datagram")
        relay = subprocess.Popen([NETEM, "-l", "127.0.0.1:0", "-t", f"127.0.0.1:{listening.port}", "--up", "loss 10% mtu 1500", "--seed", "3"],
                                 stderr=subprocess.PIPE, stdout=subprocess.DEVNULL)
        self.processes.append(relay)
        port = int(re.search(rb"relaying 127\.0\.0\.1:(\d+) ", relay.stderr.readline())[1])
        url = listening.url.replace(f":{listening.port}", f":{port}")
        # One in each packet, so that many packets are lost.
        lines = [b"%04d" % i + b"." * 1100 for i in range(1000)]
        done = self.cat(url, "--datagram", input=b"\n".join(lines) + b"\n")
        code, out, _ = listening.finish()
        self.assertEqual((done.returncode, code), (0, 0), done.stderr)
        found = re.search(r"datagrams: 1000 sent \((\d+) acknowledged, (\d+) lost", done.stderr.decode())
        acknowledged, lost = int(found[1]), int(found[2])
        self.assertEqual(acknowledged + lost, 1000)
        self.assertTrue(50 <= lost <= 170, lost)
        arrived = out.splitlines()
        self.assertEqual(len(arrived), len(set(arrived)))
        self.assertTrue(set(arrived) <= set(lines))
        self.assertTrue(acknowledged <= len(arrived) < 1000, f"{acknowledged} of {len(arrived)}")

    def test_both_sides_need_it(self):
        listening = self.listener("--datagram")
        self.assertIn(self.cat(listening.url, input=b"x").returncode, (1, 5))
        self.assertEqual(listening.finish()[0], 1)
        self.assertIn("takes no datagrams: start both sides with --datagram", listening.errors.read_text())
        listening = self.listener()
        self.fails(self.cat(listening.url, "--datagram", input=b"x"), 1, "takes no datagrams: start both sides with --datagram")

    def test_a_listener_that_keeps_open_serves_one_client_after_the_other(self):
        listening = self.listener("--datagram", "--keep-open")
        for i in range(3):
            done = self.cat(listening.url, "--datagram", input=b"from %d\n" % i)
            self.assertEqual(done.returncode, 0, done.stderr)
        self.wait_for(lambda: listening.output.read_bytes().count(b"\n") == 3, "three lines")
        self.assertEqual(sorted(listening.output.read_bytes().split()), sorted(b"from 0 from 1 from 2".split()))
        listening.process.terminate()
        self.assertEqual(listening.finish()[0], 130)

    def test_without_stdin_it_only_receives(self):
        listening = self.listener("--datagram", stdin=subprocess.PIPE)
        client = self.start(listening.url, "--datagram", "--no-stdin", stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        for i in range(3):
            listening.process.stdin.write(b"%d\n" % i)
            listening.process.stdin.flush()
            self.assertEqual(client.stdout.readline(), b"%d\n" % i)  # each as it comes
        listening.process.stdin.close()
        self.assertEqual(client.wait(LIMIT), 0)
        self.assertEqual(listening.finish()[0], 0)

    def test_json_counts_them(self):
        log = self.folder / "log.json"
        self.both(b"a\nb\n", f"--json={log}")
        stats = [event for event in map(json.loads, log.read_text().splitlines()) if event["event"] == "stats"][0]
        self.assertEqual([stats[f"datagrams_{word}"] for word in ("sent", "acknowledged", "lost", "not_sent", "received")], [2, 2, 0, 0, 0])

    def test_what_does_not_go_together_is_2(self):
        url = f"mxp://{'A' * 43}@127.0.0.1:9"
        for arguments, words in ((["--datagram", "--send", "x"], "--datagram excludes"), (["--datagram", "--recv", "x"], "--datagram excludes"),
                                 (["--frame", "line"], "--frame line needs --message, --datagram or --streams"), (["--datagram", "--frame", "words"], "--frame"), (["--datagram", "--digest"], "--digest excludes")):
            self.fails(self.cat(url, *arguments), 2, words)
        self.fails(self.cat("listen", "0", "--datagram", "--echo"), 2, "--datagram excludes")


if __name__ == "__main__":
    unittest.main()
