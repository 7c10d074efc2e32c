#!/usr/bin/env python3
"""The files that options name for writing, in all four tools: what they may be, and that no failure leaves an old result in them."""
import json
import os
import resource
import shutil
import stat
import subprocess
import tempfile
import time
import unittest
import unittest.mock
from pathlib import Path

BIN = Path(os.environ.get("MXP_BIN", "build/release/bin"))
LIMIT = 30
NETEM = ("mxp-netem", "-l", "127.0.0.1:0", "-t", "127.0.0.1:9", "--duration", "10ms")
CAPTURE = bytes.fromhex("d4c3b2a1020004000000000000000000ffff000001000000")  # a pcap file without a packet

# Each tool with an output, and a run that succeeds quickly when the output may be written ({out}; {capture} is an input).
OUTPUTS = {
    "mxp-perf --json": ("mxp-perf", "run", "--no-limits", "--duration", "0.1s", "--json={out}"),
    "mxp-dump --json": ("mxp-dump", "-r", "{capture}", "--stats", "summary", "--json={out}"),
    "mxp-dump -w": ("mxp-dump", "-r", "{capture}", "-w", "{out}", "--force"),
    "mxp-netem --stats": (*NETEM, "--stats", "{out}", "--force"),
    "mxp-netem --pcap": (*NETEM, "--pcap", "{out}", "--force"),
    "mxp-cat keygen -o": ("mxp-cat", "keygen", "-o", "{out}", "--force"),
}
# mxp-cat has no run without a peer: these end with the code beside them once the file is open.
JSON_FAILURES = {
    "mxp-cat: a time limit": (4, "timeout", ("mxp-cat", "listen", "127.0.0.1:0", "--timeout", "50ms", "--json={out}")),
    "mxp-cat: unknown option": (2, "usage", ("mxp-cat", "listen", "0", "--json={out}", "--bogus")),
    "mxp-cat: unknown option before --json": (2, "usage", ("mxp-cat", "listen", "0", "--bogus", "--json={out}")),
    "mxp-cat: no command": (2, "usage", ("mxp-cat", "--json={out}")),
    "mxp-cat: bad URL": (2, "usage", ("mxp-cat", "mxp://x@h:1", "--json={out}")),
    "mxp-cat: bad value": (2, "usage", ("mxp-cat", "listen", "0", "--timeout", "soon", "--json={out}")),
    "mxp-cat: missing key file": (2, "usage", ("mxp-cat", "listen", "0", "--identity", "/nonexistent", "--json={out}")),
    "mxp-perf: unknown option": (2, "usage", ("mxp-perf", "run", "--json={out}", "--bogus")),
    "mxp-perf: bad value": (2, "usage", ("mxp-perf", "run", "--duration", "soon", "--json={out}")),
    "mxp-perf: threshold": (6, "threshold", ("mxp-perf", "run", "--no-limits", "--duration", "0.1s", "--assert", "goodput>=99999gbit", "--json={out}")),
    "mxp-dump: unknown option": (2, "usage", ("mxp-dump", "-r", "x", "--json={out}", "--bogus")),
    "mxp-dump: unreadable input": (2, "usage", ("mxp-dump", "-r", "/nonexistent", "--json={out}")),
    "mxp-netem: bad SPEC": (2, "usage", (*NETEM, "--stats", "{out}", "--force", "delay", "soon")),
    "mxp-netem: unknown option": (2, "usage", (*NETEM, "--stats={out}", "--force", "--bogus")),
}


class OutputFiles(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="mxp-outputs-")
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        self.capture = self.folder / "capture.pcap"
        self.capture.write_bytes(CAPTURE)
        self.env = {**{k: v for k, v in os.environ.items() if k not in ("MXPKEYLOGFILE", "XDG_CONFIG_HOME")}, "HOME": folder.name}

    def run_tool(self, command, out, **options):
        words = [word.format(out=out, capture=self.capture) for word in command]
        return subprocess.run([str(BIN / words[0]), *words[1:]], stdin=subprocess.DEVNULL, capture_output=True, timeout=LIMIT, env=self.env, **options)

    def each_output(self, but=()):
        for name, command in OUTPUTS.items():
            if name not in but:
                with self.subTest(name):
                    yield name, command

    def test_a_plain_file_is_written(self):
        for name, command in self.each_output():
            out = self.folder / "out"
            out.write_text("old")
            done = self.run_tool(command, out)
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertNotEqual(out.read_bytes()[:3], b"old")

    def test_links_are_not_followed(self):
        for name, command in self.each_output():
            victim, link, dangling = (self.folder / n for n in ("victim", "link", "dangling"))
            victim.write_text("precious")
            for path, target in ((link, victim), (dangling, self.folder / "nowhere")):
                path.unlink(missing_ok=True)
                path.symlink_to(target)
                done = self.run_tool(command, path)
                self.assertEqual(done.returncode, 2, done.stderr)
                self.assertIn(b"symbolic link", done.stderr)
                self.assertTrue(path.is_symlink())
            self.assertEqual(victim.read_text(), "precious")
            self.assertFalse((self.folder / "nowhere").exists())

    def test_devices_and_folders_are_not_written_to(self):
        for name, command in self.each_output():
            self.assertEqual(self.run_tool(command, self.folder).returncode, 2)
            if os.geteuid() == 0:
                block = self.folder / "block"
                if not block.exists():
                    os.mknod(block, stat.S_IFBLK | 0o600, os.makedev(7, 250))
                done = self.run_tool(command, block)
                self.assertEqual(done.returncode, 2, done.stderr)
                self.assertIn(b"block device", done.stderr)
                self.assertTrue(stat.S_ISBLK(block.lstat().st_mode))

    def test_null_takes_everything_but_a_key(self):
        for name, command in self.each_output(but=("mxp-cat keygen -o",)):
            done = self.run_tool(command, "/dev/null")
            self.assertEqual(done.returncode, 0, done.stderr)
        null = self.folder / "null"
        if os.geteuid() == 0:  # not the machine's own: a tool that failed this test would replace it by a key
            os.mknod(null, stat.S_IFCHR | 0o666, os.makedev(1, 3))
            self.assertEqual(self.run_tool(OUTPUTS["mxp-cat keygen -o"], null).returncode, 2)
            self.assertTrue(stat.S_ISCHR(null.lstat().st_mode))

    def test_the_input_is_not_overwritten(self):
        again = self.folder / "again"
        os.link(self.capture, again)
        for name in ("mxp-dump --json", "mxp-dump -w"):
            for path in (self.capture, again):
                with self.subTest(name, path=path.name):
                    done = self.run_tool(OUTPUTS[name], path)
                    self.assertEqual(done.returncode, 2, done.stderr)
                    self.assertIn(b"same file", done.stderr)
                    self.assertEqual(self.capture.read_bytes(), CAPTURE)
        key = self.folder / "key"
        self.assertEqual(self.run_tool(OUTPUTS["mxp-cat keygen -o"], key).returncode, 0)
        pem = key.read_bytes()
        trace = self.folder / "trace"
        trace.write_text("1\n2\n3\n")
        for command in (("mxp-cat", "listen", "0", "--identity", str(key), "--json={out}"), ("mxp-cat", "listen", "0", "--identity", str(key), "--json={out}", "--bogus"),
                        ("mxp-perf", "server", "0", f"--identity={key}", "--json={out}")):
            with self.subTest(command=command):
                self.assertEqual(self.run_tool(command, key).returncode, 2)
                self.assertEqual(key.read_bytes(), pem)
        for option in ("--stats", "--pcap"):
            done = self.run_tool((*NETEM, f"trace {trace}", option, "{out}", "--force"), trace)
            self.assertEqual(done.returncode, 2, done.stderr)
            self.assertEqual(trace.read_text(), "1\n2\n3\n")
        done = self.run_tool((*NETEM, "--pcap", "{out}", "--stats", f"{self.folder}/./both"), self.folder / "both")
        self.assertEqual(done.returncode, 2, done.stderr)

    def test_stdin_and_stdout_are_not_overwritten(self):
        data = self.folder / "data"
        for stream in ("stdin", "stdout"):
            data.write_text("precious")
            with self.subTest(stream), open(data, "r" if stream == "stdin" else "a") as file:
                done = subprocess.run([BIN / "mxp-cat", "listen", "127.0.0.1:0", "--timeout", "50ms", f"--json={data}"], env=self.env, timeout=LIMIT,
                                      stderr=subprocess.PIPE, **{"stdin": subprocess.DEVNULL, stream: file})
                self.assertEqual(done.returncode, 2, done.stderr)
                self.assertEqual(data.read_text(), "precious")

    def test_what_the_shell_opened_is_written_to(self):
        reading, writing = os.pipe()
        with open(reading, "rb") as pipe:
            try:
                done = self.run_tool(OUTPUTS["mxp-dump --json"], f"/dev/fd/{writing}", pass_fds=(writing,))
            finally:
                os.close(writing)
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertEqual(json.loads(pipe.read())["packets"], 0)
        done = self.run_tool(OUTPUTS["mxp-dump --json"], "/dev/stdout")
        self.assertIn(b'"packets":0', done.stdout)
        done = self.run_tool(("mxp-cat", "listen", "0", "--json={out}"), "/dev/stdout")
        self.assertEqual((done.returncode, done.stdout), (2, b""))

    def test_every_failure_replaces_an_earlier_result(self):
        for name, (code, kind, command) in JSON_FAILURES.items():
            for before in ('{"schema":"an earlier success"}', None):
                with self.subTest(name, before=before):
                    out = self.folder / "result.json"
                    out.unlink(missing_ok=True)
                    if before:
                        out.write_text(before)
                    done = self.run_tool(command, out)
                    self.assertEqual(done.returncode, code, done.stderr)
                    last = json.loads(out.read_text()) if name.startswith(("mxp-perf", "mxp-netem")) else json.loads(out.read_text().splitlines()[-1])
                    self.assertEqual(last["error"]["kind"], kind)
                    self.assertIn(last["error"]["message"].splitlines()[0], done.stderr.decode())

    def test_a_run_that_is_killed_leaves_no_earlier_result(self):
        out = self.folder / "result.json"
        out.write_text('{"schema":"an earlier success"}')
        process = subprocess.Popen([BIN / "mxp-perf", "run", "--duration", "60s", f"--json={out}"], env=self.env, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        try:
            while out.read_text():
                self.assertIsNone(process.poll())
        finally:
            process.kill()
            process.wait()
        self.assertEqual(out.read_text(), "")

    def test_a_full_disk_leaves_nothing_half_written(self):
        # The file may not grow beyond 100 bytes: the same to the tool as a disk that is full.
        limit = lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100))
        for name, command in self.each_output(but=("mxp-dump -w", "mxp-netem --pcap")):
            out = self.folder / "out"
            out.unlink(missing_ok=True)
            before = set(self.folder.iterdir())
            done = self.run_tool((*command, "-v") if "keygen" not in name else command, out, preexec_fn=limit)
            if name == "mxp-dump --json" and done.returncode == 0:
                continue  # its summary of nothing is shorter
            self.assertEqual(done.returncode, 1, done.stderr)
            self.assertIn(str(out).encode(), done.stderr)
            self.assertLessEqual(set(self.folder.iterdir()) - before, {out})
            left = out.read_bytes() if out.exists() else b""
            if left:  # the error itself, whole, where it is short enough to fit
                self.assertIn("--json", name)
                self.assertEqual(json.loads(left)["error"]["kind"], "io")
                self.assertEqual(left.count(b"\n"), 1)

    def test_events_on_a_full_disk_end_with_a_whole_line_and_with_1(self):
        out = self.folder / "events"
        limit = lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (400, 400))
        inbox, sent = self.folder / "inbox", self.folder / "sent"
        sent.write_text("x")
        listener = subprocess.Popen([BIN / "mxp-cat", "listen", "127.0.0.1:0", "--recv", inbox], env=self.env, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, stdin=subprocess.DEVNULL)
        try:
            url = listener.stderr.readline().split()[-1].decode()
            done = self.run_tool(("mxp-cat", url, "--send", str(sent), "--json={out}"), out, preexec_fn=limit)
            self.assertEqual(listener.wait(LIMIT), 0)
        finally:
            listener.kill()
            listener.wait()
            listener.stderr.close()
        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertEqual((inbox / "sent").read_text(), "x")
        lines = out.read_text().splitlines(keepends=True)
        self.assertGreaterEqual(len(lines), 1)
        for line in lines:
            self.assertTrue(line.endswith("\n"))
            json.loads(line)

    @unittest.skipUnless(shutil.which("strace"), "strace holds a system call until the file is exchanged")
    def test_a_pipe_that_takes_the_place_of_a_file_is_not_waited_for(self):
        if subprocess.run(["strace", "-o", "/dev/null", "true"], capture_output=True).returncode != 0:
            self.skipTest("strace is not allowed to trace here")
        out, log = self.folder / "out", self.folder / "calls"
        out.write_text("old")
        # The file has been looked at when it is opened; opening it takes so long that it can be exchanged.
        hold = ["strace", "-f", "-o", log, "-P", out, "-e", "trace=openat", "-e", "inject=openat:delay_enter=3000000"]
        command = [BIN / "mxp-cat", "listen", "127.0.0.1:0", "--timeout", "50ms", f"--json={out}"]
        process = subprocess.Popen([*hold, *command], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
                                   env={**self.env, "ASAN_OPTIONS": "detect_leaks=0"})
        self.addCleanup(process.stderr.close)
        self.addCleanup(process.kill)
        deadline = time.monotonic() + LIMIT
        while not (log.exists() and "openat(" in log.read_text()):
            self.assertLess(time.monotonic(), deadline, "the file was not opened")
            time.sleep(0.01)
        out.unlink()
        os.mkfifo(out)
        said = process.communicate(timeout=LIMIT)[1].decode()
        self.assertEqual(process.returncode, 1, said)
        self.assertIn("exchanged while it was opened", said)

    def test_names_that_are_not_utf8_spoil_no_result(self):
        strange = os.fsdecode(b"t\xff")
        trace = self.folder / strange
        trace.write_text("1\n")
        done = self.run_tool((*NETEM, f"trace {trace}", "--stats", "-"), "")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("clients", json.loads(done.stdout))
        cut = self.folder / (strange + ".pcap")
        cut.write_bytes(CAPTURE + bytes(3))
        for more in (["--stats", "summary", "-T", "json"], ["--stats", "summary", "--json"]):
            done = self.run_tool(("mxp-dump", "-r", str(cut), *more), "")
            self.assertEqual(done.returncode, 2, done.stderr)
            self.assertEqual(json.loads(done.stdout)["error"]["kind"], "usage")
        for command in (("mxp-cat", "listen", "0", "--identity", strange, "--json={out}"), ("mxp-perf", "run", "--" + strange, "--json={out}"),
                        ("mxp-netem", "--" + strange, "--stats", "{out}"), ("mxp-dump", "-r", strange, "--json={out}")):
            out = self.folder / "errors"
            out.unlink(missing_ok=True)
            self.assertEqual(self.run_tool(command, out).returncode, 2, command)
            self.assertEqual(json.loads(out.read_text())["error"]["kind"], "usage")

    def test_a_capture_is_not_written_over_what_its_run_reads_or_writes(self):
        keys = self.folder / "keys"
        keys.write_text("MXP_C2S_TRAFFIC_SECRET_0 0102030405060708 " + 32 * "ab" + "\n")
        alias = self.folder / "alias"
        alias.hardlink_to(keys)
        report = self.folder / "report"
        for environment, more, out in (({}, ["--keylog", keys], keys), ({}, ["--keylog", keys], alias), ({"MXPKEYLOGFILE": str(keys)}, [], keys), ({}, [], self.capture),
                                       ({}, [f"--json={report}"], report)):
            for way in (["-w", out], [f"-w{out}"]):
                before = out.read_bytes() if out.exists() and out != report else None
                command = [str(word) for word in ("mxp-dump", "-r", self.capture, *more, *way, "--force")]
                with self.subTest(" ".join(command)), unittest.mock.patch.dict(self.env, environment):
                    done = self.run_tool(command, "")
                    self.assertEqual(done.returncode, 2, done.stderr)
                    self.assertIn(b"is the same file as", done.stderr)
                    if before is not None:
                        self.assertEqual(out.read_bytes(), before)


if __name__ == "__main__":
    unittest.main()
