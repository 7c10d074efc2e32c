#!/usr/bin/env python3
"""mxp-cat --message: what is one message, what is printed, what the exit code says, and that no message is lost."""
import signal
import struct
import subprocess
import threading
import unittest

import side_by_side
from cat_test import LIMIT, CatTest, content


class Messages(CatTest):
    def send(self, url, data, *arguments, message="Event"):
        return self.cat(url, "--message", message, *arguments, input=data)

    def test_each_line_is_a_message_and_comes_out_as_a_line(self):
        listener = self.listener("--message", "Event")
        result = self.send(listener.url, b"one\ntwo\n\nlast without an end")
        self.assertEqual(result.returncode, 0, result.stderr)
        code, out, err = listener.finish()
        self.assertEqual(code, 0, err)
        self.assertEqual(out, b"one\ntwo\n\nlast without an end\n")

    def test_messages_of_both_sides_with_their_types_and_ids(self):
        listener = self.listener("--message", "0x80", "-v", stdin=subprocess.PIPE)
        listener.process.stdin.write(b"from there\n")
        listener.process.stdin.close()
        result = self.send(listener.url, b"from here\n", "-v", message="AgentHeartbeat")
        self.assertEqual((result.returncode, result.stdout), (0, b"from there\n"), result.stderr)
        self.assertIn("0x80 1, 10 bytes", result.stderr.decode())
        code, out, err = listener.finish()
        self.assertEqual((code, out), (0, b"from here\n"), err)
        self.assertIn("AgentHeartbeat 1, 9 bytes", err)

    def test_an_echo_answers_a_call_with_a_response_of_the_same_id(self):
        listener = self.listener("--message", "Event", "--echo")
        result = self.send(listener.url, b"what?\nand?\n", "-v", message="Call")
        self.assertEqual((result.returncode, result.stdout), (0, b"what?\nand?\n"), result.stderr)
        self.assertRegex(result.stderr.decode(), r"Response 1, 5 bytes")
        self.assertRegex(result.stderr.decode(), r"Response 2, 4 bytes")
        self.assertEqual(listener.finish()[0], 0)

    def test_payloads_with_newlines_and_zeros_go_with_their_lengths(self):
        payloads = [b"", b"a\nb", b"\0\0", content(1100), content(1101), content(300_000), content(2_000_000)]
        data = b"".join(struct.pack("<I", len(each)) + each for each in payloads)
        listener = self.listener("--message", "Event", "--frame", "len")
        result = self.send(listener.url, data, "--frame", "len")
        self.assertEqual(result.returncode, 0, result.stderr)
        out, got = listener.finish()[1], []
        while out:
            size = struct.unpack_from("<I", out)[0]
            got.append(out[4:4 + size])
            out = out[4 + size:]
        self.assertEqual(got, payloads)

    def test_zero_bytes_end_messages(self):
        listener = self.listener("--message", "Event", "--frame", "nul")
        self.assertEqual(self.send(listener.url, b"one\ntwo\0three", "--frame", "nul").returncode, 0)
        self.assertEqual(listener.finish()[1], b"one\ntwo\0three\0")

    def test_a_line_beyond_the_limit_is_2_and_what_was_sent_before_arrives(self):
        for size in (16_777_217, 20_000_000):
            with self.subTest(size):
                listener = self.listener("--message", "Event")
                result = self.send(listener.url, b"first\nsecond\n" + b"x" * size + b"\nnever\n")
                self.assertEqual(result.returncode, 2, result.stderr)
                self.assertIn(f"line 3 of stdin has {size} bytes, and a message takes at most 16777216", result.stderr.decode())
                code, out, err = listener.finish()
                self.assertEqual((code, sorted(out.splitlines())), (0, [b"first", b"second"]), err)

    def test_the_largest_line_that_fits(self):
        listener = self.listener("--message", "Event")
        self.assertEqual(self.send(listener.url, b"x" * 16_777_216 + b"\n").returncode, 0)
        self.assertTrue(listener.finish()[1] == b"x" * 16_777_216 + b"\n")

    def test_stdin_that_ends_within_a_message_is_2(self):
        for data in (b"\5\0\0\0four", b"\5\0"):
            with self.subTest(data):
                listener = self.listener("--message", "Event", "--frame", "len")
                result = self.send(listener.url, b"\2\0\0\0ok" + data, "--frame", "len")
                self.assertEqual(result.returncode, 2)
                self.assertIn("stdin ends within message 2, which was not sent", result.stderr.decode())
                self.assertEqual(listener.finish()[1], b"\2\0\0\0ok")

    def test_a_hundred_thousand_lines_over_a_slow_reader_each_arrive_once_and_in_order(self):
        lines = [b"line %d of many, none of which may be lost" % i for i in range(100_000)]
        listener = self.listener("--message", "Event", stdout=subprocess.PIPE)
        client = self.start(listener.url, "--message", "Event", stdin=subprocess.PIPE, stderr=subprocess.PIPE)
        # Its pipe is full, and so is everything up to the client's stdin, before anybody reads.
        writer = threading.Thread(target=lambda: (client.stdin.write(b"\n".join(lines) + b"\n"), client.stdin.close()))
        writer.start()
        out = listener.process.stdout.read()
        writer.join()
        self.assertEqual(client.wait(LIMIT), 0, client.stderr.read())
        self.assertEqual(out.splitlines(), lines)
        self.assertEqual(listener.process.wait(LIMIT), 0)

    def test_a_peer_without_message_takes_none(self):
        listener = self.listener()
        result = self.send(listener.url, b"one\n")
        self.assertEqual(result.returncode, 1)
        self.assertIn("takes no messages: start both sides with --message", result.stderr.decode())

    def test_messages_that_were_not_delivered_are_counted(self):
        listener = self.listener("--message", "Event")
        client = self.start(listener.url, "--message", "Event", "--idle-timeout", "1s", stdin=subprocess.PIPE, stderr=subprocess.PIPE)
        client.stdin.write(b"one\n")
        client.stdin.flush()
        self.wait_for(lambda: listener.output.read_bytes() == b"one\n", "the first message")
        listener.process.send_signal(signal.SIGSTOP)
        client.stdin.write(b"two\nthree\n")
        client.stdin.close()
        self.assertEqual(client.wait(LIMIT), 1)
        self.assertRegex(client.stderr.read().decode(), r"; [23] of 3 messages not known to be delivered")
        listener.process.kill()

    def test_what_goes_with_what(self):
        for arguments, says in ((("--frame", "raw", "--message", "Event"), "--frame raw has no messages"),
                                (("--frame", "line"), "--frame line needs --message"),
                                (("--message", "Event", "--datagram"), "--datagram and --message exclude each other"),
                                (("--datagram", "--priority", "critical"), "--priority is of a stream, files or messages"),
                                (("--message", "Nothing"), "--message 'Nothing': no type of messages"),
                                (("--message", "0x7f"), "no type of messages"),
                                (("--message", "0xF0"), "no type of messages"),
                                (("--message", "Event", "--digest"), "--digest is of a stream or files"),
                                (("--message", "Event", "--recv", "x"), "--message excludes --send and --recv"),
                                (("--priority", "urgent"), "--priority"),
                                (("--recv", "x", "--priority", "critical"), "--priority is of what we send")):
            with self.subTest(arguments):
                result = self.cat("mxp://" + "A" * 43 + "@127.0.0.1:1", *arguments, stdin=subprocess.DEVNULL)
                self.assertEqual(result.returncode, 2, result.stderr)
                self.assertIn(says, result.stderr.decode())

    def test_a_stream_and_files_of_a_class_arrive(self):
        listener = self.listener()
        result = self.cat(listener.url, "--priority", "background", input=b"text")
        self.assertEqual((result.returncode, listener.finish()[1]), (0, b"text"), result.stderr)


if __name__ == "__main__":
    side_by_side.main()
