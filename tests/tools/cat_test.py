#!/usr/bin/env python3
"""Runs mxp-cat as a user does: two processes on loopback, their exit codes, what they print and what they leave behind."""
import base64
import fcntl
import hashlib
import json
import os
import pty
import resource
import re
import shutil
import signal
import socket
import stat
import subprocess
import tempfile
import time
import unittest
from pathlib import Path

import side_by_side

BIN = Path(os.environ.get("MXP_BIN", "build/release/bin"))
CAT = str(BIN / "mxp-cat")
NETEM = BIN / "mxp-netem"
LIMIT = 30  # seconds: what takes longer hangs


def content(size, seed=1):
    """Bytes that do not repeat, the same on every run."""
    block = hashlib.shake_256(str(seed).encode()).digest(min(size, 1 << 20))
    return (block * (size // max(len(block), 1) + 1))[:size]


class Listener:
    """A listener whose URL is known; stderr goes on into a file."""

    def __init__(self, case, *arguments, stdin=subprocess.DEVNULL, stdout=None, address="127.0.0.1:0", **options):
        self.errors = case.folder / f"listener-{len(case.processes)}.err"
        self.output = case.folder / f"listener-{len(case.processes)}.out"  # unless the test wants a pipe, which it has to read
        with open(self.errors, "wb") as stderr, open(self.output, "wb") as out:
            self.process = subprocess.Popen([CAT, "listen", address, *map(str, arguments)], stdin=stdin, stdout=stdout or out, stderr=stderr,
                                            env=case.env, **options)
        case.processes.append(self.process)
        deadline = time.monotonic() + LIMIT
        while b"\n" not in self.errors.read_bytes():
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise AssertionError(f"listener did not start: {self.errors.read_text()}")
            time.sleep(0.005)
        first = self.errors.read_text().splitlines()[0]
        found = re.fullmatch(r"listening (mxp://[A-Za-z0-9_-]{43}@(.+):(\d+))", first)
        assert found, f"the first line on stderr is {first!r}"
        self.url, self.host, self.port = found[1], found[2], int(found[3])

    def finish(self, timeout=LIMIT):
        """Exit code, stdout and stderr."""
        self.process.wait(timeout)
        return self.process.returncode, self.output.read_bytes(), self.errors.read_text()


class CatTest(unittest.TestCase):
    def setUp(self):
        signal.signal(signal.SIGALRM, self.on_alarm)
        signal.alarm(2 * LIMIT)  # for reads from pipes, which know no time limit of their own
        self.folder = Path(tempfile.mkdtemp(prefix="mxp-cat-"))
        self.processes = []
        self.env = {k: v for k, v in os.environ.items() if k not in ("MXPKEYLOGFILE", "XDG_CONFIG_HOME")}
        self.env["HOME"] = str(self.folder)

    @staticmethod
    def on_alarm(number, frame):
        raise TimeoutError("the test hangs")

    def tearDown(self):
        signal.alarm(0)
        for process in self.processes:
            if process.poll() is None:
                process.kill()
            process.wait()
            for pipe in (process.stdin, process.stdout, process.stderr):
                if pipe:
                    try:
                        pipe.close()
                    except BrokenPipeError:
                        pass  # what was not yet flushed into a process that is gone
        shutil.rmtree(self.folder, ignore_errors=True)

    def listener(self, *arguments, **options):
        return Listener(self, *arguments, **options)

    def cat(self, *arguments, **options):
        options.setdefault("stdin", subprocess.DEVNULL)
        if "input" in options:
            del options["stdin"]
        options.setdefault("env", self.env)
        return subprocess.run([CAT, *map(str, arguments)], capture_output=True, timeout=LIMIT, **options)

    def start(self, *arguments, **options):
        options.setdefault("env", self.env)
        process = subprocess.Popen([CAT, *map(str, arguments)], **options)
        self.processes.append(process)
        return process

    def write(self, name, data):
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        return path

    def fails(self, result, code, *words):
        stderr = result.stderr.decode()
        self.assertEqual(result.returncode, code, stderr)
        for word in words:
            self.assertIn(word, stderr)
        self.assertLessEqual(len([line for line in stderr.splitlines() if line.startswith("mxp-cat: ")]), 3, stderr)

    def keygen(self, name="key"):
        path = self.folder / name
        return path, self.cat("keygen", "-o", path).stdout.decode().strip()

    def wait_for(self, condition, what):
        deadline = time.monotonic() + LIMIT
        while not condition():
            if time.monotonic() > deadline:
                self.fail(f"waited for: {what}")
            time.sleep(0.01)


class Keys(CatTest):
    def test_keygen_writes_0600_and_prints_the_public_key(self):
        path, key = self.keygen()
        self.assertEqual(stat.S_IMODE(path.stat().st_mode), 0o600)
        self.assertEqual(len(base64.urlsafe_b64decode(key + "=")), 32)
        self.assertEqual(self.cat("pubkey", path).stdout.decode().strip(), key)

    def test_keygen_makes_the_default_identity_and_its_folder(self):
        result = self.cat("keygen")
        self.assertEqual(result.returncode, 0, result.stderr)
        path = self.folder / ".config/mxp/id_25519"
        self.assertEqual(stat.S_IMODE(path.stat().st_mode), 0o600)
        self.assertEqual(self.cat("pubkey").stdout, result.stdout)
        self.env["XDG_CONFIG_HOME"] = str(self.folder / "xdg")
        self.assertEqual(self.cat("keygen").returncode, 0)
        self.assertTrue((self.folder / "xdg/mxp/id_25519").exists())

    def test_keygen_never_overwrites_without_force(self):
        path, key = self.keygen()
        before = path.read_bytes()
        self.fails(self.cat("keygen", "-o", path), 2, str(path), "--force")
        self.assertEqual(path.read_bytes(), before)
        result = self.cat("keygen", "-o", path, "--force")
        self.assertEqual(result.returncode, 0)
        self.assertNotEqual(result.stdout.decode().strip(), key)
        self.assertEqual(stat.S_IMODE(path.stat().st_mode), 0o600)
        self.assertEqual([p.name for p in self.folder.iterdir()], ["key"])

    def test_keygen_keeps_a_private_key_of_openssl(self):
        if shutil.which("openssl") is None:
            self.skipTest("no openssl")
        path = self.folder / "o"
        subprocess.run(["openssl", "genpkey", "-algorithm", "X25519", "-out", path], check=True, capture_output=True)
        path.chmod(0o600)
        self.assertEqual(len(self.cat("pubkey", path).stdout.strip()), 43)

    def test_unusable_key_files_are_usage_errors(self):
        missing = self.folder / "missing"
        self.fails(self.cat("pubkey", missing), 2, "no such file", "keygen")
        open_key, _ = self.keygen("open")
        open_key.chmod(0o640)
        self.fails(self.cat("pubkey", open_key), 2, "chmod 600")
        text = self.write("text", b"hello\n")
        text.chmod(0o600)
        self.fails(self.cat("pubkey", text), 2, str(text), "PKCS#8")
        self.fails(self.cat("pubkey", self.folder), 2, "not a regular file")
        self.fails(self.cat("listen", "127.0.0.1:0", "--identity", missing), 2, "no such file")
        self.fails(self.cat("listen", "127.0.0.1:0", "--identity", open_key), 2, "chmod 600")
        self.assertFalse(missing.exists())

    def test_a_key_that_nobody_gets_to_read_is_1(self):
        path, _ = self.keygen()
        for number, command in enumerate(([CAT, "pubkey", path], [CAT, "keygen", "-o", self.folder / "second"])):
            with open("/dev/full", "wb") as full:
                done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, env=self.env, timeout=LIMIT)
            self.fails(done, 1, "cannot write to stdout: No space left on device")
            reader, writer = os.pipe()
            os.close(reader)  # as `| head` is when it has what it wants
            done = subprocess.run([*command, *["--force"] * number], stdout=writer, stderr=subprocess.PIPE, env=self.env, timeout=LIMIT)
            os.close(writer)
            self.fails(done, 1, "cannot write to stdout: its reader is gone (broken pipe)")

    def test_other_kinds_of_key_are_refused(self):
        self.fails(self.cat("keygen", "-o", self.folder / "p", "--suite", "p256"), 2, "p256")
        self.assertFalse((self.folder / "p").exists())


class Usage(CatTest):
    KEY = "A" * 43

    def test_help_and_version_are_0_on_stdout(self):
        for arguments in (["--help"], ["listen", "--help"], ["connect", "--help"], ["--version"]):
            result = self.cat(*arguments)
            self.assertEqual((result.returncode, result.stderr), (0, b""), arguments)
            self.assertIn(b"mxp-cat", result.stdout)
        help_text = self.cat("connect", "--help").stdout
        self.assertIn(b"Examples", help_text)
        self.assertIn(b"--json [=FILE]", help_text)
        self.assertNotIn(b"{-}", help_text)

    def test_mistakes_are_2_and_say_what_is_expected(self):
        url = f"mxp://{self.KEY}@127.0.0.1:9"
        for arguments, words in [
            ([], "a command is missing: use keygen, pubkey, listen, connect, or a URL mxp://KEY@HOST:PORT"),
            (["-v"], "a command is missing"),
            (["--send", "/etc/hostname"], "connect needs the listener's URL"),
            (["--recv", "x"], "connect needs the listener's URL"),
            ([url, "--recv"], "--recv needs a value: DIR"),
            ([url], "the key in the URL is none that a server can have"),
            (["launch"], "not a command"),
            (["connect"], "URL"),
            (["connect", "http://127.0.0.1:9"], "mxp://"),
            (["connect", "mxp://127.0.0.1:9"], "key is missing"),
            (["connect", f"mxp://{self.KEY[:-1]}@127.0.0.1:9"], "key"),
            (["connect", f"mxp://{self.KEY}@127.0.0.1:99999"], "port"),
            (["listen"], "PORT"),
            (["listen", "here"], "[ADDR:]PORT"),
            (["listen", "0", "--once", "--keep-open"], "exclude"),
            (["listen", "0", "--echo", "--recv", "x"], "exclude"),
            (["listen", "0", "--authorized-keys", "x", "--allow-any"], "exclude"),
            (["listen", "0", "--authorized-keys", "/nonexistent"], "no such file"),
            ([url, "--timeout", "soon"], "500ms"),
            ([url, "--suite", "aes256,rot13"], "--suite: 'rot13' is not a suite: use chacha20 or aes256"),
            (["listen", "0", "--suite", ""], "--suite: '' is not a suite"),
            (["keygen", "--suite", ""], "--suite: no keys of kind ''"),
            ([url, "--send", "/nonexistent"], "/nonexistent"),
            ([url, "--force"], "--recv"),
            ([url, "--json"], "--json=FILE"),
            (["launch", "--help"], "'launch' is not a command: use keygen, pubkey, listen, connect, or a URL"),
        ]:
            with self.subTest(arguments=arguments):
                self.fails(self.cat(*arguments), 2, words)

    def test_commands_of_later_versions_are_2_and_say_so(self):
        for command in ("forward", "ping", "scan", "probe"):
            for arguments in ([command], [command, "--help"], [command, f"mxp://{self.KEY}@127.0.0.1:9"]):
                with self.subTest(arguments=arguments):
                    result = self.cat(*arguments)
                    self.fails(result, 2, f"'{command}' is not in mxp-cat 0.", "use keygen, pubkey, listen, connect")
                    self.assertEqual(result.stdout, b"")

    def test_malformed_authorized_keys_name_file_and_line(self):
        path = self.write("authorized", b"# clients\n\nnonsense alice\n")
        self.fails(self.cat("listen", "127.0.0.1:0", "--authorized-keys", path), 2, f"{path}:3:")

    def test_a_usage_error_is_json_too(self):
        report = self.folder / "report"
        self.fails(self.cat("connect", "mxp://127.0.0.1:9", f"--json={report}"), 2)
        self.assertEqual(json.loads(report.read_text())["error"]["kind"], "usage")


class Pipes(CatTest):
    def test_a_file_arrives_whole_and_both_exit_0(self):
        data = content(3_000_001)
        source = self.write("source", data)
        listener = self.listener()
        with open(source, "rb") as stdin:
            result = self.cat(listener.url, stdin=stdin)
        self.assertEqual(result.returncode, 0, result.stderr)
        code, out, stderr = listener.finish()
        self.assertEqual((code, out), (0, data), stderr)
        self.assertIn("received 2.9 MiB", stderr)
        self.assertIn("RTT", result.stderr.decode())

    def test_a_request_is_answered_after_its_end(self):
        listener = self.listener(stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        client = self.start(listener.url, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        client.stdin.write(b"question\n")
        client.stdin.close()
        self.assertEqual(listener.process.stdout.read(9), b"question\n")
        listener.process.stdin.write(b"answer\n")
        listener.process.stdin.close()
        self.assertEqual(client.stdout.read(), b"answer\n")
        self.assertEqual(client.wait(LIMIT), 0)
        self.assertEqual(listener.process.wait(LIMIT), 0)

    def test_the_listener_may_speak_first(self):
        listener = self.listener(stdin=subprocess.PIPE)
        client = self.start(listener.url, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        listener.process.stdin.write(b"welcome\n")
        listener.process.stdin.flush()
        self.assertEqual(client.stdout.read(8), b"welcome\n")
        client.stdin.close()
        listener.process.stdin.close()
        self.assertEqual(client.wait(LIMIT), 0)

    def test_no_stdin_receives_only(self):
        data = content(300_000)
        source = self.write("source", data)
        with open(source, "rb") as stdin:
            listener = self.listener(stdin=stdin)
        result = self.cat(listener.url, "--no-stdin", stdin=None)
        self.assertEqual((result.returncode, result.stdout), (0, data), result.stderr)

    def test_q_bounds_the_wait_after_our_end(self):
        listener = self.listener(stdin=subprocess.PIPE)
        started = time.monotonic()
        result = self.cat(listener.url, "-q", "300ms", input=b"x")
        self.fails(result, 4, "-q")
        self.assertGreaterEqual(time.monotonic() - started, 0.3)
        self.assertEqual(listener.finish()[0], 5)

    def test_closed_stdin_is_an_end_at_once(self):
        listener = self.listener()
        result = subprocess.run(["sh", "-c", f"exec {CAT} '{listener.url}' <&-"], capture_output=True, env=self.env, timeout=LIMIT)
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertEqual(listener.finish()[0], 0)

    def test_a_slow_reader_holds_the_sender_back_and_loses_nothing(self):
        size, bound = 160 << 20, 96 << 20  # bound: the largest connection window (64 MiB) and what the sender buffers (32 MiB)
        source = self.write("source", content(1 << 20))
        os.truncate(source, size)
        with open(source, "rb") as stdin:
            listener = self.listener(stdin=stdin)
        client = self.start(listener.url, "--no-stdin", stdout=subprocess.PIPE, stderr=subprocess.PIPE)

        def read_so_far():  # by whichever descriptor the listener reads the file
            descriptors = [fd for fd in Path(f"/proc/{listener.process.pid}/fd").iterdir() if os.path.realpath(fd) == os.path.realpath(source)]
            return max(int(Path(f"/proc/{listener.process.pid}/fdinfo/{fd.name}").read_text().split()[1]) for fd in descriptors)

        self.wait_for(lambda: read_so_far() > 0, "the sender begins")
        before, since = 0, time.monotonic()
        while time.monotonic() - since < 1:  # it stands still
            if read_so_far() != before:
                before, since = read_so_far(), time.monotonic()
                self.assertLess(before, bound)
            time.sleep(0.01)
        digest, count = hashlib.sha256(), 0
        while chunk := client.stdout.read(1 << 20):
            digest.update(chunk)
            count += len(chunk)
        stderr = client.stderr.read()
        self.assertEqual((client.wait(LIMIT), count), (0, size), stderr)
        self.assertEqual(digest.hexdigest(), hashlib.sha256(source.read_bytes()).hexdigest())
        self.assertEqual(listener.finish()[0], 0)

    def test_a_small_answer_to_a_reader_that_starts_late_is_whole(self):
        # Everything is acknowledged and the listener has closed before the client's stdout takes the first byte.
        data = content(700_000)
        source = self.write("source", data)
        with open(source, "rb") as stdin:
            listener = self.listener(stdin=stdin)
        client = self.start(listener.url, "--no-stdin", stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.assertEqual(listener.process.wait(LIMIT), 0)
        out = client.stdout.read()
        stderr = client.stderr.read()
        self.assertEqual((client.wait(LIMIT), len(out)), (0, len(data)), stderr)
        self.assertEqual(out, data)

    def test_a_reader_that_goes_away_is_an_io_error(self):
        data = content(8 << 20)
        source = self.write("source", data)
        with open(source, "rb") as stdin:
            listener = self.listener(stdin=stdin)
        client = self.start(listener.url, "--no-stdin", stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        client.stdout.read(10)
        client.stdout.close()
        stderr = client.stderr.read().decode()
        self.assertEqual(client.wait(LIMIT), 1, stderr)
        self.assertIn("broken pipe", stderr)
        code, _, listener_stderr = listener.finish()
        self.assertEqual(code, 5, listener_stderr)
        self.assertIn("output failed", listener_stderr)

    def test_a_full_disk_is_an_io_error(self):
        with open(self.write("source", content(1 << 20)), "rb") as stdin:
            listener = self.listener(stdin=stdin)
        with open("/dev/full", "wb") as full:
            client = self.start(listener.url, "--no-stdin", stdout=full, stderr=subprocess.PIPE)
        stderr = client.stderr.read().decode()
        self.assertEqual(client.wait(LIMIT), 1)
        self.assertIn("No space left", stderr)
        self.assertEqual(listener.finish()[0], 5)

    def test_a_closed_stdout_is_an_io_error(self):
        with open(self.write("source", content(1000)), "rb") as stdin:
            listener = self.listener(stdin=stdin)
        result = subprocess.run(["sh", "-c", f"exec {CAT} '{listener.url}' --no-stdin >&-"], stderr=subprocess.PIPE, env=self.env, timeout=LIMIT)
        self.fails(result, 1, "stdout")

    def test_stdout_flags_are_left_as_they_were(self):
        read_end, write_end = os.pipe()
        listener = self.listener("--no-stdin", stdout=write_end)
        self.assertEqual(self.cat(listener.url, input=b"x").returncode, 0)
        listener.process.wait(LIMIT)
        self.assertEqual(fcntl.fcntl(write_end, fcntl.F_GETFL) & os.O_NONBLOCK, 0)
        os.close(read_end)
        os.close(write_end)

    def test_digest_names_both_directions(self):
        data = content(100_000)
        listener = self.listener("--digest")
        result = self.cat(listener.url, "--digest", input=data)
        digest = hashlib.sha256(data).hexdigest()
        self.assertIn(f"sha256 {digest}  sent", result.stderr.decode())
        self.assertIn(f"sha256 {digest}  received", listener.finish()[2])

    def test_quiet_prints_the_address_and_nothing_else(self):
        listener = self.listener("--quiet")
        result = self.cat(listener.url, "--quiet", input=b"x")
        self.assertEqual((result.returncode, result.stderr), (0, b""))
        self.assertEqual(len(listener.finish()[2].splitlines()), 1)

    def test_suites_are_taken_in_order(self):
        for suite in ("chacha20", "aes256"):
            listener = self.listener()
            result = self.cat(listener.url, "--suite", suite, "-v", input=b"x")
            self.assertIn(f"suite {suite}", result.stderr.decode())
            listener.finish()

    def test_echo_returns_what_it_gets(self):
        data = content(2_000_000)
        listener = self.listener("--echo")
        result = self.cat(listener.url, input=data)
        self.assertEqual((result.returncode, result.stdout), (0, data), result.stderr)
        code, out, _ = listener.finish()
        self.assertEqual((code, out), (0, b""))

    def test_ipv6_is_printed_in_brackets(self):
        try:
            socket.socket(socket.AF_INET6, socket.SOCK_DGRAM).bind(("::1", 0))
        except OSError:
            self.skipTest("no IPv6 loopback")
        listener = self.listener(address="[::1]:0")
        self.assertEqual(listener.host, "[::1]")
        self.assertEqual(self.cat(listener.url, input=b"x").returncode, 0)

    def test_all_addresses_are_printed_as_loopback(self):
        self.assertEqual(self.listener(address="0").host, "127.0.0.1")

    def test_progress_and_colour_stay_off_a_pipe(self):
        listener = self.listener("--recv", self.folder / "in", "--progress")
        result = self.cat(listener.url, "--progress", "--send", self.write("f", content(4 << 20)))
        self.assertEqual(result.returncode, 0)
        self.assertNotIn(b"\033", result.stderr)
        self.assertNotIn(b"\r", result.stderr)

    def test_a_terminal_serves_as_stdin_and_keeps_its_flags(self):
        listener = self.listener()
        controller, terminal = pty.openpty()
        client = self.start(listener.url, stdin=terminal, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        os.write(controller, b"typed\n\x04")
        self.assertEqual(client.wait(LIMIT), 0)
        self.assertEqual(fcntl.fcntl(terminal, fcntl.F_GETFL) & os.O_NONBLOCK, 0)
        self.assertEqual(listener.finish()[1], b"typed\n")
        os.close(controller)
        os.close(terminal)


class Listening(CatTest):
    def test_keep_open_outlives_the_failures_of_its_clients(self):
        listener = self.listener("--keep-open", "--recv", self.folder / "in")
        self.assertEqual(self.cat(listener.url, input=b"not a file").returncode, 5)
        first = self.write("first", b"1")
        self.assertEqual(self.cat(listener.url, "--send", first).returncode, 0)
        killed = self.start(listener.url, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        killed.kill()
        self.assertEqual(self.cat(listener.url, "--send", self.write("second", b"2")).returncode, 0)
        self.assertEqual((self.folder / "in/second").read_bytes(), b"2")
        listener.process.send_signal(signal.SIGTERM)
        code, _, stderr = listener.finish()
        self.assertEqual(code, 130)
        self.assertIn("connections, sent", stderr)

    def test_keep_open_serves_pipes_one_after_the_other(self):
        listener = self.listener("--keep-open", stdout=subprocess.PIPE)
        for text in (b"one\n", b"two\n"):
            self.assertEqual(self.cat(listener.url, input=text).returncode, 0)
        self.assertEqual(listener.process.stdout.read(8), b"one\ntwo\n")
        listener.process.send_signal(signal.SIGINT)
        self.assertEqual(listener.finish()[0], 130)

    def test_many_clients_are_served_at_once(self):
        listener = self.listener("--keep-open", "--echo")
        clients = [self.start(listener.url, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) for _ in range(8)]
        for number, client in enumerate(clients):
            client.stdin.write(content(50_000, number))
            client.stdin.flush()
        for number, client in enumerate(clients):
            self.assertEqual(client.stdout.read(50_000), content(50_000, number))
        for client in clients:
            client.stdin.close()
            self.assertEqual(client.wait(LIMIT), 0)

    def test_a_second_client_of_a_single_listener_is_turned_away(self):
        listener = self.listener(stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        first = self.start(listener.url, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        first.stdin.write(b"here\n")
        first.stdin.flush()
        self.assertEqual(listener.process.stdout.read(5), b"here\n")
        self.fails(self.cat(listener.url, input=b"x"), 5, "another connection")
        first.stdin.close()
        listener.process.stdin.close()
        self.assertEqual(first.wait(LIMIT), 0)
        self.assertEqual(listener.process.wait(LIMIT), 0)

    def test_a_client_that_is_not_authorized_is_told_so(self):
        alice, alice_key = self.keygen("alice")
        mallory, _ = self.keygen("mallory")
        listener = self.listener("--authorized-keys", self.write("keys", f"{alice_key} alice\n".encode()))
        result = self.cat(listener.url, "--identity", mallory, input=b"x")
        self.fails(result, 3, "not authorized")
        # A refused handshake does not count as the one connection.
        self.assertEqual(self.cat(listener.url, "--identity", alice, input=b"x").returncode, 0)
        code, out, stderr = listener.finish()
        self.assertEqual((code, out), (0, b"x"), stderr)
        self.assertNotIn("may connect", stderr)

    def test_an_open_listener_says_so_once_unless_told(self):
        listener = self.listener()
        self.cat(listener.url, input=b"x")
        self.assertEqual(listener.finish()[2].count("may connect"), 1)
        listener = self.listener("--allow-any")
        self.cat(listener.url, input=b"x")
        self.assertNotIn("may connect", listener.finish()[2])

    def test_timeout_bounds_the_wait_for_a_client(self):
        result = self.cat("listen", "127.0.0.1:0", "--timeout", "200ms")
        self.fails(result, 4, "--timeout")

    def test_an_address_in_use_is_a_network_error(self):
        listener = self.listener()
        self.fails(self.cat("listen", f"127.0.0.1:{listener.port}"), 1, "in use")

    def test_the_default_identity_is_made_once_and_stays(self):
        first = self.listener()
        second = self.listener()
        self.assertEqual(first.url.split("@")[0], second.url.split("@")[0])
        self.assertIn("new identity", first.errors.read_text())
        self.assertNotIn("new identity", second.errors.read_text())


class Failures(CatTest):
    def test_nothing_listening_is_1_at_once(self):
        _, key = self.keygen()
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        started = time.monotonic()
        self.fails(self.cat(f"mxp://{key}@127.0.0.1:{port}"), 1, "unreachable")
        self.assertLess(time.monotonic() - started, 5)

    def test_no_answer_is_4_and_names_the_key(self):
        _, key = self.keygen()
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
            silent.bind(("127.0.0.1", 0))
            result = self.cat(f"mxp://{key}@127.0.0.1:{silent.getsockname()[1]}", "--timeout", "400ms")
        self.fails(result, 4, "no answer", "400.0 ms", "key")

    def test_a_wrong_server_key_is_silence_and_names_the_key(self):
        _, key = self.keygen("other")
        listener = self.listener()
        self.fails(self.cat(f"mxp://{key}@127.0.0.1:{listener.port}", "--timeout", "400ms"), 4, "key in the URL")
        self.assertEqual(self.cat(listener.url, input=b"x").returncode, 0)

    def test_an_unknown_host_is_a_network_error(self):
        _, key = self.keygen()
        self.fails(self.cat(f"mxp://{key}@nowhere.invalid:9000"), 1, "resolve", "nowhere.invalid")

    def test_a_killed_peer_is_1_after_the_idle_timeout_and_leaves_a_part(self):
        source = self.write("big", content(64 << 20))
        inbox = self.folder / "in"
        listener = self.listener("--recv", inbox, "--idle-timeout", "700ms")
        sender = self.start(listener.url, "--send", source, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        part = inbox / "big.part"
        self.wait_for(lambda: part.exists() and part.stat().st_size > 0, "the first bytes")
        sender.kill()
        code, _, stderr = listener.finish()
        self.assertEqual(code, 1, stderr)
        self.assertIn("silence", stderr)
        self.assertIn("big.part is unfinished", stderr)
        self.assertTrue(part.exists())
        self.assertFalse((inbox / "big").exists())
        self.assertLess(part.stat().st_size, 64 << 20)

    def test_silence_that_the_peers_shorter_timeout_ended_is_not_called_ours(self):
        listener = self.listener(stdin=subprocess.PIPE)
        client = self.start(listener.url, "--idle-timeout", "700ms", stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        listener.process.stdin.write(b"hello\n")
        listener.process.stdin.flush()
        self.assertEqual(client.stdout.read(6), b"hello\n")
        client.kill()
        started = time.monotonic()
        code, _, stderr = listener.finish()
        self.assertLess(time.monotonic() - started, 25)
        self.assertEqual(code, 1, stderr)
        self.assertRegex(stderr, r"lost: silence for (.*), past the idle timeout \(ours is 30\.00 s; the peer's counts if it is shorter\);")
        self.assertNotIn("silence for 30.", stderr)

    def test_silence_without_a_timeout_of_our_own_names_the_peers(self):
        listener = self.listener("--idle-timeout", "0", stdin=subprocess.PIPE)
        client = self.start(listener.url, "--idle-timeout", "700ms", stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        listener.process.stdin.write(b"hello\n")
        listener.process.stdin.flush()
        self.assertEqual(client.stdout.read(6), b"hello\n")
        client.kill()
        code, _, stderr = listener.finish()
        self.assertEqual(code, 1, stderr)
        self.assertRegex(stderr, r"lost: silence for .*, past the idle timeout \(the peer's\);")

    def test_a_killed_receiver_is_1_for_the_sender(self):
        source = self.write("big", content(64 << 20))
        listener = self.listener("--recv", self.folder / "in")
        sender = self.start(listener.url, "--send", source, "--idle-timeout", "700ms", stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        part = self.folder / "in/big.part"
        self.wait_for(lambda: part.exists() and part.stat().st_size > 0, "the first bytes")
        listener.process.kill()
        stderr = sender.stderr.read().decode()
        self.assertEqual(sender.wait(LIMIT), 1, stderr)

    def test_a_quiet_session_outlives_the_idle_timeout(self):
        listener = self.listener("--idle-timeout", "400ms", stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        client = self.start(listener.url, "--idle-timeout", "400ms", stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        time.sleep(1.2)  # three idle timeouts of silence: what is tested
        client.stdin.write(b"awake\n")
        client.stdin.close()
        self.assertEqual(listener.process.stdout.read(6), b"awake\n")
        listener.process.stdin.close()
        self.assertEqual(client.wait(LIMIT), 0)

    def test_interrupt_prints_the_summary_and_tells_the_peer(self):
        listener = self.listener(stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        client = self.start(listener.url, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        client.stdin.write(b"hello\n")
        client.stdin.flush()
        self.assertEqual(listener.process.stdout.read(6), b"hello\n")
        client.send_signal(signal.SIGINT)
        stderr = client.stderr.read().decode()
        self.assertEqual(client.wait(LIMIT), 130)
        self.assertIn("sent 6 B", stderr)
        self.assertIn("interrupted", stderr)
        code, _, listener_stderr = listener.finish(timeout=10)
        self.assertEqual(code, 5, listener_stderr)
        self.assertIn("interrupted", listener_stderr)

    def test_interrupt_before_any_connection_is_130(self):
        listener = self.listener()
        listener.process.send_signal(signal.SIGINT)
        code, _, stderr = listener.finish(timeout=10)
        self.assertEqual(code, 130)
        self.assertIn("no connection in ", stderr)


class Files(CatTest):
    def setUp(self):
        super().setUp()
        self.inbox = self.folder / "in"

    def send(self, *arguments, listener_options=()):
        listener = self.listener("--recv", self.inbox, *listener_options)
        result = self.cat(listener.url, "--send", *arguments)
        return result, listener.finish()

    def test_a_file_arrives_with_name_content_and_mode(self):
        data = content(5_000_000)
        source = self.write("tool.sh", data)
        source.chmod(0o750)
        result, (code, out, stderr) = self.send(source)
        self.assertEqual((result.returncode, code, out), (0, 0, b""), result.stderr.decode() + stderr)
        self.assertEqual((self.inbox / "tool.sh").read_bytes(), data)
        mask = os.umask(0)
        os.umask(mask)
        self.assertEqual(stat.S_IMODE((self.inbox / "tool.sh").stat().st_mode), 0o750 & ~mask)
        self.assertEqual([p.name for p in self.inbox.iterdir()], ["tool.sh"])

    def test_empty_files_folders_and_odd_names_arrive(self):
        names = {"empty": b"", "sub/one": b"1", "sub/deeper/two words": b"22", "naïve ☃": content(100_000)}
        for name, data in names.items():
            self.write("tree/" + name, data)
        os.symlink("/etc/passwd", self.folder / "tree/link")
        result, (code, _, stderr) = self.send(self.folder / "tree")
        self.assertEqual((result.returncode, code), (0, 0), result.stderr.decode() + stderr)
        self.assertIn("symbolic link", result.stderr.decode())
        found = {str(p.relative_to(self.inbox / "tree")): p.read_bytes() for p in (self.inbox / "tree").rglob("*") if p.is_file()}
        self.assertEqual(found, names)

    def test_more_files_than_streams_arrive(self):
        expected = {}
        for number in range(150):
            expected[f"{number:03}"] = content(number * 37, number)
            self.write(f"many/{number:03}", expected[f"{number:03}"])
        result, (code, _, stderr) = self.send(self.folder / "many")
        self.assertEqual((result.returncode, code), (0, 0), result.stderr.decode() + stderr)
        self.assertEqual({p.name: p.read_bytes() for p in (self.inbox / "many").iterdir()}, expected)

    def test_the_listener_may_be_the_sender(self):
        source = self.write("offer", content(200_000))
        listener = self.listener("--send", source)
        result = self.cat(listener.url, "--recv", self.inbox)
        self.assertEqual((result.returncode, listener.finish()[0]), (0, 0), result.stderr)
        self.assertEqual((self.inbox / "offer").read_bytes(), source.read_bytes())

    def test_an_existing_file_is_refused_and_kept(self):
        self.write("in/report", b"precious")
        other = self.write("other", b"other")
        result, (code, _, stderr) = self.send(self.write("report", b"new"), other)
        self.fails(result, 5, "report", "exists")
        self.assertEqual(code, 2, stderr)
        self.assertIn("--force", stderr)
        self.assertEqual((self.inbox / "report").read_bytes(), b"precious")
        self.assertEqual((self.inbox / "other").read_bytes(), b"other")
        self.assertEqual(sorted(p.name for p in self.inbox.iterdir()), ["other", "report"])

    def test_force_replaces_an_existing_file(self):
        self.write("in/report", b"old and longer")
        result, (code, _, stderr) = self.send(self.write("report", b"new"), listener_options=["--force"])
        self.assertEqual((result.returncode, code), (0, 0), result.stderr.decode() + stderr)
        self.assertEqual((self.inbox / "report").read_bytes(), b"new")

    def test_a_part_that_stayed_behind_is_started_over(self):
        self.write("in/report.part", b"rubbish that is longer than the file").chmod(0o600)
        result, (code, _, stderr) = self.send(self.write("report", b"new"))
        self.assertEqual((result.returncode, code), (0, 0), result.stderr.decode() + stderr)
        self.assertEqual({p.name: p.read_bytes() for p in self.inbox.iterdir()}, {"report": b"new"})

    def test_links_in_the_folder_lead_nowhere(self):
        outside = self.folder / "outside"
        outside.mkdir()
        self.inbox.mkdir()
        os.symlink(outside, self.inbox / "tree")
        self.write("tree/file", b"escaped")
        result, (code, _, stderr) = self.send(self.folder / "tree")
        self.assertEqual(result.returncode, 5, result.stderr)
        self.assertEqual(code, 2, stderr)
        self.assertEqual(list(outside.iterdir()), [])
        os.symlink(outside / "target", self.inbox / "file.part")
        result, _ = self.send(self.write("file", b"escaped"))
        self.assertEqual(result.returncode, 5)
        self.assertEqual(list(outside.iterdir()), [])

    def test_two_senders_of_one_name_do_not_mix(self):
        self.inbox.mkdir()
        part = self.inbox / "same.part"
        with open(part, "wb") as held:
            part.chmod(0o600)
            fcntl.flock(held, fcntl.LOCK_EX)
            result, (code, _, stderr) = self.send(self.write("same", b"mine"))
            self.assertEqual(result.returncode, 5, result.stderr)
            self.assertIn("same.part is locked: another process", stderr)
            self.assertNotIn("exist", stderr)
            self.assertIn(b"another process, or another connection, is receiving a file of that name there", result.stderr)
            self.assertNotIn(b"exist", result.stderr)
            self.assertEqual(part.read_bytes(), b"")

    def test_a_name_ending_in_part_is_not_sent(self):
        result = self.cat(f"mxp://{'A' * 43}@127.0.0.1:9", "--send", self.write("film.part", b"x"))
        self.fails(result, 2, ".part")

    def header(self, name, size, mode=0o644, magic=b"MXPF", version=1):
        return magic + bytes([version]) + mode.to_bytes(2, "little") + size.to_bytes(8, "little") + len(name).to_bytes(2, "little") + name

    def raw(self, stream):
        """A hand-made stream to a receiver: what both sides exit with, and the receiver's words."""
        listener = self.listener("--recv", self.inbox)
        result = self.cat(listener.url, input=stream)
        code, _, stderr = listener.finish()
        left = sorted(str(p.relative_to(self.inbox)) for p in self.inbox.rglob("*"))
        return result, code, stderr, left

    def test_a_hand_made_stream_by_the_document_is_accepted(self):
        data = b"by the book"
        result, code, stderr, left = self.raw(self.header(b"book", len(data)) + data + hashlib.sha256(data).digest())
        self.assertEqual((result.returncode, result.stdout, code, left), (0, b"\x01", 0, ["book"]), stderr)

    def test_names_that_could_leave_the_folder_are_refused(self):
        for name in (b"../up", b"/etc/x", b"a/../../b", b"", b"a//b", b"./a", b"nul\0x", b"back\\slash", b"bad\xffutf8", b"esc\x1b[2J", b"x.part",
                     b"a" * 251, b"dir/"):
            with self.subTest(name=name):
                result, code, stderr, left = self.raw(self.header(name, 1) + b"x" + hashlib.sha256(b"x").digest())
                self.assertEqual((result.returncode, code, left), (5, 1, []), stderr)
                self.assertIn("refused", stderr)
                self.assertNotIn("\x1b", stderr)
        self.assertFalse((self.folder / "up").exists())

    def test_what_does_not_agree_keeps_the_name_of_a_part(self):
        data = b"content"
        good = hashlib.sha256(data).digest()
        for what, stream, word in [
            ("digest", self.header(b"f", 7) + data + bytes(32), "digest"),
            ("short", self.header(b"f", 8) + data, "less"),
            ("no trailer", self.header(b"f", 7) + data, "less"),
            ("long", self.header(b"f", 7) + data + good + b"x", "more"),
        ]:
            with self.subTest(what=what):
                result, code, stderr, left = self.raw(stream)
                self.assertEqual((result.returncode, code, left), (5, 1, ["f.part"]), stderr)
                self.assertIn(word, stderr)

    def test_what_is_no_transfer_is_refused(self):
        for stream in (b"plain text that is no header", self.header(b"f", 0, magic=b"MXPG"), self.header(b"f", 0, version=2),
                       self.header(b"f", 0, mode=0o4755), self.header(b"f", 1 << 63), b"MX"):
            with self.subTest(stream=stream):
                result, code, stderr, left = self.raw(stream)
                self.assertEqual((result.returncode, code, left), (5, 1, []), stderr)

    def test_a_sender_without_a_receiver_is_told(self):
        listener = self.listener()
        self.fails(self.cat(listener.url, "--send", self.write("f", b"x")), 5, "--recv")

    def test_a_full_disk_costs_the_stream_and_is_1(self):
        listener = self.listener("--recv", self.inbox, preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, 1 << 20)))
        result = self.cat(listener.url, "--send", self.write("big", content(4 << 20)))
        self.fails(result, 5, "output failed")
        code, _, stderr = listener.finish()
        self.assertEqual(code, 1, stderr)
        self.assertFalse((self.inbox / "big").exists())

    def test_a_folder_that_cannot_be_written_is_2(self):
        self.fails(self.cat("listen", "127.0.0.1:0", "--recv", self.folder / "no/such"), 2, "--recv")
        self.fails(self.cat("listen", "127.0.0.1:0", "--recv", self.write("file", b"")), 2, "--recv")

    def test_digest_prints_what_sha256sum_would(self):
        source = self.write("f", content(10_000))
        line = f"{hashlib.sha256(source.read_bytes()).hexdigest()}  f"
        result, (_, _, stderr) = self.send(source, "--digest", listener_options=["--digest"])
        self.assertIn(line, result.stderr.decode())
        self.assertIn(line, stderr)


@unittest.skipUnless(NETEM.exists(), "mxp-netem is not built")
class LossyLinks(CatTest):
    """The last packets of a session may be lost too: neither side may take a whole transfer for a broken one."""

    def relay(self, listener, seed):
        relay = subprocess.Popen([str(NETEM), "-l", "127.0.0.1:0", "-t", f"127.0.0.1:{listener.port}", "--seed", str(seed),
                                  "delay", "3ms", "1ms", "loss", "20%", "duplicate", "5%"],
                                 env=self.env, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        self.processes.append(relay)
        port = re.search(rb"relaying \S+:(\d+) ->", relay.stderr.readline())[1].decode()
        return listener.url.rsplit(":", 1)[0] + ":" + port

    def test_pipes_end_well_on_both_sides(self):
        data = content(20_000)
        for seed in range(8):
            listener = self.listener()
            result = self.cat(self.relay(listener, seed), input=data)
            code, out, stderr = listener.finish()
            self.assertEqual((result.returncode, code, out == data), (0, 0, True), f"seed {seed}: {result.stderr.decode()}{stderr}")

    def test_messages_keep_the_order_of_their_lines(self):
        lines = b"".join(b"line %d\n" % number for number in range(3000))
        for seed in range(3):
            listener = self.listener("--message", "Event")
            result = self.cat(self.relay(listener, seed), "--message", "Event", input=lines)
            code, out, stderr = listener.finish()
            self.assertEqual((result.returncode, code, out == lines), (0, 0, True), f"seed {seed}: {result.stderr.decode()}{stderr}")

    def test_files_end_well_on_both_sides(self):
        source = self.write("f", content(20_000))
        for seed in range(8):
            listener = self.listener("--recv", self.folder / "in", "--force")
            result = self.cat(self.relay(listener, seed), "--send", source)
            code, _, stderr = listener.finish()
            self.assertEqual((result.returncode, code), (0, 0), f"seed {seed}: {result.stderr.decode()}{stderr}")
            self.assertEqual((self.folder / "in/f").read_bytes(), source.read_bytes())


class Reports(CatTest):
    def events(self, path):
        return [json.loads(line) for line in path.read_text().splitlines()]

    def test_events_of_a_session(self):
        theirs, ours = self.folder / "theirs", self.folder / "ours"
        listener = self.listener(f"--json={theirs}")
        self.assertEqual(self.cat(listener.url, f"--json={ours}", input=b"hello").returncode, 0)
        listener.finish()
        for path, sent, received in ((ours, 5, 0), (theirs, 0, 5)):
            events = self.events(path)
            self.assertEqual([e["event"] for e in events if e["event"] != "fin"], ["connected", "stream_opened", "closed", "stats"])
            self.assertEqual(sorted(e["by"] for e in events if e["event"] == "fin"), ["local", "peer"])
            self.assertEqual((events[-1]["bytes_sent"], events[-1]["bytes_received"]), (sent, received))
            # Whatever held the connection back, the handshake or its application among it, adds up to its age.
            blocked = events[-1]["blocked_ms"]
            self.assertLessEqual({"handshake", "application"}, set(blocked))
            self.assertGreater(sum(blocked.values()), 1000 * events[-1]["seconds"] - 100)
            [stream] = events[-1]["streams"]
            self.assertEqual((stream["stream"], stream["bytes_sent"]), (0, sent))
            self.assertAlmostEqual(sum(stream["blocked_ms"].values()), 1000 * stream["seconds"], 3)
            self.assertLessEqual(stream["seconds"], events[-1]["seconds"])
            times = [e["time"] for e in events]
            self.assertEqual(times, sorted(times))

    def test_json_on_stdout_where_it_is_free(self):
        listener = self.listener("--recv", self.folder / "in")
        result = self.cat(listener.url, "--json", "--send", self.write("f", b"abc"))
        self.assertEqual(result.returncode, 0, result.stderr)
        events = [json.loads(line) for line in result.stdout.decode().splitlines()]
        file = next(e for e in events if e["event"] == "file")
        self.assertEqual((file["name"], file["bytes"], file["sha256"]), ("f", 3, hashlib.sha256(b"abc").hexdigest()))

    def test_a_failure_is_json_too(self):
        _, key = self.keygen()
        report = self.folder / "report"
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
            silent.bind(("127.0.0.1", 0))
            self.fails(self.cat(f"mxp://{key}@127.0.0.1:{silent.getsockname()[1]}", "--timeout", "0.3", f"--json={report}"), 4)
        error = self.events(report)[-1]["error"]
        self.assertEqual(error["kind"], "timeout")
        self.assertIn("key", error["message"])

    def test_the_key_log_has_both_directions_and_fits_on_both_sides(self):
        logs = [self.folder / "a", self.folder / "b"]
        listener_env, client_env = dict(self.env, MXPKEYLOGFILE=str(logs[0])), dict(self.env, MXPKEYLOGFILE=str(logs[1]))
        self.env = listener_env
        listener = self.listener()
        result = self.cat(listener.url, input=b"x", env=client_env)
        self.assertIn("MXPKEYLOGFILE", result.stderr.decode())
        self.assertEqual(listener.finish()[0], 0)
        lines = [sorted(log.read_text().splitlines()) for log in logs]
        self.assertEqual(lines[0], lines[1])
        self.assertEqual(len(lines[0]), 2)
        for line, direction in zip(lines[0], ("C2S", "S2C")):
            self.assertRegex(line, rf"^MXP_{direction}_TRAFFIC_SECRET_0 [0-9a-f]{{16}} [0-9a-f]{{64}}$")
        for log in logs:
            self.assertEqual(stat.S_IMODE(log.stat().st_mode), 0o600)

    def test_a_key_log_that_others_can_read_is_warned_of(self):
        log = self.folder / "keys.log"
        for mode, warned in ((0o644, True), (0o640, True), (0o604, True), (0o622, False), (0o600, False), (None, False)):
            with self.subTest(mode=mode and oct(mode)):
                log.unlink(missing_ok=True)
                if mode is not None:
                    log.touch()
                    log.chmod(mode)
                listener = self.listener()
                err = self.cat(listener.url, env=dict(self.env, MXPKEYLOGFILE=str(log))).stderr.decode()
                self.assertEqual(listener.finish()[0], 0)
                says = f"mxp-cat: warning: others can read the key log {log} (mode {mode or 0:04o}): run `chmod 600 {log}`\n"
                self.assertEqual(err.count(says), 1 if warned else 0, err)
                self.assertEqual(err.count("others can read"), 1 if warned else 0, err)
                self.assertEqual(stat.S_IMODE(log.stat().st_mode), mode or 0o600)

    def test_a_key_log_that_cannot_be_opened_is_an_error(self):
        env = dict(self.env, MXPKEYLOGFILE="/nonexistent/log")
        self.fails(self.cat("listen", "127.0.0.1:0", env=env), 1, "/nonexistent/log", "MXPKEYLOGFILE")


if __name__ == "__main__":
    side_by_side.main()
