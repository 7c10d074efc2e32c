#!/usr/bin/env python3
"""How sessions of mxp-cat end: who may end what, what is said of it, and that nothing is lost or left behind."""
import fcntl
import json
import os
import pty
import re
import select
import signal
import socket
import struct
import subprocess
import termios
import time
import unittest
from pathlib import Path

import side_by_side
from cat_test import CAT, LIMIT, CatTest, content
from sanitized import SANITIZED

PIPES = dict(stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def bytes_in(pipe):
    return struct.unpack("i", fcntl.ioctl(pipe, termios.FIONREAD, bytes(4)))[0]


def is_full(pipe):
    """Whether who writes has to wait. The bytes do not tell: small writes leave room in each of the pages of a pipe."""
    writer = os.open(f"/proc/self/fd/{pipe}", os.O_WRONLY | os.O_NONBLOCK)
    try:
        return not select.select([], [writer], [], 0)[1]
    finally:
        os.close(writer)


class SessionTest(CatTest):
    def tearDown(self):
        # With a sanitizer a fault ends a process with a code that a test may expect for another reason.
        said = [path.read_text(errors="replace") for path in self.folder.glob("*.err")]
        super().tearDown()
        for text in said:
            self.assertNotIn("Sanitizer", text)

    def client(self, url, *arguments, **options):
        """A client whose stderr goes into a file, which can be read at any time."""
        path = self.folder / f"client-{len(self.processes)}.err"
        with open(path, "wb") as errors:
            process = self.start(url, *arguments, stderr=errors, **options)
        process.errors = path
        return process

    def wait_until_said(self, path, words):
        self.wait_for(lambda: words in path.read_text(), f"{words!r} in {path.read_text()!r}")


class EndOfStream(SessionTest):
    """docs/file-transfer.md §1."""

    def test_a_late_writer_is_heard_by_a_listener_that_says_nothing(self):
        listener = self.listener()  # its stdin is /dev/null, so its end comes first
        client = self.client(listener.url, "-vv", stdin=subprocess.PIPE, stdout=subprocess.DEVNULL)
        self.wait_until_said(client.errors, "ended (peer)")
        time.sleep(1.2)  # not for a race: longer than any pause that a program may make was allowed to be
        client.stdin.write(b"late\n")
        client.stdin.close()
        self.assertEqual(client.wait(LIMIT), 0, client.errors.read_text())
        self.assertEqual(listener.finish()[:2], (0, b"late\n"))

    def test_a_program_is_heard_to_its_end_after_the_answer(self):
        with open(self.write("answer", b"answer\n"), "rb") as stdin:
            listener = self.listener(stdin=stdin)
        client = self.client(listener.url, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        client.stdin.write(b"one\n")
        client.stdin.flush()
        self.assertEqual(client.stdout.read(7), b"answer\n")
        client.stdin.write(b"two\n")
        client.stdin.close()
        self.assertEqual(client.wait(LIMIT), 0, client.errors.read_text())
        self.assertEqual(listener.finish()[:2], (0, b"one\ntwo\n"))

    def test_a_listeners_program_is_heard_to_its_end_too(self):
        listener = self.listener("-vv", stdin=subprocess.PIPE)
        client = self.client(listener.url, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
        self.wait_until_said(listener.errors, "ended (peer)")
        listener.process.stdin.write(b"late\n")
        listener.process.stdin.close()
        self.assertEqual(client.stdout.read(), b"late\n")
        self.assertEqual((client.wait(LIMIT), listener.process.wait(LIMIT)), (0, 0))

    def test_a_file_goes_over_whole_whoever_ends_first(self):
        data = content(3_000_000)
        listener = self.listener()
        with open(self.write("source", data), "rb") as stdin:
            result = self.cat(listener.url, stdin=stdin)
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertEqual(listener.finish()[:2], (0, data))

    def at_a_terminal(self, *arguments):
        listener = self.listener("--no-stdin")
        controller, terminal = pty.openpty()
        self.addCleanup(os.close, controller)
        self.addCleanup(os.close, terminal)
        os.write(controller, b"typed\n")
        client = self.client(listener.url, "-vv", *arguments, stdin=terminal, stdout=subprocess.DEVNULL)
        return listener, controller, client

    def test_the_peers_end_ends_a_session_at_a_terminal_with_a_note(self):
        listener, _, client = self.at_a_terminal()
        self.assertEqual(client.wait(LIMIT), 0, client.errors.read_text())
        self.assertIn("the peer ended, which ends a session at a terminal (--half-close keeps it open)", client.errors.read_text())
        self.assertEqual(listener.finish()[:2], (0, b"typed\n"))

    def test_half_close_keeps_a_terminals_session_open(self):
        listener, controller, client = self.at_a_terminal("--half-close")
        self.wait_until_said(client.errors, "ended (peer)")
        os.write(controller, b"more\n\x04")
        self.assertEqual(client.wait(LIMIT), 0, client.errors.read_text())
        self.assertNotIn("the peer ended", client.errors.read_text())
        self.assertEqual(listener.finish()[:2], (0, b"typed\nmore\n"))

    def test_end_together_ends_a_pipe_with_the_peer_and_says_so(self):
        listener = self.listener()
        client = self.client(listener.url, "--end-together", stdin=subprocess.PIPE, stdout=subprocess.DEVNULL)
        self.assertEqual(client.wait(LIMIT), 0, client.errors.read_text())
        self.assertIn("stdin was not read to its end (--end-together)", client.errors.read_text())
        self.assertEqual(listener.finish()[0], 0)

    def test_end_together_takes_what_has_arrived_and_is_silent_where_that_was_all(self):
        with open(self.write("answer", b"answer\n"), "rb") as stdin:
            listener = self.listener(stdin=stdin)
        result = self.cat(listener.url, "--end-together", input=b"question\n")
        self.assertEqual((result.returncode, result.stdout), (0, b"answer\n"), result.stderr)
        self.assertNotIn(b"--end-together", result.stderr)
        self.assertEqual(listener.finish()[:2], (0, b"question\n"))

    def test_end_together_ends_an_endless_stdin(self):
        with open(self.write("answer", b"enough\n"), "rb") as stdin:
            listener = self.listener(stdin=stdin)
        with open("/dev/zero", "rb") as zeros:
            result = self.cat(listener.url, "--end-together", stdin=zeros)
        self.assertEqual((result.returncode, result.stdout), (0, b"enough\n"), result.stderr)
        self.assertEqual(listener.finish()[0], 0)

    def test_no_stdin_ends_our_side_at_once_and_of_those_who_wait_in_their_turn(self):
        # A client that saw our end while it waited had everything acknowledged by a transport that nobody read, and exited with 0.
        listener = self.listener("--keep-open", "--no-stdin")
        first = self.client(listener.url, "-vv", stdin=subprocess.PIPE, stdout=subprocess.DEVNULL)
        self.wait_until_said(first.errors, "ended (peer)")
        second = self.client(listener.url, "-vv", stdin=subprocess.PIPE, stdout=subprocess.DEVNULL)
        second.stdin.write(b"second\n")
        second.stdin.close()
        self.wait_until_said(second.errors, "ended (local)")
        with self.assertRaises(subprocess.TimeoutExpired):
            second.wait(1)
        self.assertNotIn("ended (peer)", second.errors.read_text())
        first.stdin.write(b"first\n")
        first.stdin.close()
        self.assertEqual((first.wait(LIMIT), second.wait(LIMIT)), (0, 0))
        self.wait_for(lambda: listener.output.read_bytes() == b"first\nsecond\n", "both in their order")

    def test_who_waits_for_a_turn_that_never_comes_does_not_exit_with_0(self):
        listener = self.listener("--keep-open", "--no-stdin")
        first = self.client(listener.url, "-vv", stdin=subprocess.PIPE, stdout=subprocess.DEVNULL)
        self.wait_until_said(first.errors, "ended (peer)")
        second = self.client(listener.url, "-vv", stdin=subprocess.PIPE, stdout=subprocess.DEVNULL)
        second.stdin.write(b"second\n")
        second.stdin.close()
        self.wait_until_said(second.errors, "ended (local)")
        listener.process.terminate()
        self.assertNotEqual(second.wait(LIMIT), 0, second.errors.read_text())

    def test_the_ways_to_treat_stdin_exclude_each_other(self):
        for pair in (["--half-close", "--end-together"], ["--half-close", "--no-stdin"], ["--end-together", "--no-stdin"]):
            self.fails(self.cat("listen", "0", *pair), 2, "exclude each other")
        self.fails(self.cat("listen", "0", "--echo", "--end-together"), 2, "stdin")


class PeerStops(SessionTest):
    """What ends our sending although our stdin, a pipe, is open: the peer's codes arrive."""

    def waits_for_the_end_of(self, client, *words):
        self.assertEqual(client.wait(LIMIT), 5, client.errors.read_text())
        for word in words:
            self.assertIn(word, client.errors.read_text())

    def test_stop_sending(self):
        reader, writer = os.pipe()
        listener = self.listener("--half-close", stdin=subprocess.PIPE, stdout=writer)
        os.close(writer)
        os.close(reader)
        client = self.client(listener.url, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL)
        client.stdin.write(b"to nobody\n")
        client.stdin.flush()
        self.waits_for_the_end_of(client, "its output failed")
        self.assertEqual(listener.finish()[0], 1)

    def test_reset(self):
        folder = os.open(self.folder, os.O_RDONLY)  # reading it fails
        listener = self.listener(stdin=folder)
        os.close(folder)
        client = self.client(listener.url, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL)
        self.waits_for_the_end_of(client, "its input failed")
        self.assertEqual(listener.finish()[0], 1)

    def test_close(self):
        listener = self.listener("-v", stdin=subprocess.PIPE)
        client = self.client(listener.url, "-v", stdin=subprocess.PIPE, stdout=subprocess.DEVNULL)
        self.wait_until_said(client.errors, "connected to")
        self.wait_until_said(listener.errors, "connected to")
        listener.process.send_signal(signal.SIGTERM)
        self.waits_for_the_end_of(client, "it was interrupted")
        self.assertEqual(listener.finish()[0], 130)


class Signals(SessionTest):
    def test_hangup_says_goodbye(self):
        listener = self.listener("-v")
        client = self.client(listener.url, "-v", stdin=subprocess.PIPE, stdout=subprocess.DEVNULL)
        self.wait_until_said(listener.errors, "connected to")
        client.send_signal(signal.SIGHUP)
        self.assertEqual(client.wait(LIMIT), 130)
        code, _, errors = listener.finish()
        self.assertEqual(code, 5, errors)
        self.assertIn("it was interrupted", errors)

    def test_a_hangup_said_twice_is_still_a_clean_end(self):
        # As a terminal does that closes: the shell tells its jobs, then the kernel does. The goodbye has to go out.
        listener = self.listener("-v")
        client = self.client(listener.url, "-v", stdin=subprocess.PIPE, stdout=subprocess.DEVNULL)
        self.wait_until_said(listener.errors, "connected to")
        client.send_signal(signal.SIGSTOP)  # so that both are there when it goes on
        client.send_signal(signal.SIGINT)
        client.send_signal(signal.SIGHUP)
        client.send_signal(signal.SIGCONT)
        self.assertEqual(client.wait(LIMIT), 130)
        self.assertIn("sent 0 B", client.errors.read_text())
        self.assertEqual(listener.finish()[0], 5)

    def test_nohup_is_honoured(self):
        listener = self.listener("-v", preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_IGN))
        listener.process.send_signal(signal.SIGHUP)
        self.assertEqual(self.cat(listener.url, input=b"after\n").returncode, 0)
        self.assertEqual(listener.finish()[:2], (0, b"after\n"))


class Limits(SessionTest):
    def test_times_outside_their_range_are_refused_by_the_option(self):
        url = "mxp://" + "A" * 43 + "@127.0.0.1:9"
        for option, value, words in (
            ("--idle-timeout", "1194h", "1ms to 1193h, or 0 for no limit"),
            ("--idle-timeout", "1us", "1ms to 1193h, or 0 for no limit"),
            ("--timeout", "1us", "1ms to 1193h, or 0 for no limit"),
            ("--timeout", "100000h", "1ms to 1193h, or 0 for no limit"),
            ("-q", "0", "1ms to 1193h"),
            ("-q", "1194h", "1ms to 1193h"),
        ):
            for command in (["listen", "0"], ["connect", url]):
                self.fails(self.cat(*command, option, value), 2, option, f"'{value}' is out of range: use {words}")

    def test_the_ends_of_the_ranges_work(self):
        for value in ("0", "1ms", "1193h"):
            listener = self.listener("--idle-timeout", value)
            result = self.cat(listener.url, "--idle-timeout", value, "--timeout", "0", "-q", "1193h", input=b"x")
            self.assertEqual(result.returncode, 0, result.stderr)
            self.assertEqual(listener.finish()[:2], (0, b"x"))

    def test_a_listeners_timeout_is_not_the_clients_handshakes(self):
        listener = self.listener("--timeout", "0")  # no limit, not at once
        self.assertEqual(self.cat(listener.url, input=b"x").returncode, 0)
        self.assertEqual(listener.finish()[:2], (0, b"x"))


class Addresses(SessionTest):
    def test_a_port_alone_takes_ipv4_and_ipv6(self):
        try:
            with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as probe:
                probe.bind(("::1", 0))
        except OSError:
            self.skipTest("no IPv6 loopback")
        listener = self.listener("--keep-open", "--no-stdin", "-v", address="0")
        self.assertEqual(listener.host, "127.0.0.1")
        for host in ("127.0.0.1", "[::1]", "localhost"):
            url = listener.url.replace("127.0.0.1", host)
            self.assertEqual(self.cat(url, input=host.encode() + b"\n").returncode, 0)
        self.wait_for(lambda: listener.output.read_bytes() == b"127.0.0.1\n[::1]\nlocalhost\n", "all three")
        self.assertIn("connected to 127.0.0.1:", listener.errors.read_text())  # not in its mapped form
        self.assertIn("connected to [::1]:", listener.errors.read_text())

    def test_a_listener_that_offers_files_tells_a_client_what_to_add(self):
        listener = self.listener("--send", self.write("file", b"x"))
        result = self.cat(listener.url, input=b"x")
        self.fails(result, 5, "the other needs --recv DIR")


class Idle(SessionTest):
    def test_a_client_that_waits_for_its_turn_costs_little(self):
        count = 40
        listener = self.listener("--keep-open", "-v")

        def memory():
            return int(re.search(r"RssAnon:\s+(\d+) kB", Path(f"/proc/{listener.process.pid}/status").read_text())[1])

        def wait_for_clients(number):
            self.wait_for(lambda: listener.errors.read_text().count("connected to ") == number, f"{number} clients")

        def add():
            self.start(listener.url, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

        add()
        wait_for_clients(1)
        before = memory()
        for _ in range(count):
            add()
        wait_for_clients(1 + count)
        # 13.5 KiB each, nearly all of it the library's. A buffer for stdin, which only the one who has the turn needs, is 64 KiB.
        if not SANITIZED:
            self.assertLess((memory() - before) / count, 40)


class Told(SessionTest):
    def test_thousands_of_failures_of_one_kind_are_not_thousands_of_warnings(self):
        count = 400
        for number in range(count):
            self.write(f"out/{number}", b"x")
            self.write(f"in/out/{number}", b"there before")
        listener = self.listener("--recv", self.folder / "in")
        started = time.monotonic()
        result = self.cat(listener.url, "--send", self.folder / "out")
        self.assertNotEqual(result.returncode, 0)
        allowed = 11 + time.monotonic() - started  # ten at once, then one a second
        code, _, errors = listener.finish()
        self.assertNotEqual(code, 0)
        for text in (result.stderr.decode(), errors):
            self.assertLessEqual(text.count("warning:"), allowed, text)
            self.assertRegex(text, f"{count} (of [0-9]+ were not sent|not)")  # the error counts them all

    def test_events_carry_the_time_at_which_they_happened(self):
        log = self.folder / "events"
        listener = self.listener(f"--json={log}")
        client = self.client(listener.url, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL)
        self.wait_for(lambda: '"stream_opened"' in log.read_text(), "the stream")
        time.sleep(0.6)  # the span that is measured
        client.stdin.close()
        self.assertEqual((client.wait(LIMIT), listener.finish()[0]), (0, 0))
        events = [json.loads(line) for line in log.read_text().splitlines()]
        times = {(event["event"], event.get("by")): event["time"] for event in events}
        self.assertGreaterEqual(times["fin", "peer"] - times["stream_opened", "peer"], 0.6)
        self.assertLess(times["fin", "local"], times["fin", "peer"])
        self.assertEqual([event["time"] for event in events], sorted(event["time"] for event in events))

    def test_a_failure_without_a_connection_has_no_summary(self):
        self.assertNotIn(b"connection in", self.cat("mxp://" + "A" * 43 + "@127.0.0.1:9", "--timeout", "300ms").stderr)

    def test_the_silence_that_is_named_is_the_one_that_was(self):
        listener = self.listener("--idle-timeout", "900ms", "-v", stdin=subprocess.PIPE)
        client = self.client(listener.url, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL)
        # The listener's word counts: a client is connected before its listener is, and a failed handshake is no connection.
        self.wait_until_said(listener.errors, "connected to")
        client.kill()
        code, _, errors = listener.finish()
        self.assertEqual(code, 1)
        told = re.search(r"silence for ([0-9.]+) (m?s), past the idle timeout \(ours is 900\.0 ms", errors)
        self.assertTrue(told, errors)
        # The timer starts again with the keep-alive that followed the last packet: it was silent for longer than 900 ms.
        self.assertGreater(float(told[1]) * (1 if told[2] == "s" else 1e-3), 1.0, errors)

    def test_a_lost_client_of_a_listener_is_named_once(self):
        listener = self.listener("--keep-open", "--no-stdin")
        client = self.client(listener.url, "-v", stdin=subprocess.PIPE, stdout=subprocess.DEVNULL)
        self.wait_until_said(client.errors, "connected to")
        client.send_signal(signal.SIGINT)
        self.assertEqual(client.wait(LIMIT), 130)
        self.wait_until_said(listener.errors, "warning")
        warning = next(line for line in listener.errors.read_text().splitlines() if "warning" in line)
        self.assertEqual(warning.count("127.0.0.1:"), 1, warning)

    def test_progress_of_a_file_on_stdin_moves(self):
        data = content(16 << 20)
        reader, writer = os.pipe()
        listener = self.listener(stdout=writer)
        os.close(writer)
        controller, terminal = pty.openpty()
        with open(self.write("source", data), "rb") as stdin:
            client = self.start(listener.url, "--progress", stdin=stdin, stdout=subprocess.DEVNULL, stderr=terminal)
        os.close(terminal)
        shown = ""
        while not re.search(r"[1-9][0-9.]* [KM]iB  .*  [1-9][0-9]?%", shown):  # what the listener's unread stdout left room for
            shown += os.read(controller, 4096).decode()
        with os.fdopen(reader, "rb") as out:
            self.assertEqual(len(out.read()), len(data))
        self.assertEqual(client.wait(LIMIT), 0)
        os.close(controller)
        self.assertNotIn(" ns left", shown)


class UnreadErrors(SessionTest):
    def test_a_stderr_that_nobody_reads_stops_no_listener(self):
        reader, writer = os.pipe()
        fcntl.fcntl(writer, fcntl.F_SETPIPE_SZ, 4096)
        listener = subprocess.Popen([CAT, "listen", "127.0.0.1:0", "--keep-open", "--no-stdin", "-vv"], stdin=subprocess.DEVNULL,
                                    stdout=subprocess.DEVNULL, stderr=writer, env=self.env)
        self.processes.append(listener)
        os.close(writer)
        url = b""
        while not url.endswith(b"\n"):
            url += os.read(reader, 1)
        url = url.decode().split()[1]
        for _ in range(30):  # each says some 300 bytes at least: twice what the pipe holds
            result = self.cat(url, input=b"x")
            self.assertEqual(result.returncode, 0, result.stderr)
        self.assertGreater(bytes_in(reader), 3500)  # it was full
        listener.send_signal(signal.SIGTERM)
        self.assertEqual(listener.wait(LIMIT), 130)
        os.close(reader)


class UnreadOutput(SessionTest):
    """A session whose stdout nobody reads is still there when the run ends: in the asan preset its parts have to go in order."""

    SIZE = 2_000_000  # more than a pipe and the buffer before it hold

    def blocked_listener(self, *arguments):
        reader, writer = os.pipe()
        self.addCleanup(os.close, reader)
        listener = self.listener("-v", *arguments, stdout=writer)
        os.close(writer)
        return listener, reader

    def test_interrupted_while_the_peer_is_there(self):
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            listener, _ = self.blocked_listener()
            client = self.client(listener.url, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL)
            client.stdin.write(content(100_000))
            client.stdin.flush()
            self.wait_until_said(listener.errors, "connected to")
            listener.process.send_signal(number)
            self.assertEqual(listener.finish()[0], 130)
            self.assertEqual(client.wait(LIMIT), 5, client.errors.read_text())

    def test_interrupted_after_the_peer_has_gone(self):
        listener, reader = self.blocked_listener("--idle-timeout", "1s")
        client = self.client(listener.url, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL)
        client.stdin.write(content(self.SIZE))
        self.wait_for(lambda: is_full(reader), "a full pipe")
        client.kill()
        self.wait_until_said(listener.errors, "received")  # its summary: the connection is over, stdout is not
        listener.process.send_signal(signal.SIGINT)
        self.assertEqual(listener.finish()[0], 130)

    def test_interrupted_while_others_wait_for_their_turn(self):
        listener, _ = self.blocked_listener("--keep-open")
        clients = []
        for _ in range(3):
            client = self.client(listener.url, "-v", stdin=subprocess.PIPE, stdout=subprocess.DEVNULL)
            client.stdin.write(content(100_000))
            client.stdin.flush()
            self.wait_until_said(client.errors, "connected to")
            clients.append(client)
        self.wait_for(lambda: listener.errors.read_text().count("connected to") == 3, "three clients")
        listener.process.send_signal(signal.SIGTERM)
        self.assertEqual(listener.finish()[0], 130)
        self.assertEqual([client.wait(LIMIT) for client in clients], [5, 5, 5])

    def test_a_killed_peer_leaves_what_it_sent(self):
        listener, reader = self.blocked_listener("--idle-timeout", "1s")
        client = self.client(listener.url, "-v", stdin=subprocess.PIPE, stdout=subprocess.DEVNULL)
        client.stdin.write(content(300_000))
        client.stdin.flush()
        self.wait_for(lambda: is_full(reader), "a full pipe")
        client.kill()
        self.wait_until_said(listener.errors, "received")
        with os.fdopen(os.dup(reader), "rb") as out:
            data = out.read()
        self.assertEqual(data, content(300_000)[:len(data)])
        self.assertEqual(listener.finish()[0], 1)

    def test_a_reader_that_leaves_while_a_client_waits_for_its_turn(self):
        reader, writer = os.pipe()
        listener = self.listener("-v", "--keep-open", stdout=writer)
        os.close(writer)
        first = self.client(listener.url, "-v", stdin=subprocess.PIPE, stdout=subprocess.DEVNULL)
        first.stdin.write(content(100_000))
        first.stdin.flush()
        self.wait_until_said(first.errors, "connected to")
        second = self.client(listener.url, "-v", stdin=subprocess.PIPE, stdout=subprocess.DEVNULL)
        second.stdin.write(b"second\n")
        second.stdin.close()
        self.wait_for(lambda: listener.errors.read_text().count("connected to") == 2, "two clients")
        os.close(reader)
        self.assertEqual((first.wait(LIMIT), second.wait(LIMIT)), (5, 5), first.errors.read_text() + second.errors.read_text())
        self.assertIsNone(listener.process.poll())


if __name__ == "__main__":
    side_by_side.main()
