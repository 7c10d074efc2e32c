#!/usr/bin/env python3
"""The commands of mxp-dump that take whole files: inject-keys, strip-keys, redact, join, on captures with known answers."""
import gzip
import json
import os
import resource
import shutil
import struct
import subprocess
import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
import dump_wire as wire  # noqa: E402
from dump_test import DUMP, ENVIRONMENT, DumpCase  # noqa: E402
from sanitized import SANITIZED  # noqa: E402

SESSION = wire.Session()
PCAP = wire.pcap(SESSION.frames, nanoseconds=True)
OTHER_KEYS = f"MXP_C2S_TRAFFIC_SECRET_0 {'ab' * 8} {'cd' * 32}\n"
MXPK, secrets = wire.MXPK, wire.secrets


def blocks(content, order="<"):
    """(type, body) of each block."""
    out, at = [], 0
    while at < len(content):
        kind, size = struct.unpack_from(order + "II", content, at)
        out.append((kind, content[at + 8:at + size - 4]))
        at += size
    return out


def pcapng(order="<", before=b"", middle=b""):
    """The session with a comment on its section, names, statistics, a comment on each packet, and `middle` after ten."""
    out = wire.block(order, 0x0a0d0d0a, struct.pack(order + "IHHq", 0x1a2b3c4d, 1, 0, -1) + wire.option(order, 1, b"a comment") + bytes(4))
    out += wire.interface(order, wire.RAW, wire.option(order, 9, b"\x09") + wire.option(order, 2, b"eth7")) + before
    out += wire.block(order, 4, struct.pack(order + "HH", 1, 11) + b"\x0a\0\0\1host.x\0\0" + bytes(4))
    for i, (after, data) in enumerate(SESSION.frames):
        ticks = wire.START + after
        body = struct.pack(order + "IIIII", 0, ticks >> 32, ticks & 0xffffffff, len(data), len(data)) + data + bytes(-len(data) % 4)
        out += wire.block(order, 6, body + wire.option(order, 1, f"packet {i}".encode()) + bytes(4))
        if i == 10:
            out += middle
    return out + wire.block(order, 5, struct.pack(order + "III", 0, 1, 2)) + wire.block(order, 0x80001234, b"local")


class FileCase(DumpCase):
    def setUp(self):
        super().setUp()
        self.keys = self.file("keys.log", wire.KEY_LOG + OTHER_KEYS)
        self.out = str(self.folder / "out.pcapng")

    def decrypted(self, path):
        return json.loads(self.dump("-r", path, "--stats", "summary", "--json")[0])["decrypted"]


class KeysInTheCapture(FileCase):
    ALL = len(SESSION.c2s) + len(SESSION.s2c)

    def test_secrets_before_between_and_repeated_are_used(self):
        halves = wire.KEY_LOG.splitlines(keepends=True)
        for order in "<>":
            for name, content in {"before": pcapng(order, secrets(order, wire.KEY_LOG)), "between": pcapng(order, middle=secrets(order, wire.KEY_LOG)),
                                  "repeated": pcapng(order, secrets(order, wire.KEY_LOG), secrets(order, wire.KEY_LOG)),
                                  "in halves": pcapng(order, secrets(order, halves[0].rstrip()), secrets(order, "# a comment\n" + halves[1])),
                                  "beside others": pcapng(order, secrets(order, "CLIENT_RANDOM 00 00\n", 0x544c534b) + secrets(order, wire.KEY_LOG))}.items():
                with self.subTest(name, order=order):
                    self.assertEqual(self.decrypted(self.file("c", content)), self.ALL)
        piped = self.dump("-r", "-", "--stats", "summary", "--json", stdin=pcapng("<", secrets("<", wire.KEY_LOG)))[0]
        self.assertEqual(json.loads(piped)["decrypted"], self.ALL)
        late = json.loads(self.dump("-r", "-", "--stats", "summary", "--json", stdin=pcapng("<", middle=secrets("<", wire.KEY_LOG)))[0])
        self.assertEqual(late["decrypted"], self.ALL - 9)  # eleven frames went by, two of them handshake messages

    def test_a_key_log_adds_to_them(self):
        one, two = wire.KEY_LOG.splitlines(keepends=True)
        path = self.file("c", pcapng("<", secrets("<", one)))
        self.assertLess(self.decrypted(path), self.ALL)
        out, _ = self.dump("-r", path, "--keylog", self.file("k", two), "--stats", "summary", "--json")
        self.assertEqual(json.loads(out)["decrypted"], self.ALL)

    def test_bad_lines_are_told_once_and_lying_lengths_refused(self):
        _, err = self.dump("-r", self.file("c", pcapng("<", secrets("<", wire.KEY_LOG + "rubbish\n"))))
        self.assertEqual(err.count("1 line is not of an MXP key log, among the secrets in the capture"), 1)
        lie = wire.block("<", 10, struct.pack("<II", MXPK, 5000) + b"short")
        self.assertIn("secrets beyond the end", self.dump("-r", self.file("l", pcapng("<", lie)), code=2)[1])


class InjectAndStrip(FileCase):
    def test_only_the_secrets_of_the_capture_are_added_behind_the_interface(self):
        self.dump("inject-keys", self.file("c.pcap", PCAP), "--keylog", self.keys, "-o", self.out)
        content = Path(self.out).read_bytes()
        self.assertEqual([kind for kind, _ in blocks(content)][:4], [0x0a0d0d0a, 1, 10, 6])
        text = blocks(content)[2][1]
        self.assertEqual(struct.unpack_from("<II", text), (MXPK, len(wire.KEY_LOG)))
        self.assertEqual(sorted(text[8:8 + len(wire.KEY_LOG)].decode().splitlines()), sorted(wire.KEY_LOG.splitlines()))
        self.assertEqual(self.decrypted(self.out), KeysInTheCapture.ALL)
        self.assertEqual(os.stat(self.out).st_mode & 0o777, 0o600)
        self.dump("inject-keys", self.file("c.pcap", PCAP), "--keylog", self.keys, "-o", self.out, "--all", "--force")
        self.assertIn(b"abababab", Path(self.out).read_bytes())

    def test_all_else_passes_unchanged_both_ways(self):
        for order in "<>":
            plain = pcapng(order)
            path = self.file("c.pcapng", plain)
            self.dump("inject-keys", path, "--keylog", self.keys, "-o", self.out, "--force")
            with_keys = Path(self.out).read_bytes()
            self.assertEqual([b for b in blocks(with_keys, order) if b[0] != 10], blocks(plain, order))
            self.assertEqual(self.decrypted(self.out), KeysInTheCapture.ALL)
            back = str(self.folder / "back.pcapng")
            self.dump("strip-keys", self.out, "-o", back, "--force")
            self.assertEqual(Path(back).read_bytes(), plain)
            self.assertNotIn(wire.C2S_SECRET.hex().encode(), Path(back).read_bytes())

    def test_compressed_input_is_taken(self):
        self.dump("inject-keys", self.file("c.gz", gzip.compress(PCAP)), "--keylog", self.keys, "-o", self.out)
        self.assertEqual(self.decrypted(self.out), KeysInTheCapture.ALL)

    def test_wrong_use_is_2_and_leaves_everything_as_it_was(self):
        path = self.file("c.pcap", PCAP)
        there = self.file("there", "precious")
        for arguments, word in ((["strip-keys", path, "-o", there], "exists"), (["strip-keys", path], "required"), (["inject-keys", path, "-o", self.out], "--keylog"),
                                (["strip-keys", path, "-o", path, "--force"], "same file"), (["strip-keys", "-", "-o", self.out], "stdin"),
                                (["inject-keys", path, "--keylog", self.file("t", "text\n"), "-o", self.out], "no line"), (["strip-keys", there, "-o", self.out], "not a capture"),
                                (["inject-keys", path, "--keylog", self.keys, "-o", self.keys, "--force"], "same file"), (["strip-keys", path, "-o", str(self.folder), "--force"], "not a file"),
                                (["redact", path, "-o", self.out, "--key", there], "16"), (["redact", "/no/such", "-o", self.out], "/no/such")):
            with self.subTest(arguments):
                self.assertIn(word, self.dump(*arguments, code=2)[1])
        self.assertEqual(Path(there).read_text(), "precious")
        self.assertEqual(Path(path).read_bytes(), PCAP)
        self.assertEqual(sorted(p.name for p in self.folder.iterdir()), ["c.pcap", "keys.log", "t", "there"])

    def test_a_full_disk_is_1_and_leaves_nothing(self):
        path = self.file("c.pcap", PCAP)

        def limited():
            resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
        for command in (["strip-keys", path], ["inject-keys", path, "--keylog", self.keys], ["redact", path]):
            done = subprocess.run([DUMP, *command, "-o", self.out], capture_output=True, timeout=60, env=ENVIRONMENT, preexec_fn=limited)
            self.assertEqual(done.returncode, 1, done.stderr)
            self.assertIn(b"cannot write", done.stderr)
            self.assertEqual(sorted(p.name for p in self.folder.iterdir()), ["c.pcap", "keys.log"])

    def test_what_is_whole_of_a_cut_file_is_written_and_it_is_2(self):
        _, err = self.dump("inject-keys", self.file("c", PCAP[:-10]), "--keylog", self.keys, "-o", self.out, code=2)
        self.assertIn("truncated", err)
        self.assertEqual(len([b for b in blocks(Path(self.out).read_bytes()) if b[0] == 6]), len(SESSION.frames) - 1)

    @unittest.skipUnless(shutil.which("tshark") and shutil.which("capinfos"), "tshark is not installed")
    def test_tshark_reads_the_result(self):
        for content in (PCAP, pcapng()):
            self.dump("inject-keys", self.file("c", content), "--keylog", self.keys, "-o", self.out, "--force")
            done = subprocess.run(["tshark", "-r", self.out, "-T", "fields", "-e", "frame.number"], capture_output=True, text=True, timeout=60)
            self.assertEqual((done.returncode, len(done.stdout.split())), (0, len(SESSION.frames)), done.stderr)
            self.assertIn("Number of decryption secrets in file: 1", subprocess.run(["capinfos", self.out], capture_output=True, text=True, timeout=60).stdout)


class Redact(FileCase):
    HIDDEN = ("missing_keys",)

    def redacted(self, content, *more):
        self.dump("redact", self.file("in", content), "-o", self.out, "--force", *more)
        return Path(self.out).read_bytes()

    def same_summary(self, content):
        before, after = self.summary(content), json.loads(self.dump("-r", self.out, "--stats", "summary", "--json")[0])
        for summary in (before, after):
            for name in self.HIDDEN:
                summary.pop(name, None)
        self.assertEqual(after, before)

    def test_the_summary_stays_and_the_secrets_go(self):
        frames = SESSION.frames
        dns = wire.udp(("8.8.8.8", 53), wire.CLIENT, b"a name that nobody should read")
        captures = {"plain": frames, "with repetitions": frames[:1] + [(300_000_000, frames[0][1])] + frames[1:] + frames[-3:], "with other traffic": frames + [(200_000_000, dns), (201_000_000, wire.ipv4(("1.2.3.4", 0), ("4.3.2.1", 0), bytes(90), protocol=6))],
                    "damaged": frames + [(210_000_000 + i, wire.damaged(frames[i][1], bit)) for i, bit in ((0, 80), (0, 4000), (1, 1000), (5, 20), (6, 150))]}
        for name, some in captures.items():
            with self.subTest(name):
                content = wire.pcap(sorted(some), nanoseconds=True)
                out = self.redacted(content)
                self.same_summary(content)
                for secret in (wire.CLIENT_ID, wire.SERVER_ID, b"nobody should read", bytes([10, 0, 0, 1]), bytes([8, 8, 8, 8])):
                    self.assertNotIn(secret, out)
                for _, data in frames:
                    self.assertNotIn(data[-24:], out)
                self.assertEqual(json.loads(self.dump("-r", self.out, "--keylog", self.keys, "--stats", "summary", "--json")[0])["decrypted"], 0)

    def test_times_sizes_and_recognition_stay(self):
        self.redacted(PCAP)
        before, after = self.records(PCAP), [json.loads(line) for line in self.dump("-r", self.out, "-T", "json")[0].splitlines()]
        kept = ("frame", "time", "length", "type", "connection", "direction", "suite", "duplicate", "retransmission")
        self.assertEqual([{k: s.get(k) for k in kept} for s in after], [{k: s.get(k) for k in kept} for s in before])
        self.assertEqual({s["src"].rsplit(":")[-1] for s in after}, {"40000", "9000"})
        self.assertTrue(all(s["src"].startswith("10.") or s["src"].startswith("172.") or s["src"].startswith("192.168.") for s in after))

    def test_a_key_gives_the_same_pseudonyms_and_no_key_others(self):
        key = self.file("key", os.urandom(32))
        one, two = self.redacted(PCAP, "--key", key), self.redacted(PCAP, "--key", key)
        self.assertEqual(one, two)
        self.assertNotEqual(self.redacted(PCAP), one)

    def test_secrets_names_and_comments_are_dropped(self):
        out = self.redacted(pcapng("<", secrets("<", wire.KEY_LOG)))
        self.assertEqual({kind for kind, _ in blocks(out)}, {0x0a0d0d0a, 1, 6})
        for word in (b"host.x", b"comment", b"packet 3", b"eth7", wire.C2S_SECRET.hex().encode()):
            self.assertNotIn(word, out)

    def test_fragments_and_cut_packets_stay_what_they_are(self):
        body = wire.udp_header(wire.CLIENT, wire.SERVER, wire.message_1())
        first = wire.ipv4(wire.CLIENT, wire.SERVER, body[:800], fragment=0x2000)
        content = wire.pcap([first] + [data for _, data in SESSION.frames[1:4]])
        self.redacted(content)
        self.same_summary(content)
        cut = wire.pcap(SESSION.frames, nanoseconds=True, snap_length=60)
        self.redacted(cut)
        self.same_summary(cut)

    @unittest.skipUnless(shutil.which("tshark"), "tshark is not installed")
    def test_tshark_finds_the_checksums_right(self):
        self.redacted(PCAP)
        done = subprocess.run(["tshark", "-r", self.out, "-o", "udp.check_checksum:TRUE", "-o", "ip.check_checksum:TRUE", "-T", "fields", "-e", "udp.checksum.status", "-e", "ip.checksum.status"],
                              capture_output=True, text=True, timeout=60)
        self.assertEqual(set(done.stdout.splitlines()), {"1\t1"}, done.stderr)


class TimesOutOfRange(FileCase):
    """A capture whose clock was broken, or that was made to break its reader."""

    def capture(self, resolution, ticks, offset=None):
        options = wire.option("<", 9, bytes([resolution])) + (wire.option("<", 14, struct.pack("<q", offset)) if offset is not None else b"")
        out = wire.section("<") + wire.interface("<", wire.RAW, options)
        return out + b"".join(wire.enhanced("<", 0, ticks(i), data) for i, (_, data) in enumerate(SESSION.frames))

    def test_they_are_damage_and_all_packets_count(self):
        count, top = len(SESSION.frames), (1 << 64) - 1
        for name, content in {"seconds": self.capture(0, lambda i: top - i), "nanoseconds": self.capture(9, lambda i: top - i), "halves": self.capture(0x81, lambda i: top - i),
                              "the year -292e9": self.capture(9, lambda i: 1, -1 << 63), "the year 292e9": self.capture(6, lambda i: top, (1 << 63) - 1)}.items():
            with self.subTest(name):
                path = self.file("times", content)
                out, err = self.dump("-r", path, "--keylog", self.keys, "--stats", "summary", "--json", code=2)
                self.assertIn(f"{count} packets whose times are out of range (the first is frame 1)", err)
                self.assertEqual(json.loads(out)["packets"], count)
                for command in (["-r", path, "-T", "json"], ["why", path, "--keylog", self.keys], ["join", path, path, "--keylog", self.keys], ["redact", path, "-o", self.out, "--force"]):
                    self.assertIn("out of range", self.dump(*command, code=2)[1], command)

    def test_one_among_good_ones_loses_its_time_only(self):
        path = self.file("times", self.capture(9, lambda i: (1 << 64) - 1 if i == 3 else wire.START + i))
        out, err = self.dump("-r", path, "-T", "json", code=2)
        self.assertIn("1 packet whose time is out of range (the first is frame 4)", err)
        self.assertEqual([json.loads(line)["frame"] for line in out.splitlines() if "time" not in json.loads(line)], [4])

    def test_the_last_times_in_range_are_no_damage(self):
        top = (1 << 62) - 1
        early, late = (self.file(name, self.capture(9, ticks)) for name, ticks in (("early", lambda i: i), ("late", lambda i: top - 1000 + i)))
        for path in (early, late):
            self.dump("why", path, "--keylog", self.keys)
            self.dump("-r", path, "--stats", "rtt", "--json", "--keylog", self.keys)
        self.dump("join", early, late, "--keylog", self.keys)
        self.dump("join", late, early, "--keylog", self.keys)
        both = self.file("both", self.capture(9, lambda i: i if i % 2 else top - i))
        self.dump("why", both, "--keylog", self.keys)
        (self.folder / "traces").mkdir()
        for path in (early, late, both):
            self.dump("-r", path, "--keylog", self.keys, "--html", str(self.folder / "page.html"), "--qlog", str(self.folder / "traces"), "--force")


class SecretsWithoutEnd(FileCase):
    def test_what_is_left_out_is_counted_and_memory_stays_bounded(self):
        lines = "".join(f"MXP_C2S_TRAFFIC_SECRET_0 {i:016x} {i + 1:064x}\n" for i in range(100_000, 320_000))
        path = self.file("full", pcapng("<", secrets("<", lines)))
        limit = (lambda: resource.setrlimit(resource.RLIMIT_DATA, (96 << 20, 96 << 20))) if not SANITIZED else None
        done = subprocess.run([DUMP, "-r", path, "--stats", "summary", "--json"], capture_output=True, text=True, timeout=60, env=ENVIRONMENT, preexec_fn=limit)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("120000 lines of the secrets in the capture were left out", done.stderr)


class Join(FileCase):
    """Two captures of one session: the server's clock is 5 s ahead, 20 ms away each way, and behind a NAT."""
    NAT = ("192.0.2.7", 61000)

    def two(self, frames, lost=(), ahead=5_000_000_000, drift=0.0, delay=20_000_000, client_hole=(0, 0), server_hole=(0, 0), server_misses=(), doubled=()):
        """Frames are (time at the sender, from the client?, datagram payload), in the order of their numbers. A hole is from and to
        what time the capture lacks everything, without the difference of the clocks; self.in_hole counts the packets in it."""
        self.in_hole = 0
        client, server = [], []
        for i, (time, up, payload) in enumerate(frames):
            arrival = time + delay
            on_server = lambda t: t + ahead + int(drift * t)
            seen_by_client = wire.udp(wire.CLIENT, wire.SERVER, payload) if up else wire.udp(wire.SERVER, wire.CLIENT, payload)
            seen_by_server = wire.udp(self.NAT, wire.SERVER, payload) if up else wire.udp(wire.SERVER, self.NAT, payload)
            at_client, at_server = (time, arrival) if up else (arrival, time)
            in_client_hole, in_server_hole = client_hole[0] <= at_client < client_hole[1], server_hole[0] <= at_server < server_hole[1]
            self.in_hole += in_client_hole + in_server_hole
            if (up or i not in lost) and not in_client_hole:
                client.append((at_client, seen_by_client))
            if (not up or i not in lost) and i not in server_misses and not in_server_hole:
                server += [(on_server(at_server), seen_by_server)] * (2 if i in doubled else 1)
        return [self.file(name, wire.pcap(sorted(some, key=lambda f: f[0]), nanoseconds=True)) for name, some in (("client", client), ("server", server))]

    def joined(self, files, *more):
        return json.loads(self.dump("join", *files, "--json", *more)[0])

    def session(self, count=200, step=1_000_000, acks=True):
        frames = [(0, True, wire.message_1()), (25_000_000, False, wire.message_2())]
        for i in range(count):
            time = 50_000_000 + i * step
            frames.append((time, True, wire.one_rtt(wire.C2S_SECRET, wire.SERVER_ID, i, wire.stream(0, 10 * i, b"0123456789"))))
            if acks and i % 4 == 3:
                frames.append((time + 1000, False, wire.one_rtt(wire.S2C_SECRET, wire.CLIENT_ID, i // 4, b"\1")))
        return frames

    def test_lost_packets_are_the_ones_that_were_lost(self):
        frames = self.session()
        lost = {10, 11, 57, 120}
        result = self.joined(self.two(frames, lost=lost))
        up = [i for i in sorted(lost) if frames[i][1]]
        self.assertEqual(result["client_to_server"]["lost"], len(up))
        self.assertEqual(result["server_to_client"]["lost"], len(lost) - len(up))
        names = {i: n + 1 for n, i in enumerate(sorted((i for i in range(len(frames)) if frames[i][1] or i not in lost), key=lambda i: frames[i][0] + (0 if frames[i][1] else 20_000_000)))}
        self.assertEqual([p["frame"] for p in result["client_to_server"]["lost_packets"]], [names[i] for i in up])
        for way in ("client_to_server", "server_to_client"):
            self.assertEqual((result[way]["not_captured_at_receiver"], result[way]["not_captured_at_sender"], result[way]["duplicated"], result[way]["reordered"]), (0, 0, 0, 0))
            self.assertAlmostEqual(result[way]["delay_ms"]["p50"], 20, delta=0.01)
        self.assertAlmostEqual(result["clocks"]["offset_ms"], 5000, delta=0.01)
        self.assertAlmostEqual(result["clocks"]["error_ms"], 20, delta=0.01)
        self.assertNotIn("drift_ppm", result["clocks"])
        self.assertEqual(result["connections"][0]["server_capture"]["client"], "192.0.2.7:61000")
        text, _ = self.dump("join", *self.two(frames, lost=lost))
        self.assertIn("the server's is 5000.000 ms ahead of the client's", text)
        self.assertIn("at the server 192.0.2.7:61000 > 10.0.0.2:9000", text)

    def test_drift_is_found(self):
        result = self.joined(self.two(self.session(count=150, step=400_000_000), drift=50e-6))
        self.assertAlmostEqual(result["clocks"]["drift_ppm"], 50, delta=1)
        self.assertAlmostEqual(result["clocks"]["offset_ms"], 5000, delta=0.1)
        for way in ("client_to_server", "server_to_client"):
            self.assertAlmostEqual(result[way]["delay_ms"]["max"], 20, delta=0.2)

    def test_a_hole_of_a_capture_is_no_loss(self):
        frames = self.session()
        hole = (120_000_000, 170_000_000)
        result = self.joined(self.two(frames, lost={20}, server_hole=hole))
        up, down = result["client_to_server"], result["server_to_client"]
        self.assertEqual(up["lost"] + down["lost"], 1)
        self.assertGreater(self.in_hole, 50)
        self.assertEqual(up["not_captured_at_receiver"] + down["not_captured_at_sender"], self.in_hole)
        result = self.joined(self.two(frames, lost={20}, client_hole=hole))
        up, down = result["client_to_server"], result["server_to_client"]
        self.assertEqual(up["lost"] + down["lost"], 1)
        self.assertEqual(up["not_captured_at_sender"] + down["not_captured_at_receiver"], self.in_hole)

    def test_with_keys_an_acknowledged_packet_was_not_lost(self):
        frames = [f for f in self.session(acks=False)]
        frames.append((50_000_000 + 201_000_000, False, wire.one_rtt(wire.S2C_SECRET, wire.CLIENT_ID, 0, wire.ack((101, 199), (0, 99)))))
        index = {number: number + 2 for number in range(200)}
        files = self.two(frames, lost={index[100]}, server_misses={index[30], index[150]})
        self.assertEqual(self.joined(files)["client_to_server"]["lost"], 3)  # without keys nothing tells them apart
        up = self.joined(files, "--keylog", self.keys)["client_to_server"]
        self.assertEqual(([p["packet_number"] for p in up["lost_packets"]], up["not_captured_at_receiver"]), ([100], 2))

    def test_duplicates_and_reordering_are_counted(self):
        frames = self.session(acks=True)
        late = list(frames)
        result = self.joined(self.two(late, doubled={40, 60}))
        self.assertEqual(result["client_to_server"]["duplicated"], sum(frames[i][1] for i in (40, 60)))
        client, server = self.two(frames)
        packets = [(i, frames[i][0]) for i in range(len(frames)) if frames[i][1]]
        slow = packets[50][0]  # takes 25.5 ms longer than the others, which overtake it
        swapped = []
        for i, (time, up, payload) in enumerate(frames):
            data = wire.udp(self.NAT, wire.SERVER, payload) if up else wire.udp(wire.SERVER, self.NAT, payload)
            swapped.append((time + 5_000_000_000 + (20_000_000 if up else 0) + (5_500_000 if i == slow else 0), data))
        server = self.file("server2", wire.pcap(sorted(swapped, key=lambda f: f[0]), nanoseconds=True))
        self.assertEqual(self.joined([client, server])["client_to_server"]["reordered"], 1)

    def test_captures_that_share_nothing_say_so(self):
        a = self.file("a", PCAP)
        b = self.file("b", wire.pcap([wire.udp(wire.CLIENT, wire.SERVER, wire.message_1(client_id=b"otherone", seed="x"))]))
        out, err = self.dump("join", a, b)
        self.assertEqual(out, "")
        self.assertIn("share no packet", err)
        self.dump("join", a, b, "--exit-nomatch", code=7)
        self.assertIn("/no/such", self.dump("join", a, "/no/such", code=2)[1])


if __name__ == "__main__":
    unittest.main()
