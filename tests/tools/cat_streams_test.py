#!/usr/bin/env python3
"""mxp-cat --streams: frames dealt over several streams, each written whole, none lost and none twice, whatever the link does."""
import json
import re
import struct
import subprocess
import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
from cat_test import LIMIT, NETEM, CatTest, content  # noqa: E402

LINES = [b"%d" % number for number in range(20_000)]


def joined(lines):
    return b"".join(line + b"\n" for line in lines)


class Streams(CatTest):
    def in_order_within_streams(self, out, count):
        """Line n goes over stream n modulo `count` as long as each has room."""
        for stream in range(count):
            own = [line for line in out if int(line) % count == stream]
            self.assertEqual(own, LINES[stream::count])

    def test_lines_of_both_sides_arrive_whole_and_once(self):
        listening = self.listener("--streams", "16", stdin=subprocess.PIPE)
        listening.process.stdin.write(joined(LINES[:1000]))
        listening.process.stdin.close()
        log = self.folder / "log.json"
        done = self.cat(listening.url, "--streams", "7", f"--json={log}", input=joined(LINES))
        code, out, err = listening.finish()
        self.assertEqual((done.returncode, code), (0, 0), done.stderr.decode() + err)
        self.in_order_within_streams(out.splitlines(), 7)
        self.assertEqual(sorted(done.stdout.splitlines()), sorted(LINES[:1000]))
        events = [json.loads(line) for line in log.read_text().splitlines()]
        self.assertEqual(len([each for each in events if each["event"] == "stream_opened"]), 7)
        self.assertEqual(len([each for each in events if each["event"] == "fin"]), 14)

    def test_what_is_lost_holds_up_its_own_stream_only(self):
        listening = self.listener("--streams", "4")
        relay = subprocess.Popen([NETEM, "-l", "127.0.0.1:0", "-t", f"127.0.0.1:{listening.port}", "delay 20ms loss 5% rate 20mbit", "--seed", "3"],
                                 stderr=subprocess.PIPE, stdout=subprocess.DEVNULL)
        self.processes.append(relay)
        port = int(re.search(rb"relaying 127\.0\.0\.1:(\d+) ", relay.stderr.readline())[1])
        url = listening.url.replace(f":{listening.port}", f":{port}")
        done = self.cat(url, "--streams", "4", input=joined(LINES))
        code, out, err = listening.finish()
        self.assertEqual((done.returncode, code), (0, 0), done.stderr.decode() + err)
        self.in_order_within_streams(out.splitlines(), 4)
        self.assertNotEqual(out.splitlines(), LINES, "nothing has overtaken anything")

    def test_frames_with_newlines_go_with_their_lengths_or_end_with_zeros(self):
        payloads = [b"", b"a\nb", b"\0\0", content(128 << 10)]
        data = b"".join(struct.pack("<I", len(each)) + each for each in payloads)
        listening = self.listener("--streams", "4", "--frame", "len")
        done = self.cat(listening.url, "--streams", "3", "--frame", "len", input=data)
        self.assertEqual(done.returncode, 0, done.stderr)
        out, got = listening.finish()[1], []
        while out:
            size = struct.unpack_from("<I", out)[0]
            got.append(out[4:4 + size])
            out = out[4 + size:]
        self.assertEqual(sorted(got), sorted(payloads))

        listening = self.listener("--streams", "4", "--frame", "nul")
        self.assertEqual(self.cat(listening.url, "--streams", "2", "--frame", "nul", input=b"one\ntwo\0three").returncode, 0)
        self.assertEqual(sorted(listening.finish()[1].split(b"\0")), [b"", b"one\ntwo", b"three"])

    def test_an_echo_needs_nothing_for_it(self):
        listening = self.listener("--echo")
        done = self.cat(listening.url, "--streams", "5", input=joined(LINES))
        self.assertEqual(done.returncode, 0, done.stderr)
        self.in_order_within_streams(done.stdout.splitlines(), 5)
        self.assertEqual(listening.finish()[0], 0)

    def test_a_stdout_that_is_not_read_loses_nothing(self):
        listening = self.listener("--streams", "4", stdout=subprocess.PIPE)
        lines = [b"%d %s" % (number, b"." * 1000) for number in range(5000)]
        client = self.start(listening.url, "--streams", "4", stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        client.stdin.write(joined(lines[:3000]))  # more than all buffers on the way to stdout
        out = listening.process.stdout
        got = [out.readline() for _ in range(10)]
        client.stdin.write(joined(lines[3000:]))
        client.stdin.close()
        got += out.readlines()
        self.assertEqual(client.wait(LIMIT), 0)
        self.assertEqual(listening.process.wait(LIMIT), 0)
        self.assertEqual(sorted(got), sorted(line + b"\n" for line in lines))

    def test_one_client_after_the_other(self):
        listening = self.listener("--streams", "4", "--keep-open", "--no-stdin")
        first = self.start(listening.url, "--streams", "2", stdin=subprocess.PIPE, stdout=subprocess.DEVNULL)
        first.stdin.write(b"first\n")
        first.stdin.flush()
        self.wait_for(lambda: listening.output.read_bytes() == b"first\n", "the first line")
        waiting = [self.start(listening.url, "--streams", "3", stdin=subprocess.PIPE, stdout=subprocess.DEVNULL) for _ in range(2)]
        waiting[0].stdin.write(b"second\n")
        for client in waiting:
            client.stdin.close()
        first.stdin.close()
        self.assertEqual([client.wait(LIMIT) for client in (first, *waiting)], [0, 0, 0])
        self.assertEqual(listening.output.read_bytes(), b"first\nsecond\n")

    def test_a_line_beyond_the_limit_is_2_and_what_was_before_arrives(self):
        listening = self.listener("--streams", "4")
        done = self.cat(listening.url, "--streams", "2", input=b"first\n" + b"x" * 131_073 + b"\nnever\n")
        self.fails(done, 2, "line 2 of stdin has 131073 bytes, and a frame takes at most 131072")
        self.assertEqual(listening.finish()[:2], (0, b"first\n"))

    def test_another_framing_is_an_error_that_says_so(self):
        listening = self.listener("--streams", "4", "--frame", "len")
        self.assertNotEqual(self.cat(listening.url, "--streams", "2", input=b"no length\n").returncode, 0)
        code, _, err = listening.finish()
        self.assertEqual(code, 1)
        self.assertIn("do both sides have the same --frame?", err)

        listening = self.listener("--streams", "4", "--frame", "len")
        self.assertNotEqual(self.cat(listening.url, "--streams", "2", "--frame", "nul", input=b"\1").returncode, 0)
        self.assertIn("a frame that ends before its length", listening.finish()[2])

    def test_a_listener_takes_no_more_streams_than_it_says(self):
        listening = self.listener("--streams", "2")
        self.fails(self.cat(listening.url, "--streams", "3", input=b"a\nb\nc\n"), 5, "reset the stream: it expects no such stream")
        self.assertNotEqual(listening.finish()[0], 0)

    def test_what_does_not_go_together_is_2(self):
        url = f"mxp://{'A' * 43}@127.0.0.1:9"
        for arguments, words in ((["--datagram"], "--streams excludes"), (["--message", "Event"], "--streams excludes"), (["--send", "x"], "--streams excludes"),
                                 (["--recv", "x"], "--streams excludes"), (["--digest"], "--digest excludes"), (["--frame", "raw"], "--frame raw cannot be put together")):
            self.fails(self.cat(url, "--streams", "2", *arguments), 2, words)
        for count in ("0", "257", "-1", "many"):
            self.fails(self.cat(url, "--streams", count), 2, "--streams")
        self.fails(self.cat("listen", "0", "--streams", "2", "--echo"), 2, "--streams excludes")


if __name__ == "__main__":
    unittest.main()
