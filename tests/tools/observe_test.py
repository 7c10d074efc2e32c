#!/usr/bin/env python3
"""Watches mxp-cat and mxp-perf as a user does: --qlog, --metrics, --otlp, --audit, --recent, SIGUSR1, and what goes wrong with them."""
import json
import os
import re
import shutil
import signal
import socket
import stat
import subprocess
import tempfile
import time
import unittest
import urllib.request
from pathlib import Path

import otlp_rules
import qlog_rules
import side_by_side

BIN = Path(os.environ.get("MXP_BIN", "build/release/bin"))
CAT, PERF = str(BIN / "mxp-cat"), str(BIN / "mxp-perf")
HERE = Path(__file__).resolve().parent
LIMIT = 30
PARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


class Observed(unittest.TestCase):
    def setUp(self):
        self.folder = Path(tempfile.mkdtemp(prefix="mxp-observe-"))
        self.processes = []
        self.env = {k: v for k, v in os.environ.items() if k not in ("MXPKEYLOGFILE", "XDG_CONFIG_HOME", "QLOGDIR", "TRACEPARENT")}
        self.env["HOME"] = str(self.folder)

    def tearDown(self):
        for process in self.processes:
            if process.poll() is None:
                process.kill()
            process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)

    def make(self, name):
        path = self.folder / name
        path.mkdir()
        return path

    def start(self, *command, **options):
        """A process whose stderr goes into a file, which is returned with it."""
        errors = self.folder / f"{len(self.processes)}.err"
        with open(errors, "wb") as stderr:
            process = subprocess.Popen([*map(str, command)], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=stderr,
                                       env={**self.env, **options})
        self.processes.append(process)
        return process, errors

    def wait_for(self, what, condition):
        deadline = time.monotonic() + LIMIT
        while not (found := condition()):
            self.assertLess(time.monotonic(), deadline, f"waited in vain for {what}")
            time.sleep(0.01)
        return found

    def listen(self, *arguments, **options):
        process, errors = self.start(CAT, "listen", "127.0.0.1:0", "--allow-any", *arguments, **options)
        first = self.wait_for("the listener's URL", lambda: re.search(r"listening (\S+)\n", errors.read_text()) or process.poll())
        self.assertIsInstance(first, re.Match, errors.read_text())
        return process, errors, first[1]

    def cat(self, *arguments, data=b"", **options):
        return subprocess.run([CAT, *map(str, arguments)], input=data, capture_output=True, timeout=LIMIT, env={**self.env, **options})

    def pair(self, listen=(), connect=(), data=b"x" * 300_000, expect=0, **options):
        process, errors, url = self.listen(*listen)
        done = self.cat(url, *connect, data=data, **options)
        self.assertEqual(done.returncode, expect, done.stderr.decode())
        process.wait(LIMIT)
        return done, errors

    def only(self, folder, pattern):
        files = list(folder.glob(pattern))
        self.assertEqual(len(files), 1, list(folder.iterdir()))
        return files[0]


class Qlog(Observed):
    def test_both_sides_write_files_that_keep_to_the_draft(self):
        there, here = self.make("there"), self.make("here")
        self.pair(listen=("--qlog", there), connect=(f"--qlog={here}",))
        counted = {}
        for folder, role in ((there, "server"), (here, "client")):
            path = self.only(folder, f"*_{role}.sqlog")
            self.assertRegex(path.name, r"^[0-9a-f]{16}_")
            self.assertEqual(stat.S_IMODE(path.stat().st_mode), 0o600)
            header, events = qlog_rules.check(path.read_bytes())
            self.assertEqual(header["trace"]["vantage_point"], {"name": "mxp-cat", "type": role})
            self.assertEqual(header["trace"]["common_fields"]["group_id"], path.name[:16])
            names = [event["name"] for event in events]
            self.assertEqual(names[0], "mxp:connection_started")
            for name in ("parameters_set", "connection_state_updated", "packet_sent", "packet_received", "blocked", "connection_closed",
                         "recovery_metrics_updated", "key_updated"):
                if name != "key_updated":  # a short session updates none
                    self.assertIn(f"mxp:{name}", names)
            self.assertEqual(names.count("mxp:parameters_set"), 2)
            counted[role] = events
        # What one side says it sent is what the other says came: all of the stream's bytes, once each or more often.
        def stream_bytes(events, name):
            covered = set()
            for event in events:
                if event["name"] == name:
                    for frame in event["data"]["frames"]:
                        if frame["frame_type"] == "stream":
                            covered.add((frame["stream_id"], frame["offset"], frame["length"]))
            ends = {}
            for stream, offset, length in covered:
                ends[stream] = max(ends.get(stream, 0), offset + length)
            return ends
        sent, received = stream_bytes(counted["client"], "mxp:packet_sent"), stream_bytes(counted["server"], "mxp:packet_received")
        self.assertEqual(sent, received)
        self.assertEqual(max(sent.values()), 300_000)

    def test_the_qvis_flavour_keeps_to_what_qvis_opens(self):
        folder = self.make("qvis")
        self.pair(connect=("--qlog", folder, "--qlog-flavour", "qvis"))
        path = self.only(folder, "*_client.sqlog")
        if shutil.which("node") is None:
            self.skipTest("there is no node here: the rules of qvis are not checked")
        checker = HERE / "qvis_rules.js"
        good = subprocess.run(["node", checker, path], capture_output=True, text=True, timeout=LIMIT)
        self.assertEqual(good.returncode, 0, good.stderr)
        bad = self.folder / "bad.sqlog"  # the check finds what is wrong
        bad.write_bytes(path.read_bytes().replace(b'"0.3"', b'"0.4"').replace(b'"packet_type":"1RTT",', b""))
        self.assertEqual(subprocess.run(["node", checker, bad], capture_output=True, timeout=LIMIT).returncode, 1)

    def test_qlogdir_names_a_folder_and_the_option_wins(self):
        by_environment, by_option = self.make("environment"), self.make("option")
        self.pair(QLOGDIR=str(by_environment))
        self.only(by_environment, "*.sqlog")
        self.pair(connect=("--qlog", by_option), QLOGDIR=str(by_environment))
        self.only(by_option, "*.sqlog")
        self.only(by_environment, "*.sqlog")

    def test_a_folder_that_is_none_is_2(self):
        file = self.folder / "file"
        file.write_text("")
        for folder in (self.folder / "nowhere", file):
            done = self.cat("listen", "127.0.0.1:0", "--qlog", folder)
            self.assertEqual(done.returncode, 2)
            self.assertIn(str(folder), done.stderr.decode())
            self.assertIn("--qlog", done.stderr.decode())
        done = self.cat("listen", "127.0.0.1:0", QLOGDIR="/nowhere/at/all")
        self.assertEqual(done.returncode, 2)
        self.assertIn("QLOGDIR", done.stderr.decode())

    def test_perf_writes_qlog_too(self):
        folder = self.make("perf")
        done = subprocess.run([PERF, "run", "--duration", "200ms", "--no-limits", "--qlog", folder], capture_output=True, timeout=LIMIT, env=self.env)
        self.assertEqual(done.returncode, 0, done.stderr.decode())
        path = self.only(folder, "*_client.sqlog")
        qlog_rules.check(path.read_bytes())
        missing = subprocess.run([PERF, "server", "127.0.0.1:0", "--qlog", "/nowhere"], capture_output=True, timeout=LIMIT, env=self.env)
        self.assertEqual(missing.returncode, 2)


class Metrics(Observed):
    def scrape(self, errors):
        url = self.wait_for("the address of the metrics", lambda: re.search(r"metrics at (http://\S+)", errors.read_text()))[1]
        with urllib.request.urlopen(url, timeout=LIMIT) as answer:
            self.assertTrue(answer.headers["Content-Type"].startswith("text/plain"))
            return answer.read().decode()

    @staticmethod
    def value(text, name):
        found = re.search(rf"^{re.escape(name)} (\S+)$", text, re.M)
        return float(found[1]) if found else None

    def test_a_listener_counts_what_clients_do(self):
        process, errors, url = self.listen("--keep-open", "--metrics", "0", "--echo")
        for _ in range(2):
            client = self.cat(url, data=b"y" * 100_000)
            self.assertEqual(client.returncode, 0, client.stderr)
        text = self.scrape(errors)
        self.assertEqual(self.value(text, 'mxp_connections_established_total{role="server"}'), 2)
        self.assertEqual(self.value(text, 'mxp_clients_admitted_total{decision="accepted"}'), 2)
        self.assertEqual(self.value(text, "mxp_handshake_duration_seconds_count"), 2)
        self.assertGreater(self.value(text, "mxp_received_bytes_total"), 200_000)
        self.assertGreater(self.value(text, "mxp_rtt_seconds_count"), 0)
        self.assertGreater(self.value(text, 'mxp_blocked_seconds_total{reason="application"}'), 0)
        self.assertIn('mxp_build_info{version="', text)
        self.assertNotRegex(text, r"\"[0-9a-f]{16}\"", "an id is a label")
        self.check_with_promtool(text)

    def check_with_promtool(self, text):
        if shutil.which("promtool") is None:
            self.skipTest("there is no promtool here: the form of the metrics is not checked by it")
        checked = subprocess.run(["promtool", "check", "metrics"], input=text, capture_output=True, text=True, timeout=LIMIT)
        self.assertEqual(checked.returncode, 0, checked.stdout + checked.stderr)

    def test_a_port_that_is_taken_is_1_and_what_is_no_address_is_2(self):
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            port = taken.getsockname()[1]
            for tool, command in ((CAT, "listen"), (PERF, "server")):
                done = subprocess.run([tool, command, "127.0.0.1:0", "--metrics", f"127.0.0.1:{port}"], capture_output=True, timeout=LIMIT, env=self.env)
                self.assertEqual(done.returncode, 1, done.stderr)
                self.assertIn(f"127.0.0.1:{port}", done.stderr.decode())
        done = self.cat("listen", "127.0.0.1:0", "--metrics", "nonsense:port")
        self.assertEqual(done.returncode, 2, done.stderr)
        self.assertIn("--metrics", done.stderr.decode())


class Spans(Observed):
    def test_spans_keep_to_otlp_and_belong_to_the_trace_that_asked(self):
        there, here = self.folder / "there.jsonl", self.folder / "here.jsonl"
        self.pair(listen=("--otlp", there), connect=("--otlp", here), TRACEPARENT=PARENT)
        server, client = otlp_rules.check(there.read_text()), otlp_rules.check(here.read_text())
        for spans, kind in ((server, 2), (client, 3)):
            (connection,) = [span for span in spans if span["name"] == "mxp.connection"]
            self.assertEqual(connection["kind"], kind)
            self.assertIn("mxp.handshake", [span["name"] for span in spans])
            for span in spans:
                self.assertEqual(span["traceId"], connection["traceId"])
        (connection,) = [span for span in client if span["name"] == "mxp.connection"]
        self.assertEqual(connection["traceId"], PARENT.split("-")[1])
        self.assertEqual(connection["parentSpanId"], PARENT.split("-")[2])
        self.assertEqual(stat.S_IMODE(here.stat().st_mode), 0o600)

    def test_messages_carry_the_right_half_of_the_trace(self):
        process, errors, url = self.listen("--message", "Event", "-v")
        done = self.cat(url, "--message", "Event", data=b"one\ntwo\n", TRACEPARENT=PARENT)
        self.assertEqual(done.returncode, 0, done.stderr)
        process.wait(LIMIT)
        self.assertEqual(errors.read_text().count(", trace " + PARENT.split("-")[1][16:]), 2)

    def test_a_malformed_parent_is_ignored_with_a_warning(self):
        spans = self.folder / "spans.jsonl"
        done, _ = self.pair(connect=("--otlp", spans), TRACEPARENT="00-\x1b[31m-1-0")
        self.assertIn("TRACEPARENT is ignored", done.stderr.decode())
        self.assertNotIn("\x1b", done.stderr.decode())
        (connection,) = [span for span in otlp_rules.check(spans.read_text()) if span["name"] == "mxp.connection"]
        self.assertNotIn("parentSpanId", connection)

    def test_a_handshake_that_fails_is_a_span_that_failed(self):
        spans = self.folder / "spans.jsonl"
        process, errors, url = self.listen("--keep-open")
        other = self.cat("keygen", "-o", self.folder / "other")
        wrong = re.sub(r"//[^@]+@", f"//{other.stdout.decode().strip()}@", url)
        done = self.cat(wrong, "--timeout", "300ms", "--otlp", spans)
        self.assertEqual(done.returncode, 4, done.stderr)
        (connection,) = [span for span in otlp_rules.check(spans.read_text()) if span["name"] == "mxp.connection"]
        self.assertEqual(connection["status"], {"code": 2, "message": "handshake timeout"})

    def test_a_file_that_cannot_be_is_told(self):
        for option in ("--otlp", "--audit", "--recent"):
            done = self.cat("listen", "127.0.0.1:0", option, "/nowhere/file")
            self.assertEqual(done.returncode, 1, done.stderr)
            self.assertRegex(done.stderr.decode(), f"{option}: .*/nowhere/file")
            link = self.folder / f"link{option}"
            link.symlink_to(self.folder / "target")
            done = self.cat("listen", "127.0.0.1:0", option, link)
            self.assertEqual(done.returncode, 2, done.stderr)
            self.assertFalse((self.folder / "target").exists())

    def test_the_files_keep_the_rules_of_all_outputs(self):
        for option in ("--otlp", "--audit", "--recent"):
            with self.subTest(option):
                same = self.folder / f"same{option}"
                done = self.cat("listen", "127.0.0.1:0", option, same, *(word for other in ("--otlp", "--audit", "--recent") if other != option for word in (other, same)))
                self.assertEqual(done.returncode, 2, done.stderr)
                self.assertIn("is the same file as", done.stderr.decode())
                done = self.cat("listen", "127.0.0.1:0", option, self.folder)
                self.assertEqual(done.returncode, 2, done.stderr)
                self.assertIn("is a folder", done.stderr.decode())
                pipe = self.folder / f"pipe{option}"
                os.mkfifo(pipe)
                done = self.cat("listen", "127.0.0.1:0", option, pipe)
                self.assertEqual(done.returncode, 2, done.stderr)
                self.assertIn("is a pipe that nobody reads", done.stderr.decode())

    @unittest.skipUnless(os.geteuid() == 0, "only root can make a file of another user")
    def test_a_file_that_another_user_planted_is_refused(self):
        shared = self.make("shared")
        shared.chmod(0o1777)
        for option in ("--otlp", "--audit", "--recent"):
            planted = shared / option[2:]
            planted.write_text("theirs\n")
            os.chown(planted, 12345, 12345)
            done = self.cat("listen", "127.0.0.1:0", option, planted)
            self.assertEqual(done.returncode, 2, done.stderr)
            self.assertIn("belongs to another user", done.stderr.decode())
            self.assertEqual(planted.read_text(), "theirs\n")

    def test_what_a_file_had_stays(self):
        old = self.folder / "old.jsonl"
        old.write_text("{}\n")
        self.pair(connect=("--audit", old))
        self.assertTrue(old.read_text().startswith("{}\n{"), old.read_text())

    def test_a_full_disk_is_one_warning_and_nothing_is_lost(self):
        done, _ = self.pair(connect=("--otlp", "/dev/full", "--audit", "/dev/full"))
        self.assertEqual(done.stderr.decode().count("No space left on device"), 2)


class Audit(Observed):
    def lines(self, path):
        return [json.loads(line) for line in path.read_text().splitlines()]

    def test_who_is_accepted_and_who_is_not(self):
        keys, audit, mine = self.folder / "keys", self.folder / "audit.jsonl", self.folder / "mine.jsonl"
        friend = self.cat("keygen", "-o", self.folder / "friend").stdout.decode().strip()
        stranger = self.cat("keygen", "-o", self.folder / "stranger").stdout.decode().strip()
        keys.write_text(friend + "\n")
        process, errors = self.start(CAT, "listen", "127.0.0.1:0", "--keep-open", "--echo", "--authorized-keys", keys, "--audit", audit)
        url = self.wait_for("the URL", lambda: re.search(r"listening (\S+)\n", errors.read_text()))[1]
        self.assertEqual(self.cat(url, "--identity", self.folder / "friend", "--audit", mine, data=b"hello").returncode, 0)
        self.assertEqual(self.cat(url, "--identity", self.folder / "stranger", data=b"hello").returncode, 3)
        process.send_signal(signal.SIGTERM)
        self.assertEqual(process.wait(LIMIT), 130)
        lines = self.lines(audit)
        decided = [(line["event"], line.get("peer_key"), line.get("reason")) for line in lines if line["event"].startswith("client_")]
        self.assertEqual(decided, [("client_accepted", friend, None), ("client_refused", stranger, "not authorized")])
        self.assertIn("connection_closed", [line["event"] for line in lines])
        self.assertEqual([line["event"] for line in self.lines(mine)][:2], ["server_dialled", "handshake_completed"])
        self.assertEqual(stat.S_IMODE(audit.stat().st_mode), 0o600)
        private = (self.folder / "friend").read_text().split("\n")[1]
        self.assertNotIn(private[-20:], audit.read_text())


class Recent(Observed):
    def test_a_signal_shows_the_latest_events_and_the_session_goes_on(self):
        process, errors, url = self.listen("--keep-open", "--echo")
        self.assertEqual(self.cat(url, data=b"hello").returncode, 0)
        process.send_signal(signal.SIGUSR1)
        self.wait_for("the latest events", lambda: "-- latest events (SIGUSR1)" in errors.read_text())
        text = errors.read_text()
        self.assertIn("started as server", text)
        self.assertIn("established after", text)
        self.assertIn("received packet", text)
        self.assertIsNone(process.poll())
        self.assertEqual(self.cat(url, data=b"again").returncode, 0)

    def test_a_failure_is_in_the_file_and_with_v_on_stderr(self):
        file = self.folder / "recent"
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
            silent.bind(("127.0.0.1", 0))
            key = self.cat("keygen", "-o", self.folder / "key").stdout.decode().strip()
            url = f"mxp://{key}@127.0.0.1:{silent.getsockname()[1]}"
            plain = self.cat(url, "--timeout", "200ms")
            verbose = self.cat(url, "--timeout", "200ms", "-v")
            filed = self.cat(url, "--timeout", "200ms", "--recent", file)
        for done in (plain, verbose, filed):
            self.assertEqual(done.returncode, 4, done.stderr)
        self.assertNotIn(b"latest events", plain.stderr)
        self.assertIn(b"-- latest events (a connection failed, handshake timeout):", verbose.stderr)
        self.assertNotIn(b"latest events", filed.stderr)
        self.assertIn("sent handshake message 1", file.read_text())
        self.assertIn("closed by a timeout: handshake timeout", file.read_text())
        self.assertEqual(stat.S_IMODE(file.stat().st_mode), 0o600)


class AllTogether(Observed):
    def test_no_secret_is_in_what_the_others_write(self):
        folder, log = self.make("qlog"), self.folder / "keys.log"
        files = {option: self.folder / option[2:] for option in ("--otlp", "--audit", "--recent")}
        self.pair(connect=["--qlog", folder, *(word for pair in files.items() for word in pair)], MXPKEYLOGFILE=str(log))
        secrets = [line.split()[2] for line in log.read_text().splitlines()]
        self.assertEqual(len(secrets), 2)
        written = b"".join(path.read_bytes() for path in [*folder.iterdir(), *files.values()])
        self.assertGreater(len(written), 1000)
        for secret in secrets:
            for form in (secret.encode(), bytes.fromhex(secret), secret.upper().encode()):
                self.assertNotIn(form, written)


if __name__ == "__main__":
    side_by_side.main()
