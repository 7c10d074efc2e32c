#!/usr/bin/env python3
"""mxp-dump as a user runs it, on captures that are made here. MXP_BIN names the folder of the tools."""
import fcntl
import json
import os
import pwd
import re
import select
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import termios
import time
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
import dump_wire as wire  # noqa: E402

BIN = Path(os.environ["MXP_BIN"])
DUMP = str(BIN / "mxp-dump")
ENVIRONMENT = {name: value for name, value in os.environ.items() if name != "MXPKEYLOGFILE"}


class DumpCase(unittest.TestCase):
    def setUp(self):
        self.folder = Path(tempfile.mkdtemp(prefix="mxp-dump-"))
        self.addCleanup(shutil.rmtree, self.folder)

    def file(self, name, content):
        path = self.folder / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return str(path)

    def dump(self, *arguments, code=0, stdin=b"", environment=None):
        done = subprocess.run([DUMP, *arguments], input=stdin, capture_output=True, timeout=60, env={**ENVIRONMENT, **(environment or {})})
        out, err = done.stdout.decode(), done.stderr.decode()
        self.assertEqual(done.returncode, code, f"{arguments}\n{out}\n{err}")
        return out, err

    def records(self, capture, *arguments, code=0, keys=False):
        more = ["--keylog", self.file("keys", wire.KEY_LOG)] if keys else []
        out, _ = self.dump("-r", self.file("capture", capture), "-T", "json", *more, *arguments, code=code)
        return [json.loads(line) for line in out.splitlines()]

    def summary(self, capture, *arguments, keys=False):
        more = ["--keylog", self.file("keys", wire.KEY_LOG)] if keys else []
        return json.loads(self.dump("-r", self.file("capture", capture), "--stats", "summary", "--json", *more, *arguments)[0])


MESSAGE_1 = wire.udp(wire.CLIENT, wire.SERVER, wire.initial())
MESSAGE_2 = wire.udp(wire.SERVER, wire.CLIENT, wire.response())
OTHER = wire.udp(("10.0.0.3", 53), wire.CLIENT, b"no packet of ours")


def unread_bytes(pipe):
    """What is in the pipe and was not read yet, seen from either end."""
    return int.from_bytes(fcntl.ioctl(pipe, termios.FIONREAD, bytes(4)), sys.byteorder)


def process_state(pid):
    """The letter of proc(5): R runs, S sleeps, Z has ended."""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]


class WrongUseAndWrongFiles(DumpCase):
    def test_wrong_usage_is_2_with_a_word(self):
        capture = self.file("c.pcap", wire.pcap([MESSAGE_1]))
        for arguments, word in (
                ([], "-r FILE"), (["-r", capture, "-i", "lo"], "either"), (["-r", capture, "-T", "xml"], "xml"), (["-r", capture, "-e", "time"], "-T fields"),
                (["-r", capture, "-T", "fields"], "-e FIELD"), (["-r", capture, "-T", "fields", "-e", "colour"], "packet_number"),
                (["-r", capture, "--stats", "everything"], "stats"), (["-r", capture, "-Y", "mxp.strem"], "-Y, column 1: there is no field \"mxp.strem\"; the nearest is mxp.stream"),
                (["-r", capture, "--port", "0"], "port"), (["-r", capture, "-c", "0"], "not in range 1 to 18446744073709551615"), (["-r", capture, "--keylog", "/no/such/file"], "/no/such/file"),
                (["-r", capture, "-f", "udp prot"], "udp prot"), (["-r", str(self.folder)], "directory"), (["-r", "/no/such/file"], "/no/such/file"),
                (["-r", capture, "--keylog", self.file("text", "this is no key log\n")], "line 1"),
                (["explain", "--help"], "use why, join, redact, inject-keys, strip-keys, -r FILE"), (["join", capture], "SERVER"),
                (["-i", "no-such-device0"], "no-such-device0: No such device exists"), (["-r", capture, "-w", "-", "-T", "text"], "stdout")):
            with self.subTest(arguments):
                out, err = self.dump(*arguments, code=2 if os.geteuid() == 0 or "-i" not in arguments or "-r" in arguments else 1)
                self.assertEqual(out, "")
                self.assertIn(word, err)
                self.assertTrue(err.startswith("mxp-dump: "))

    def test_a_key_log_that_is_no_file_is_refused_and_not_waited_for(self):
        capture = self.file("c.pcap", wire.pcap([MESSAGE_1]))
        pipe = self.folder / "keys"
        os.mkfifo(pipe)  # nobody writes to it
        for path in (pipe, "/dev/zero", self.folder):
            with self.subTest(path):
                out, err = self.dump("-r", capture, "--keylog", str(path), code=2)
                self.assertEqual(out, "")
                self.assertRegex(err, f"cannot use the key log {path}: it is (not a regular file|a directory)")
        environment = {**ENVIRONMENT, "MXPKEYLOGFILE": str(pipe)}
        done = subprocess.run([DUMP, "-r", capture], capture_output=True, text=True, timeout=60, env=environment)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("MXPKEYLOGFILE is not used", done.stderr)

    def test_what_is_no_capture_is_2_and_says_what_it_is(self):
        for content, word in ((b"", "empty"), (b"just some text\nin a file\n", "text"), (b"\x1f\x8b\x08\0\0\0", "ends in the middle of its gzip data"), (b"\x28\xb5\x2f\xfd\x24", "ends in the middle of its zstd data"), (b"\x1f\x8b\x08\xff" + bytes(20), "damaged gzip data"), (b"\x7fELF\2\1\1\0", "not a capture"), (b"\xd4\xc3", "not a capture")):
            with self.subTest(content):
                self.assertIn(word, self.dump("-r", self.file("f", content), code=2)[1])
                self.assertIn(word, self.dump("-r", "-", stdin=content, code=2)[1])

    def test_json_on_stdout_beside_packets_is_2(self):
        out, err = self.dump("-r", self.file("c.pcap", wire.pcap([MESSAGE_1])), "--json", code=2)
        self.assertEqual(json.loads(out)["error"]["kind"], "usage")
        self.assertIn("--json=FILE", err)

    def test_a_failure_is_json_too(self):
        out, _ = self.dump("-r", self.file("f", b""), "--stats", "summary", "--json", code=2)
        self.assertEqual(json.loads(out)["error"]["kind"], "usage")

    def test_help_and_version_are_0(self):
        self.assertIn("Examples", self.dump("--help")[0])
        self.assertIn("mxp-dump", self.dump("--version")[0])

    def test_a_file_cut_at_any_byte_shows_what_is_whole(self):
        short = wire.udp(wire.CLIENT, wire.SERVER, wire.initial(size=14))
        first, second = wire.pcap([short]), wire.pcap([short, short])
        ng = wire.section("<") + wire.interface("<", wire.RAW, wire.option("<", 9, b"\x09"))
        ng_blocks = [ng, ng + wire.enhanced("<", 0, wire.START, short), ng + wire.enhanced("<", 0, wire.START, short) * 2]
        for whole, clean_ends in ((second, {24: 0, len(first): 1, len(second): 2}),
                                  (ng_blocks[2], {28: 0, len(ng): 0, len(ng_blocks[1]): 1, len(ng_blocks[2]): 2})):
            for size in range(len(whole) + 1):
                done = subprocess.run([DUMP, "-r", "-", "-T", "json"], input=whole[:size], capture_output=True, timeout=60, env=ENVIRONMENT)
                packets = len(done.stdout.splitlines())
                self.assertEqual(done.returncode, 0 if size in clean_ends else 2, f"at byte {size}: {done.stderr}")
                expected = clean_ends.get(size, max((n for end, n in clean_ends.items() if end <= size), default=0))
                self.assertEqual(packets, expected, f"at byte {size}")
        _, err = self.dump("-r", "-", stdin=second[:-1], code=2)
        self.assertIn(f"frame 2, whose record starts at byte {len(first)}", err)

    def test_a_length_that_lies_is_2_and_names_the_place(self):
        lie = bytearray(wire.pcap([MESSAGE_1, MESSAGE_1]))
        second = 24 + 16 + len(MESSAGE_1)
        lie[second + 8:second + 12] = struct.pack("<I", 0x7fffffff)
        out, err = self.dump("-r", "-", stdin=bytes(lie), code=2)
        self.assertEqual(len(out.splitlines()), 1)
        self.assertIn(f"frame 2, byte {second}", err)
        ng = wire.section("<") + wire.interface("<", wire.RAW)
        packet = wire.enhanced("<", 0, 0, MESSAGE_1)
        for name, broken in (("block length", packet[:4] + struct.pack("<I", 16) + packet[8:]), ("odd length", packet[:4] + struct.pack("<I", 1301) + packet[8:]),
                             ("trailer", packet[:-4] + bytes(4)), ("captured length", packet[:20] + struct.pack("<I", 0x7fffffff) + packet[24:]),
                             ("interface", packet[:8] + struct.pack("<I", 9) + packet[12:])):
            with self.subTest(name):
                self.assertIn("malformed", self.dump("-r", "-", stdin=ng + broken, code=2)[1])
        # A skipped block may be of any length; here it only never ends.
        self.assertIn("truncated", self.dump("-r", "-", stdin=ng + struct.pack("<II", 0x77, 0xfffffffc) + bytes(100), code=2)[1])


class FormatsAndLinks(DumpCase):
    def test_both_byte_orders_and_both_resolutions_say_the_same(self):
        packets = [(123_456_000, MESSAGE_1), (223_456_000, MESSAGE_2)]
        shown = [self.records(wire.pcap(packets, order, nanoseconds)) for order in "<>" for nanoseconds in (False, True)]
        self.assertEqual(shown[0][0]["frame"], 1)
        self.assertAlmostEqual(shown[0][0]["time"], 1_700_000_000.123456, places=6)
        self.assertEqual([s["type"] for s in shown[0]], ["initial", "response"])
        for other in shown[1:]:
            self.assertEqual(other, shown[0])

    def test_pcapng_with_sections_interfaces_resolutions_and_strange_blocks(self):
        capture = b""
        for order in "<>":
            ticks = (wire.START + 500_000_000)
            binary = (1_700_000_000 << 20) | 1 << 19
            capture += (wire.section(order) + wire.interface(order, wire.RAW)
                        + wire.interface(order, 1, wire.option(order, 2, b"eth0") + wire.option(order, 9, b"\x09"))
                        + wire.interface(order, wire.RAW, wire.option(order, 9, b"\x94"))
                        + wire.block(order, 10, struct.pack(order + "II", 0x4d58504b, 4) + b"keys")
                        + wire.block(order, 0x80000001, b"local block")
                        + wire.enhanced(order, 0, ticks // 1000, MESSAGE_1)
                        + wire.enhanced(order, 1, ticks, bytes(12) + b"\x08\x00" + MESSAGE_1)
                        + wire.enhanced(order, 2, binary, MESSAGE_1)
                        + wire.block(order, 2, struct.pack(order + "HHIIII", 0, 0, (ticks // 1000) >> 32, ticks // 1000 & 0xffffffff, len(MESSAGE_1), len(MESSAGE_1)) + MESSAGE_1)
                        + wire.block(order, 3, struct.pack(order + "I", len(MESSAGE_1)) + MESSAGE_1)
                        + wire.block(order, 5, bytes(12)))
        shown = self.records(capture)
        self.assertEqual([s["frame"] for s in shown], list(range(1, 11)))
        times = [s.get("time") for s in shown]
        self.assertEqual(times, [1_700_000_000.5] * 4 + [None] + [1_700_000_000.5] * 4 + [None])

    def test_every_link_type_leads_to_the_datagram(self):
        v6 = wire.ipv6(("2001:db8::1", 1), ("2001:db8::2", 2), wire.udp_header(("", 40000), ("", 9000), wire.initial()))
        ether = bytes(12)
        for name, link_type, data in (
                ("raw 4", 101, MESSAGE_1), ("raw 6", 101, v6), ("ipv4", 228, MESSAGE_1), ("ipv6", 229, v6), ("ethernet", 1, ether + b"\x08\x00" + MESSAGE_1),
                ("ethernet padded", 1, ether + b"\x08\x00" + MESSAGE_1 + bytes(6)), ("vlan", 1, ether + b"\x81\x00\0\5\x86\xdd" + v6),
                ("qinq", 1, ether + b"\x88\xa8\0\5\x81\x00\0\6\x08\x00" + MESSAGE_1), ("null", 0, struct.pack("<I", 2) + MESSAGE_1), ("null big", 0, struct.pack(">I", 30) + v6),
                ("loop", 108, struct.pack(">I", 2) + MESSAGE_1), ("sll", 113, bytes(14) + b"\x08\x00" + MESSAGE_1), ("sll2", 276, b"\x86\xdd" + bytes(18) + v6)):
            with self.subTest(name):
                shown = self.records(wire.pcap([data], link_type=link_type))
                self.assertEqual([(s["type"], s["length"]) for s in shown], [("initial", 1200)])
                self.assertEqual(shown[0]["src"], "[2001:db8::1]:40000" if v6 in data else "10.0.0.1:40000")

    def test_an_unknown_link_type_is_said(self):
        self.assertIn("link type", self.dump("-r", self.file("c", wire.pcap([MESSAGE_1], link_type=147)))[1])

    def test_ip_options_and_extension_headers_are_passed_over(self):
        body = wire.udp_header(wire.CLIENT, wire.SERVER, wire.initial())
        with_options = wire.ipv4(wire.CLIENT, wire.SERVER, body, options=b"\x01" * 8)
        extended = wire.ipv6(("::1", 1), ("::2", 2), body, extensions=[(0, b"\0" + bytes(6)), (60, b"\1" + bytes(14)), (51, b"\4" + bytes(22))])
        self.assertEqual([s["length"] for s in self.records(wire.pcap([with_options, extended]))], [1200, 1200])

    def test_fragments_are_called_so_and_counted(self):
        body = wire.udp_header(wire.CLIENT, wire.SERVER, wire.initial())
        parts = [wire.ipv4(wire.CLIENT, wire.SERVER, body[:800], fragment=0x2000), wire.ipv4(wire.CLIENT, wire.SERVER, body[800:], fragment=100)]
        v6 = [wire.ipv6(("::1", 1), ("::2", 2), body[:800], extensions=[(44, b"\0\0\1" + bytes(4))]), wire.ipv6(("::1", 1), ("::2", 2), body[800:], extensions=[(44, b"\0\3\x20" + bytes(4))])]
        whole = wire.pcap(parts + v6)
        shown = self.records(whole)
        self.assertEqual([(s["frame"], s["type"], s["fragments"], s["length"]) for s in shown], [(2, "initial", 2, 1200), (4, "initial", 2, 1200)])
        self.assertNotIn("fragment", shown[0])
        summary = self.summary(whole)
        self.assertEqual((summary["reassembled"], summary.get("fragments"), summary["packets"]), (2, None, 2))
        self.assertIn("[of 2 fragments]", self.dump("-r", self.file("c", whole))[0])
        # All frames of a datagram are written.
        self.dump("-r", self.file("c", whole), "-w", str(self.folder / "out.pcap"))
        self.assertEqual(self.summary((self.folder / "out.pcap").read_bytes())["reassembled"], 2)

        shown = self.records(wire.pcap([parts[0], v6[0]]))
        self.assertEqual([(s["type"], s["fragment"], s["length"]) for s in shown], [("initial", True, 1200)] * 2)
        self.assertIn("[fragment]", self.dump("-r", self.file("c", wire.pcap([parts[0], v6[0]])))[0])
        self.assertEqual(self.summary(wire.pcap([parts[1], v6[1]]))["fragments"], 2)
        self.dump("-r", self.file("c", wire.pcap([parts[0]])), "-w", str(self.folder / "first.pcap"))
        self.assertEqual(self.summary((self.folder / "first.pcap").read_bytes())["packets"], 1)

    def test_packets_cut_by_the_snap_length_are_shown_as_such(self):
        shown = self.records(wire.pcap([MESSAGE_1, MESSAGE_2, wire.c2s(0, b"\1" * 100)], snap_length=60), keys=True)
        self.assertEqual([s["truncated"] for s in shown], [True] * 3)
        self.assertEqual([s["captured_length"] for s in shown], [32] * 3)
        self.assertEqual(shown[2]["not_decrypted"], "incomplete")

    def test_headers_that_contradict_themselves_are_counted_and_passed_over(self):
        bad = [MESSAGE_1[:10], b"\x41" + MESSAGE_1[1:], MESSAGE_1[:24] + b"\0\3" + MESSAGE_1[26:], MESSAGE_1[:24] + b"\xff\xff" + MESSAGE_1[26:],
               wire.ipv6(("::1", 1), ("::2", 2), b"", extensions=[(0, b"\xff" + bytes(6))])]
        self.assertEqual(self.summary(wire.pcap(bad + [MESSAGE_1]))["malformed"], len(bad))


class WithoutKeys(DumpCase):
    SESSION = wire.pcap([(0, MESSAGE_1), (300_000_000, MESSAGE_1), (320_000_000, MESSAGE_2), (345_000_000, wire.c2s(0, b"\1")),
                         (350_000_000, wire.s2c(0, b"\1")), (360_000_000, OTHER)])

    def test_the_clear_part_is_told(self):
        shown = self.records(self.SESSION)
        self.assertEqual([s["type"] for s in shown], ["initial", "initial", "response", "1rtt", "1rtt"])
        self.assertEqual([s["direction"] for s in shown], ["client_to_server"] * 2 + ["server_to_client", "client_to_server", "server_to_client"])
        self.assertEqual([s.get("retransmission", False) for s in shown], [False, True, False, False, False])
        self.assertEqual({s["connection"] for s in shown}, {1})
        self.assertEqual(shown[3]["destination_id"], wire.SERVER_ID.hex())
        self.assertNotIn("frames", shown[3])
        self.assertNotIn("packet_number", shown[3])

    def test_the_summary_counts_and_leaves_out_what_it_cannot_know(self):
        summary = self.summary(self.SESSION)
        self.assertEqual([summary[name] for name in ("connections", "packets", "handshake_messages_repeated", "handshake_ms", "confirmation_ms")], [1, 5, 1, 320.0, 345.0])
        self.assertEqual(summary["bytes"], 3600 + 29 + 29)
        self.assertEqual(summary["other_udp"], 1)
        for name in ("lost", "retransmitted", "not_captured"):
            self.assertNotIn(name, summary)
        self.assertEqual(summary["missing_keys"], [line.rsplit(" ", 1)[0] for line in wire.KEY_LOG.splitlines()])

    def test_the_missing_keys_are_named(self):
        self.assertIn(f"MXP_C2S_TRAFFIC_SECRET_0 {wire.SERVER_ID.hex()}", self.dump("-r", self.file("c", self.SESSION))[1])

    def test_a_repetition_with_another_ephemeral_key_is_a_new_attempt(self):
        again = wire.udp(wire.CLIENT, wire.SERVER, wire.initial(fill=8))
        packets = [(i * 400_000_000, packet) for i, packet in enumerate((MESSAGE_1, again, MESSAGE_1, again))]
        self.assertEqual([s.get("retransmission", False) for s in self.records(wire.pcap(packets))], [False, False, True, True])

    def test_an_unanswered_handshake_has_no_time(self):
        summary = self.summary(wire.pcap([MESSAGE_1, MESSAGE_1]))
        self.assertNotIn("handshake_ms", summary)
        self.assertEqual(summary["unanswered"], 1)

    def test_a_capture_of_other_protocols_is_0_and_says_so(self):
        tcp = wire.ipv4(wire.CLIENT, wire.SERVER, bytes(40), protocol=6)
        quic = wire.udp(wire.CLIENT, wire.SERVER, b"\xc3\0\0\0\1" + bytes(1195))
        rtp_like = wire.udp(wire.CLIENT, wire.SERVER, b"\x40" + bytes(60))
        capture = wire.pcap([tcp, quic, rtp_like, OTHER])
        out, err = self.dump("-r", self.file("c", capture))
        self.assertEqual(out, "")
        self.assertIn("no MXP found in 4 frames (3 other UDP datagrams)", err)
        self.dump("-r", self.file("c", capture), "--exit-nomatch", code=7)
        self.assertEqual(self.summary(capture)["packets"], 0)
        self.dump("-r", self.file("c", self.SESSION), "--exit-nomatch")

    def test_a_connection_joined_in_its_middle_needs_the_port(self):
        capture = wire.pcap([wire.s2c(70, b"\1"), wire.c2s(70, b"\1")])
        self.assertEqual(self.records(capture), [])
        self.assertEqual([s["direction"] for s in self.records(capture, "--port", "9000")], ["server_to_client", "client_to_server"])

    def test_several_handshakes_from_one_port_are_told_apart(self):
        ids = [bytes([i]) * 8 for i in (1, 2)]
        packets = [wire.udp(wire.CLIENT, wire.SERVER, wire.initial(i)) for i in ids] + [wire.udp(wire.SERVER, wire.CLIENT, wire.response(i)) for i in ids]
        packets += [wire.udp(wire.CLIENT, wire.SERVER, wire.one_rtt(wire.C2S_SECRET, bytes([64 + i[0]]) * 8, 0, b"\1")) for i in ids]
        packets += [wire.udp(wire.SERVER, wire.CLIENT, wire.one_rtt(wire.S2C_SECRET, i, 0, b"\1")) for i in reversed(ids)]
        self.assertEqual([s["connection"] for s in self.records(wire.pcap(packets))], [1, 2, 1, 2, 1, 2, 2, 1])

    def test_a_client_that_moves_is_followed_by_its_ids(self):
        moved = wire.udp(("10.9.9.9", 1234), wire.SERVER, wire.one_rtt(wire.C2S_SECRET, wire.SERVER_ID, 1, b"\1"))
        shown = self.records(wire.pcap([MESSAGE_1, MESSAGE_2, wire.c2s(0, b"\1"), moved]))
        self.assertEqual([s["connection"] for s in shown], [1] * 4)

    def test_a_message_1_that_every_server_drops_is_noted(self):
        shown = self.records(wire.pcap([wire.udp(wire.CLIENT, wire.SERVER, wire.initial(size=900))]))
        self.assertIn("1200..1500", shown[0]["notes"][0])


class WithKeys(DumpCase):
    def test_packets_are_shown_down_to_their_frames(self):
        shown = self.records(wire.pcap([MESSAGE_1, MESSAGE_2, wire.c2s(0, b"\1" + wire.stream(0, 5, b"hello", fin=True)), wire.s2c(0, wire.ack((0, 0)) + b"\x10\x7f\xff")]), keys=True)
        self.assertEqual(shown[2]["packet_number"], 0)
        self.assertEqual(shown[2]["frames"], [{"type": "ping"}, {"type": "stream", "stream_id": 0, "offset": 5, "length": 5, "fin": True}])
        self.assertEqual(shown[3]["frames"], [{"type": "ack", "largest": 0, "delay_us": 25, "ranges": [[0, 0]]}, {"type": "max_data", "limit": 0x3fff}])

    def test_receive_times_are_shown_from_the_latest_back(self):
        # 5 at 1500 us; 3 and 2 before it, at 1400 and 1390 us.
        payload = b"\x21\5\x19\0\5\1\2\3" + b"\2" + b"\0\1\x45\xdc" + b"\2\2\x40\x64\x0a"
        capture = wire.pcap([MESSAGE_1, MESSAGE_2] + [wire.c2s(i, b"\1") for i in range(6)] + [wire.s2c(0, payload)])
        self.assertEqual(self.records(capture, keys=True)[-1]["frames"], [{"type": "ack", "largest": 5, "delay_us": 25, "ranges": [[0, 5]], "ect0": 1, "ect1": 2, "ce": 3,
                                                                           "receive_times_us": [[5, 1500], [3, 1400], [2, 1390]]}])
        text = self.dump("-r", self.file("capture", capture), "--keylog", self.file("keys", wire.KEY_LOG))[0].splitlines()
        self.assertIn("ACK 0-5 delay 25us ecn 1/2/3 received 5@1500us 3@1400us 2@1390us", text[-1])

    def test_frames_of_paths_and_ids_are_shown(self):
        eight = bytes(range(0xc0, 0xc8))
        payload = b"\x05\3\x0a\x53\x88\1\x1f" + b"\x18\2\1" + eight + b"\x18\0\0" + eight + b"\x19\1" + b"\x1a" + eight + b"\x1b" + eight
        capture = wire.pcap([MESSAGE_1, MESSAGE_2, wire.c2s(0, payload)])
        self.assertEqual(self.records(capture, keys=True)[2]["frames"], [
            {"type": "ack_frequency", "sequence": 3, "threshold": 10, "max_ack_delay_us": 5000, "reordering_threshold": 1},
            {"type": "immediate_ack"},
            {"type": "new_connection_id", "sequence": 2, "retire_prior_to": 1, "connection_id": eight.hex()},
            {"type": "new_connection_id", "sequence": 0, "retire_prior_to": 0, "connection_id": eight.hex()},
            {"type": "retire_connection_id", "sequence": 1},
            {"type": "path_challenge", "data": eight.hex()}, {"type": "path_response", "data": eight.hex()}])
        out, _ = self.dump("-r", self.file("c", capture), "--keylog", self.file("k", wire.KEY_LOG))
        for text in ("ACK_FREQUENCY 3 threshold 10 delay 5000us reordering 1", "IMMEDIATE_ACK", f"NEW_CONNECTION_ID 2 {eight.hex()} retire below 1",
                     f"NEW_CONNECTION_ID 0 {eight.hex()}", "RETIRE_CONNECTION_ID 1", f"PATH_CHALLENGE {eight.hex()}", f"PATH_RESPONSE {eight.hex()}"):
            self.assertIn(text, out)

    def test_datagrams_are_shown(self):
        capture = wire.pcap([MESSAGE_1, MESSAGE_2, wire.c2s(0, b"\x31\2hi\x31\0\x01\x30hello")])
        self.assertEqual(self.records(capture, keys=True)[2]["frames"], [
            {"type": "datagram", "length": 2}, {"type": "datagram", "length": 0}, {"type": "ping"}, {"type": "datagram", "length": 5}])
        keys = self.file("k", wire.KEY_LOG)
        self.assertIn("DATAGRAM 2, DATAGRAM 0, PING, DATAGRAM 5", self.dump("-r", self.file("c", capture), "--keylog", keys)[0])
        out, _ = self.dump("-r", self.file("c", capture), "--keylog", keys, "-T", "fields", "-e", "frames.type", "-e", "datagram.length")
        self.assertEqual(out.splitlines()[2], "datagram,datagram,ping,datagram\t2,0,5")

    def test_messages_are_shown_with_what_is_in_them(self):
        body = bytes.fromhex("3150584d1200000005000000000000000000000000000000020000000000000075701e0d0d2d12e3b0fa")
        payload = b"\x32\x09\x2a" + body + b"\x37\x0a\x05\x12\0\x05up" + b"\x37\x0b\x01\x12" + b"\x33\x0c\x02\x2a" + b"\x34\x10\x44\0" + b"\x38\x44\0\x05" + b"\x3a\x0d\x45\0\x44\0\x02ab"
        capture = wire.pcap([MESSAGE_1, MESSAGE_2, wire.c2s(0, payload)])
        event = {"type": "Event", "flags": 0, "id": 5, "trace_id": 0, "payload_length": 2}
        shown = self.records(capture, keys=True)[2]["frames"]
        self.assertEqual(shown[0] | {"message": None, "message_error": None}, {"type": "message", "sequence": 9, "compact": False, "length": 42, "message": None, "message_error": None})
        self.assertEqual(shown[1:], [
            {"type": "message", "sequence": 10, "compact": True, "length": 5, "message": event},
            {"type": "message", "sequence": 11, "compact": True, "length": 1, "message_error": "message is cut off"},
            {"type": "expired", "first": 12, "count": 3, "length": 42},
            {"type": "max_messages", "window": 16, "limit": 1024}, {"type": "messages_blocked", "limit": 1024, "needed": 5},
            {"type": "message_part", "sequence": 13, "compact": True, "offset": 1024, "length": 2, "body_length": 1280}])
        out, _ = self.dump("-r", self.file("c", capture), "--keylog", self.file("k", wire.KEY_LOG))
        for text in ("MESSAGE 10 compact Event id 5 [2]", "MESSAGE 11 compact not a message: message is cut off [1]", "EXPIRED 12-14 [42]", "MAX_MESSAGES 1024 window 16", "MESSAGES_BLOCKED 1024 needs 5", "MESSAGE_PART 13 compact 1024-1025 of 1280"):
            self.assertIn(text, out)

    def test_ordered_is_shown_with_the_frame_that_it_is_of(self):
        payload = bytes.fromhex("3b0d 370a0512000575 70 3b03 3a0d 4500 4400 02 6162 3b06 330c022a".replace(" ", ""))
        capture = wire.pcap([MESSAGE_1, MESSAGE_2, wire.c2s(0, payload)])
        self.assertEqual(self.records(capture, keys=True)[2]["frames"], [
            {"type": "message", "sequence": 10, "compact": True, "length": 5, "channel": "control", "distance": 3, "message": {"type": "Event", "flags": 0, "id": 5, "trace_id": 0, "payload_length": 2}},
            {"type": "message_part", "sequence": 13, "compact": True, "offset": 1024, "length": 2, "body_length": 1280, "channel": "background", "distance": 0},
            {"type": "expired", "first": 12, "count": 3, "length": 42, "channel": "streaming", "distance": 1}])
        out, _ = self.dump("-r", self.file("c", capture), "--keylog", self.file("k", wire.KEY_LOG))
        self.assertIn("ORDERED control after 7 MESSAGE 10 compact Event id 5 [2], ORDERED background MESSAGE_PART 13 compact 1024-1025 of 1280, ORDERED streaming after 11 EXPIRED 12-14 [42]", out)

    def test_drain_is_shown_with_its_state(self):
        capture = wire.pcap([MESSAGE_1, MESSAGE_2, wire.c2s(0, bytes.fromhex("360080007530" "3601" "3602"))])
        self.assertEqual(self.records(capture, keys=True)[2]["frames"], [
            {"type": "drain", "state": "begins", "time_ms": 30000}, {"type": "drain", "state": "done"}, {"type": "drain", "state": "agrees"}])
        out, _ = self.dump("-r", self.file("c", capture), "--keylog", self.file("k", wire.KEY_LOG))
        self.assertIn("DRAIN begins within 30000ms, DRAIN done, DRAIN agrees", out)

    def test_a_connection_joined_late_is_decrypted(self):
        for number, size in ((5, 1), (70_000, 1), (70_000, 2), (9_000_000, 2), (5_000_000_000, 4)):
            with self.subTest(number=number, size=size):
                shown = self.records(wire.pcap([wire.c2s(number, b"\1", number_size=size), wire.c2s(number + 1, b"\1", number_size=size)]), keys=True)
                self.assertEqual([s["packet_number"] for s in shown], [number, number + 1])
                self.assertEqual(shown[0]["suite"], "chacha20")

    def test_repeated_stream_data_and_duplicates_are_marked(self):
        twice = wire.c2s(1, wire.stream(0, 100, b"x" * 50))
        packets = [MESSAGE_1, MESSAGE_2, wire.c2s(0, wire.stream(0, 0, b"x" * 100)), twice, twice, wire.c2s(2, wire.stream(0, 120, b"x" * 50)),
                   wire.c2s(3, wire.stream(4, 0, b"x")), wire.c2s(4, wire.stream(4, 1, b"", fin=True)), wire.c2s(5, wire.stream(4, 1, b"", fin=True))]
        shown = self.records(wire.pcap(packets), keys=True)[2:]
        self.assertEqual([s.get("retransmission", False) for s in shown], [False, False, False, True, False, False, True])
        self.assertEqual([s.get("duplicate", False) for s in shown], [False, False, True, False, False, False, False])
        self.assertEqual(self.summary(wire.pcap(packets), keys=True)["retransmitted"], 2)

    def test_lost_is_what_was_never_acknowledged(self):
        sent = [wire.c2s(n, b"\1") for n in range(10)]
        acknowledged = wire.s2c(0, wire.ack((8, 8), (4, 6), (0, 2)))  # 7 is still within the packet threshold of 8
        self.assertEqual(self.summary(wire.pcap([MESSAGE_1, MESSAGE_2] + sent + [acknowledged]), keys=True)["lost"], 1)
        late = wire.s2c(1, wire.ack((8, 8), (3, 6)))
        self.assertEqual(self.summary(wire.pcap([MESSAGE_1, MESSAGE_2] + sent + [acknowledged, late]), keys=True)["lost"], 0)

    def test_without_acknowledgements_nothing_is_called_lost(self):
        summary = self.summary(wire.pcap([MESSAGE_1, MESSAGE_2] + [wire.c2s(n, b"\1") for n in (0, 1, 4, 5, 7, 10)]), keys=True)
        self.assertNotIn("lost", summary)
        # A sender leaves out single numbers; two in a row were sent, and are not in the capture.
        self.assertEqual((summary["not_captured"], summary["unknown"]), (4, 1))

    def test_both_sides_of_a_relay_are_one_connection(self):
        relay = ("10.0.0.9", 7000)
        packets = []
        for data, source, destination in ((wire.initial(), wire.CLIENT, wire.SERVER), (wire.response(), wire.SERVER, wire.CLIENT),
                                          (wire.one_rtt(wire.C2S_SECRET, wire.SERVER_ID, 0, wire.stream(0, 0, b"data")), wire.CLIENT, wire.SERVER)):
            packets += [wire.udp(source, relay, data), wire.udp(relay, destination, data)]
        summary = self.summary(wire.pcap(packets), keys=True)
        self.assertEqual((summary["connections"], summary["packets"], summary["retransmitted"], summary["not_captured"]), (1, 6, 0, 0))

    def test_a_key_that_does_not_fit_is_said(self):
        keys = self.file("wrong", wire.KEY_LOG.replace(wire.C2S_SECRET.hex(), "ab" * 32))
        out, err = self.dump("-r", self.file("c", wire.pcap([MESSAGE_1, MESSAGE_2, wire.c2s(0, b"\1")])), "--keylog", keys)
        self.assertIn("[key does not fit]", out)
        self.assertIn(wire.SERVER_ID.hex(), err)

    def test_the_key_log_may_come_from_the_environment_and_hold_strange_lines(self):
        keys = self.file("keys", "# comment\n\nCLIENT_RANDOM 00 11\r\n" + wire.KEY_LOG + "MXP_C2S_TRAFFIC_SECRET_0 51")
        out, err = self.dump("-r", self.file("c", wire.pcap([wire.c2s(0, b"\1")])), environment={"MXPKEYLOGFILE": keys})
        self.assertIn("PING", out)
        self.assertIn("line 3", err)

    def test_a_batch_captured_before_segmentation_is_taken_apart(self):
        packets = [wire.one_rtt(wire.C2S_SECRET, wire.SERVER_ID, n, wire.stream(0, 100 + 1000 * n, b"x" * (1000 if n < 2 else 300))) for n in range(3)]
        shown = self.records(wire.pcap([MESSAGE_1, MESSAGE_2, wire.udp(wire.CLIENT, wire.SERVER, b"".join(packets))]), keys=True)[2:]
        self.assertEqual([(s["frame"], s["segment"], s["packet_number"], s["length"]) for s in shown], [(3, n, n, len(packets[n])) for n in range(3)])

    def test_malformed_frames_are_noted_after_those_that_are_whole(self):
        shown = self.records(wire.pcap([MESSAGE_1, MESSAGE_2, wire.c2s(0, b"\1\x06\0")]), keys=True)
        self.assertEqual(shown[2]["frames"], [{"type": "ping"}])
        self.assertIn("frame encoding error", shown[2]["notes"][0])

    def test_what_a_peer_chose_cannot_drive_the_terminal(self):
        capture = wire.pcap([MESSAGE_1, MESSAGE_2, wire.c2s(0, wire.close(b"\x1b[2J\"quoted\"\xff\nnew line"))])
        out, _ = self.dump("-r", self.file("c", capture), "--keylog", self.file("keys", wire.KEY_LOG))
        self.assertNotIn("\x1b", out)
        self.assertEqual(len(out.splitlines()), 3)
        reason = self.records(capture, keys=True)[2]["frames"][0]["reason"]
        self.assertIn('"quoted"', reason)
        self.assertNotIn("\n", reason)


class MovingClients(DumpCase):
    """Ids and addresses that change, docs/protocol.md sections 3.2 and 4.1."""
    MOVED = ("10.9.9.9", 1234)

    @staticmethod
    def given(sequence, connection_id, retire_prior_to=0):
        return b"\x18" + wire.varint(sequence) + wire.varint(retire_prior_to) + connection_id

    @staticmethod
    def new_id(number):
        return wire.noise(8, f"id {number}")

    def to_client(self, number, connection_id, frames=b"\1", client=wire.CLIENT):
        return wire.udp(wire.SERVER, client, wire.one_rtt(wire.S2C_SECRET, connection_id, number, frames))

    def to_server(self, number, connection_id, frames=b"\1", client=wire.CLIENT):
        return wire.udp(client, wire.SERVER, wire.one_rtt(wire.C2S_SECRET, connection_id, number, frames))

    def session(self):
        """Both sides give an id; the client moves, both use them, and the old ones are retired. Packets of the old path are late."""
        at_client, at_server = self.new_id(0xc11e), self.new_id(0x5e71)
        return [MESSAGE_1, MESSAGE_2, wire.c2s(0, self.given(1, at_client)), wire.s2c(0, self.given(1, at_server)),
                self.to_server(1, at_server, b"\x1a12345678", self.MOVED), self.to_client(1, at_client, b"\x1b12345678", self.MOVED),
                self.to_server(2, at_server, b"\x19\0" + wire.stream(0, 0, b"moved"), self.MOVED), self.to_client(2, at_client, b"\x19\0", self.MOVED),
                wire.c2s(3, b"\1"), wire.s2c(3, b"\1")]

    def test_ids_that_were_given_belong_to_the_connection(self):
        capture = self.file("capture", wire.pcap(self.session()))
        keys = self.file("keys", wire.KEY_LOG)
        for source in (["-r", capture], ["-r", "-"]):  # with a look at the whole file before, and without
            with self.subTest(source):
                out, _ = self.dump(*source, "--keylog", keys, "-T", "json", stdin=Path(capture).read_bytes())
                shown = [json.loads(line) for line in out.splitlines()]
                self.assertEqual([s["connection"] for s in shown], [1] * 10)
                self.assertEqual([s["direction"] for s in shown], ["client_to_server", "server_to_client"] * 5)
                self.assertEqual([s["packet_number"] for s in shown[2:]], [0, 0, 1, 1, 2, 2, 3, 3])
                self.assertEqual([s["decrypted"] for s in shown[2:]], [True] * 8)
                self.assertEqual([s["destination_id"] for s in shown[2:6]],
                                 [wire.SERVER_ID.hex(), wire.CLIENT_ID.hex(), self.new_id(0x5e71).hex(), self.new_id(0xc11e).hex()])
        summary = self.summary(wire.pcap(self.session()), keys=True)
        self.assertEqual([summary[name] for name in ("connections", "packets", "decrypted", "damaged", "other_udp", "not_captured")], [1, 10, 8, 0, 0, 0])
        text = self.dump("-r", capture, "--keylog", keys, "--stats", "summary")[0]
        self.assertIn(f"ids: server {wire.SERVER_ID.hex()}, client {wire.CLIENT_ID.hex()}", text)

    def test_without_keys_other_ids_are_not_known(self):
        capture = wire.pcap(self.session())
        self.assertEqual([s["frame"] for s in self.records(capture)], [1, 2, 3, 4, 9, 10])
        self.assertEqual(self.summary(capture)["other_udp"], 4)
        by_port = self.records(capture, "--port", str(wire.SERVER[1]))
        self.assertEqual([s["connection"] for s in by_port], [1] * 4 + [2] * 4 + [1] * 2)

    def test_of_the_ids_of_a_direction_64_are_kept(self):
        packets = [MESSAGE_1, MESSAGE_2] + [wire.c2s(n, self.given(n + 1, self.new_id(n + 1))) for n in range(65)]
        packets += [self.to_client(0, self.new_id(1)), self.to_client(1, self.new_id(2)), self.to_client(2, self.new_id(65)), self.to_client(3, self.new_id(2))]
        packets += [wire.c2s(n, self.given(n + 1, self.new_id(n + 1))) for n in range(65, 130)]
        packets += [self.to_client(4, self.new_id(2)), self.to_client(5, self.new_id(65)), self.to_client(6, self.new_id(130)), wire.s2c(7, b"\1")]
        shown = [s for s in self.records(wire.pcap(packets), keys=True) if s["direction"] == "server_to_client" and s["type"] == "1rtt"]
        # The id of the latest packet stays, and so does the first one.
        self.assertEqual([s["packet_number"] for s in shown], [1, 2, 3, 4, 6, 7])

    def test_an_id_of_another_connection_stays_with_it(self):
        other_client, other_server, other_secret = b"other cl", b"other se", bytes(range(200, 232))
        packets = [MESSAGE_1, MESSAGE_2, wire.udp(wire.CLIENT, wire.SERVER, wire.initial(other_client, fill=8)), wire.udp(wire.SERVER, wire.CLIENT, wire.response(other_client, fill=8)),
                   self.to_server(0, wire.SERVER_ID), wire.udp(wire.CLIENT, wire.SERVER, wire.one_rtt(other_secret, other_server, 0, b"\1")),
                   self.to_server(1, wire.SERVER_ID, self.given(1, other_client)), self.to_client(0, wire.CLIENT_ID, self.given(1, other_server)),
                   wire.udp(wire.CLIENT, wire.SERVER, wire.one_rtt(other_secret, other_server, 1, b"\1"))]
        keys = self.file("k", wire.KEY_LOG + f"MXP_C2S_TRAFFIC_SECRET_0 {other_server.hex()} {other_secret.hex()}\n")
        out, _ = self.dump("-r", self.file("c", wire.pcap(packets)), "--keylog", keys, "-T", "json")
        shown = [json.loads(line) for line in out.splitlines()]
        self.assertEqual([s["connection"] for s in shown], [1, 1, 2, 2, 1, 2, 1, 1, 2])
        self.assertEqual([s["decrypted"] for s in shown if s["type"] == "1rtt"], [True] * 5)

    def test_a_damaged_id_of_a_moved_connection_is_recognised(self):
        at_client = self.new_id(0xc11e)
        packets = [MESSAGE_1, MESSAGE_2, wire.c2s(0, self.given(1, at_client)), self.to_client(0, at_client), wire.damaged(self.to_client(1, at_client), 12)]
        last = self.records(wire.pcap(packets), keys=True)[-1]
        self.assertEqual([last[name] for name in ("connection", "damaged", "packet_number", "destination_id")], [1, True, 1, at_client.hex()])
        self.assertIn("1 bit of its connection id is wrong", last["notes"])

    def test_a_client_with_many_addresses_is_one_connection_with_its_handshake(self):
        moves = [self.to_server(n, wire.SERVER_ID, client=("10.9.9.9", 1000 + n)) for n in range(1, 9)]
        capture = wire.pcap([MESSAGE_1, MESSAGE_2, wire.c2s(0, b"\1"), *moves])
        for keys in (False, True):
            summary = self.summary(capture, keys=keys)
            self.assertEqual([summary[name] for name in ("connections", "packets", "handshake_ms", "duplicates")], [1, 11, 1.0, 0])
        self.assertIn("10.0.0.1:40000 > 10.0.0.2:9000 and more than 3 other paths", self.dump("-r", self.file("c", capture), "--stats", "summary")[0])


class KeyUpdates(DumpCase):
    """docs/protocol.md §3.1."""

    @staticmethod
    def secret(first, phase):
        for _ in range(phase):
            first = wire.expand(first, b"mxp1 ku", 32)
        return first

    def payload(self, first, destination, phase, number, frames=b"\1\0\0"):
        """Packet number in two bytes; the mask is made with the hp of phase 0."""
        secret = self.secret(first, phase)
        header = bytes([0x41 | (phase & 1) << 2]) + destination + (number & 0xffff).to_bytes(2, "big")
        nonce = bytes(a ^ b for a, b in zip(wire.expand(secret, b"mxp1 iv", 12), number.to_bytes(12, "big")))
        packet = bytearray(header + wire.seal(wire.expand(secret, b"mxp1 key", 32), nonce, header, frames))
        sample = bytes(packet[13:29])
        mask = wire.chacha20_block(wire.expand(first, b"mxp1 hp", 32), int.from_bytes(sample[:4], "little"), sample[4:])
        for i, bits in ((0, 0x1f), (9, 0xff), (10, 0xff)):
            packet[i] ^= mask[max(0, i - 8)] & bits
        return bytes(packet)

    def c2s(self, phase, number):
        return wire.udp(wire.CLIENT, wire.SERVER, self.payload(wire.C2S_SECRET, wire.SERVER_ID, phase, number))

    def lines(self, *phases):
        return "".join(f"MXP_C2S_TRAFFIC_SECRET_{phase} {wire.SERVER_ID.hex()} {self.secret(wire.C2S_SECRET, phase).hex()}\n" for phase in phases)

    def shown(self, packets, log):
        out, err = self.dump("-r", self.file("c", wire.pcap(packets)), "--keylog", self.file("k", log), "-T", "json")
        return [json.loads(line) for line in out.splitlines()], err

    def test_phases_are_followed_and_their_beginnings_are_marked(self):
        packets = [MESSAGE_1, MESSAGE_2] + [self.c2s(number // 4, number) for number in range(16)]
        packets[7], packets[8] = packets[8], packets[7]  # within phase 1
        packets[5], packets[6] = packets[6], packets[5]  # across that turn
        log = self.lines(0, 1, 2, 3)
        shown, err = self.shown(packets, log)
        shown = shown[2:]
        self.assertEqual([s["decrypted"] for s in shown], [True] * 16)
        self.assertEqual({s["packet_number"]: s["key_phase"] for s in shown}, {number: number // 4 % 2 for number in range(16)})
        self.assertEqual([(s["packet_number"], s["notes"]) for s in shown if "notes" in s],
                         [(4, ["key phase 1 begins"]), (8, ["key phase 2 begins"]), (12, ["key phase 3 begins"])])
        self.assertEqual(err, "")
        out, _ = self.dump("-r", self.file("c", wire.pcap(packets)), "--keylog", self.file("k", log))
        self.assertEqual(sum(1 for line in out.splitlines() if line.endswith(" [key phase 2 begins]")), 1)

    def test_both_sides_of_a_relay_turn_once(self):
        relay = ("10.0.0.9", 7000)
        payloads = [self.payload(wire.C2S_SECRET, wire.SERVER_ID, number // 5, number) for number in range(15)]
        before = [wire.udp(wire.CLIENT, relay, payload) for payload in payloads]
        after = [wire.udp(relay, wire.SERVER, payload) for payload in payloads]
        delay = 3
        packets = [packet for i in range(len(payloads) + delay) for packet in before[i:i + 1] + (after[i - delay:i - delay + 1] if i >= delay else [])]
        shown, _ = self.shown(packets, self.lines(0))
        self.assertEqual([s["decrypted"] for s in shown], [True] * 30)
        self.assertEqual(sum("notes" in s for s in shown), 2)

    def test_a_hole_of_whole_phases_is_passed(self):
        for hole in (1, 2, 5, 300):
            for log in (self.lines(0), self.lines(0, 1, 2 + hole, 3 + hole)):
                with self.subTest(hole=hole, log=log.count("\n")):
                    phase, number = 2 + hole, 10_020 * (2 + hole)
                    packets = [self.c2s(0, 0), self.c2s(1, 10_030), self.c2s(phase, number), self.c2s(phase, number + 1), self.c2s(phase + 1, number + 2)]
                    shown, _ = self.shown(packets, log)
                    self.assertEqual([s.get("packet_number") for s in shown], [0, 10_030, number, number + 1, number + 2])
                    self.assertIn(f"in key phase {phase}; its beginning was not captured", shown[2]["notes"])
                    self.assertEqual(shown[4]["notes"], [f"key phase {phase + 1} begins"])

    def test_a_capture_joined_in_a_later_phase_is_decrypted(self):
        for phase in (1, 2, 40, 301):
            for log in (self.lines(0), self.lines(0, phase, phase + 1)):
                with self.subTest(phase=phase, log=log.count("\n")):
                    shown, _ = self.shown([self.c2s(phase, 10_040 * phase), self.c2s(phase, 10_040 * phase + 1)], log)
                    self.assertEqual([s.get("packet_number") for s in shown], [10_040 * phase, 10_040 * phase + 1])
                    self.assertEqual([s.get("notes") for s in shown], [[f"in key phase {phase}"], None])

    def test_forged_phase_bits_turn_nothing(self):
        packets, forged = [MESSAGE_1, MESSAGE_2], []
        for number in range(40):
            packet = self.c2s(number // 20, number)
            packets += [packet[:28] + bytes([packet[28] ^ 4]) + packet[29:], packet]
            forged += [True, False]
        shown, _ = self.shown(packets, self.lines(0))
        self.assertEqual([not s["decrypted"] for s in shown[2:]], forged)
        self.assertEqual([s["notes"] for s in shown if "notes" in s], [["key phase 1 begins"]])

    def test_later_phases_without_phase_0_are_no_key_and_that_is_said(self):
        log = self.lines(1, 2)
        shown, err = self.shown([self.c2s(1, 10_000), self.c2s(2, 20_000)], log)
        self.assertEqual([s["not_decrypted"] for s in shown], ["no key"] * 2)
        self.assertEqual({s["direction"] for s in shown}, {"client_to_server"})
        said = [line for line in err.splitlines() if f"without MXP_C2S_TRAFFIC_SECRET_0 {wire.SERVER_ID.hex()}" in line]
        self.assertEqual(len(said), 1, err)
        self.assertTrue(said[0].endswith("the lines of later key phases of this id open nothing; let the log begin before the connection does"), err)
        for more, says in ((self.lines(0), "keys for 1 of 1 connection id\n"),
                           (f"MXP_C2S_TRAFFIC_SECRET_3 {'ee' * 8} {'00' * 32}\n", "of this id and of 1 more open nothing;"),
                           (f"MXP_C2S_TRAFFIC_SECRET_0 {'ee' * 8} {'00' * 32}\n", "keys for 1 of 2 connection ids\n")):
            self.assertIn(says, self.dump("-r", self.file("c", wire.pcap([MESSAGE_1])), "--keylog", self.file("later", log + more), "-v")[1])
        self.assertNotIn("without MXP_", self.shown([self.c2s(1, 10_000)], self.lines(2, 1, 0))[1])


class Output(DumpCase):
    SESSION = wire.pcap([MESSAGE_1, OTHER, MESSAGE_2, wire.c2s(0, b"\1")])

    def test_fields_are_columns(self):
        out, _ = self.dump("-r", self.file("c", self.SESSION), "--keylog", self.file("k", wire.KEY_LOG), "-T", "fields", "-e", "frame", "-e", "type", "-e", "packet_number", "-e", "frames.type")
        self.assertEqual(out, "1\tinitial\t\t\n3\tresponse\t\t\n4\t1rtt\t0\tping,padding\n")

    def test_text_is_one_line_a_packet_without_colour_in_a_pipe(self):
        out, _ = self.dump("-r", self.file("c", self.SESSION))
        self.assertEqual(len(out.splitlines()), 3)
        self.assertNotIn("\x1b", out)
        self.assertRegex(out.splitlines()[0], r"^ +1 +0\.000000 +10\.0\.0\.1:40000 > 10\.0\.0\.2:9000 +1200 +#1 +initial")

    def test_count_stops_after_so_many_packets_of_mxp(self):
        self.assertEqual([s["frame"] for s in self.records(self.SESSION, "-c", "2")], [1, 3])

    def test_a_capture_filter_is_for_files_too(self):
        self.assertEqual([s["frame"] for s in self.records(self.SESSION, "-f", "src host 10.0.0.2")], [3])

    def test_the_packets_of_mxp_are_copied(self):
        source, copy = self.file("c", self.SESSION), str(self.folder / "copy.pcap")
        out, _ = self.dump("-r", source, "-w", copy)
        self.assertEqual(out, "")
        strip = lambda record: {key: value for key, value in record.items() if key != "frame"}
        self.assertEqual([strip(s) for s in self.records(Path(copy).read_bytes())], [strip(s) for s in self.records(self.SESSION)])
        self.assertIn("--force", self.dump("-r", source, "-w", copy, code=2)[1])
        self.dump("-r", source, "-w", copy, "--force", "-c", "1")
        self.assertEqual(len(self.records(Path(copy).read_bytes())), 1)
        self.assertIn("the same file as", self.dump("-r", source, "-w", source, "--force", code=2)[1])
        self.assertEqual(Path(source).read_bytes(), self.SESSION)

    def test_an_input_that_is_no_capture_leaves_an_old_output_alone(self):
        old = self.file("old.pcap", b"precious")
        self.dump("-r", self.file("empty", b""), "-w", old, "--force", code=2)
        self.assertEqual(Path(old).read_bytes(), b"precious")

    def test_the_summary_in_text_and_json_agree(self):
        capture = self.file("c", self.SESSION)
        text, _ = self.dump("-r", capture, "--stats", "summary")
        self.assertRegex(text, r"(?m)^connections +1$")
        self.assertRegex(text, r"(?m)^packets +3$")
        report = self.folder / "s.json"
        self.dump("-r", capture, f"--json={report}")
        self.assertEqual(json.loads(report.read_text()), json.loads(self.dump("-r", capture, "--stats", "summary", "-T", "json")[0]))

    def test_a_reader_that_goes_away_is_no_error(self):
        capture = self.file("c", wire.pcap([MESSAGE_1] * 20000, snap_length=60))
        run = subprocess.Popen([DUMP, "-r", capture], stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=ENVIRONMENT)
        run.stdout.readline()
        run.stdout.close()
        self.assertEqual(run.stderr.read(), b"")
        run.stderr.close()
        self.assertEqual(run.wait(timeout=30), 0)

    def test_a_reader_of_the_pcap_or_of_the_json_that_goes_away_is_no_error(self):
        capture = self.file("c", wire.pcap([MESSAGE_1] * 4000, snap_length=60))  # more than a pipe and a buffer hold
        for option in ("-w", "--json"):
            with self.subTest(option):
                reader, writer = os.pipe()
                os.close(reader)
                where = ["-w", "-"] if option == "-w" else [f"--json=/dev/fd/{writer}"]
                run = subprocess.run([DUMP, "-r", capture, "--quiet", *where], stdout=writer if option == "-w" else subprocess.DEVNULL,
                                     stderr=subprocess.PIPE, pass_fds=[writer], timeout=30, env=ENVIRONMENT)
                os.close(writer)
                self.assertEqual((run.returncode, run.stderr), (0, b""))

    def test_pipes_that_do_not_block_get_everything(self):
        packets = 20000  # of them much more than a pipe holds
        capture = self.file("c", wire.pcap([MESSAGE_1] * packets, snap_length=60))
        for arguments in (("-T", "text"), ("-T", "json"), ("-w", "-")):
            with self.subTest(" ".join(arguments)):
                reader, writer = os.pipe()
                os.set_blocking(writer, False)
                run = subprocess.Popen([DUMP, "-r", capture, "--quiet", *arguments], stdout=writer, stderr=subprocess.PIPE, env=ENVIRONMENT)
                # Not before the pipe is full, or all has gone wrong.
                room = select.poll()
                room.register(writer, select.POLLOUT)
                deadline = time.monotonic() + 20
                while run.poll() is None and room.poll(0) and time.monotonic() < deadline:
                    time.sleep(0.01)
                os.close(writer)
                with open(reader, "rb") as out:
                    got = out.read()
                _, err = run.communicate(timeout=30)
                self.assertEqual((run.returncode, err), (0, b""))
                expected = subprocess.run([DUMP, "-r", capture, *arguments], capture_output=True, timeout=30, env=ENVIRONMENT).stdout
                self.assertGreater(len(got), packets * 60)
                self.assertTrue(got == expected)

    def test_a_message_waits_for_a_stderr_that_does_not_block(self):
        reader, writer = os.pipe()
        os.set_blocking(writer, False)
        filling = 0
        while True:
            try:
                filling += os.write(writer, bytes(4096))
            except BlockingIOError:
                break
        run = subprocess.Popen([DUMP, "-r", "/nonexistent"], stdout=subprocess.DEVNULL, stderr=writer, env=ENVIRONMENT)
        os.close(writer)
        deadline = time.monotonic() + 3
        while run.poll() is None and "poll" not in Path(f"/proc/{run.pid}/wchan").read_text() and time.monotonic() < deadline:
            time.sleep(0.01)
        with open(reader, "rb") as err:
            self.assertIn(b"/nonexistent", err.read()[filling:])
        self.assertEqual(run.wait(timeout=30), 2)

    def test_a_full_disk_is_1(self):
        with open("/dev/full", "wb") as full:
            done = subprocess.run([DUMP, "-r", self.file("c", self.SESSION)], stdout=full, stderr=subprocess.PIPE, timeout=30, env=ENVIRONMENT)
        self.assertEqual(done.returncode, 1)
        self.assertIn(b"stdout", done.stderr)

    def test_a_signal_ends_a_pipe_with_the_summary_and_130(self):
        run = subprocess.Popen([DUMP, "-r", "-"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=ENVIRONMENT)
        run.stdin.write(self.SESSION)
        run.stdin.flush()
        # Its input is drained, and then it sleeps: it has done what there was and waits for more.
        deadline = time.monotonic() + 20
        while not (unread_bytes(run.stdin) == 0 and process_state(run.pid) == "S"):
            self.assertIsNone(run.poll())
            self.assertLess(time.monotonic(), deadline)
            time.sleep(0.005)
        run.send_signal(signal.SIGINT)
        out, err = run.communicate(timeout=20)
        self.assertEqual(run.returncode, 130, err)
        self.assertEqual(len(out.splitlines()), 3)
        self.assertIn(b"packets        3", err)


@unittest.skipUnless(os.geteuid() == 0, "capturing needs rights")
class Live(DumpCase):
    def test_packets_of_an_interface_are_shown_and_written(self):
        written = self.folder / "live.pcap"
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sink, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
            sink.bind(("127.0.0.1", 0))
            port = sink.getsockname()[1]
            run = subprocess.Popen([DUMP, "-i", "lo", "-f", f"udp port {port}", "-w", str(written), "-T", "json", "-c", "1"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=ENVIRONMENT)
            first = run.stderr.readline()
            self.addCleanup(run.stderr.close)
            self.addCleanup(run.stdout.close)
            if b"capturing" not in first:
                run.wait(timeout=20)
                self.skipTest(first.decode())
            sender.sendto(wire.initial(), ("127.0.0.1", port))
            shown = json.loads(run.stdout.readline())
            self.assertEqual(run.wait(timeout=20), 0)
        self.assertEqual((shown["type"], shown["dst"]), ("initial", f"127.0.0.1:{port}"))
        self.assertEqual(len(self.records(written.read_bytes())), 1)


@unittest.skipUnless(os.geteuid() == 0, "only root has something to give up")
class Privileges(DumpCase):
    def capture(self, *arguments, environment=None):
        """A capture that waits for its first packet: what the kernel says of the process, and its files."""
        keys = self.file("keys", wire.KEY_LOG)
        os.chmod(keys, 0o600)
        run = subprocess.Popen([DUMP, "-i", "lo", "-f", "udp port 1", "-w", str(self.folder / "w.pcap"), "--force", f"--json={self.folder / 'w.json'}", "--keylog", keys, *arguments],
                               stderr=subprocess.PIPE, env={**ENVIRONMENT, **(environment or {})})
        self.addCleanup(run.stderr.close)
        self.addCleanup(lambda: run.poll() is None and run.kill())
        first = run.stderr.readline()
        if b"capturing" not in first:
            run.wait(timeout=20)
            self.skipTest(first.decode())
        status = dict(line.split(":\t", 1) for line in Path(f"/proc/{run.pid}/status").read_text().splitlines() if ":\t" in line)
        run.send_signal(signal.SIGINT)
        self.assertEqual(run.wait(timeout=20), 130, run.stderr.read())
        self.assertIn("packets", json.loads((self.folder / "w.json").read_text()))
        self.assertEqual((self.folder / "w.pcap").stat().st_size, 24)
        return status

    def test_root_is_given_up_before_the_first_packet(self):
        nobody = str(pwd.getpwnam("nobody").pw_uid)
        for environment, user in (({"SUDO_UID": "", "SUDO_GID": ""}, nobody), ({"SUDO_UID": "0", "SUDO_GID": "0"}, nobody), ({"SUDO_UID": "1234", "SUDO_GID": "1235"}, "1234")):
            with self.subTest(environment):
                status = self.capture(environment=environment)
                self.assertEqual(status["Uid"].split(), [user] * 4)
                self.assertNotIn("0", status["Gid"].split())
                self.assertEqual(status["Groups"].split(), [])
                for capabilities in ("CapInh", "CapPrm", "CapEff"):
                    self.assertEqual(int(status[capabilities], 16), 0)
                self.assertEqual(status["NoNewPrivs"], "1")

    def test_the_user_may_be_named(self):
        account = pwd.getpwnam("daemon")
        self.assertEqual(self.capture("--user", "daemon", environment={"SUDO_UID": "1234", "SUDO_GID": "1235"})["Uid"].split(), [str(account.pw_uid)] * 4)
        self.assertEqual(self.capture("--user", "root")["Uid"].split(), ["0"] * 4)
        self.assertIn("no such user", self.dump("-i", "lo", "--user", "no-such-user", code=2)[1])
        self.assertIn("-i INTERFACE", self.dump("-r", "x", "--user", "daemon", code=2)[1])


@unittest.skipUnless((BIN / "mxp-cat").exists() and (BIN / "mxp-netem").exists(), "mxp-cat and mxp-netem are not built")
class RealSessions(DumpCase):
    """How sessions are made and captured."""

    def start(self, *arguments, pattern, stdin=subprocess.DEVNULL, environment=None):
        run = subprocess.Popen(arguments, stdin=stdin, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env={**ENVIRONMENT, **(environment or {})})
        self.addCleanup(run.stdout.close)
        self.addCleanup(run.stderr.close)
        self.addCleanup(lambda: run.poll() is None and run.kill())
        lines = []
        while line := run.stderr.readline().decode():
            lines.append(line)
            if found := re.search(pattern, line):
                return run, found
        self.fail(f"{arguments}: {lines}")

    def transfer(self, size, *link, listener_logs_keys=True):
        """Bytes from a client to a server through a relay that captures; the paths of key log and capture."""
        keys, capture, received = self.folder / "keys", self.folder / "capture.pcapng", self.folder / "received"
        home = {"XDG_CONFIG_HOME": str(self.folder), "HOME": str(self.folder)}
        logging = {**home, "MXPKEYLOGFILE": str(keys)}
        server, listening = self.start(str(BIN / "mxp-cat"), "listen", "127.0.0.1:0", pattern=r"listening (mxp://\S+@)127\.0\.0\.1:(\d+)",
                                       environment=logging if listener_logs_keys else home)
        relay, relaying = self.start(str(BIN / "mxp-netem"), "-l", "127.0.0.1:0", "-t", f"127.0.0.1:{listening[2]}", *link, "--seed", "7",
                                     "--pcap", str(capture), pattern=r"relaying 127\.0\.0\.1:(\d+)")
        data = os.urandom(size)
        with open(self.file("data", data), "rb") as source, open(self.folder / "client.log", "w+b") as log, open(received, "wb") as sink:
            client = subprocess.Popen([str(BIN / "mxp-cat"), "connect", f"{listening[1]}127.0.0.1:{relaying[1]}"], stdin=source, stdout=subprocess.DEVNULL, stderr=log,
                                      env={**ENVIRONMENT, **logging})
            self.addCleanup(lambda: client.poll() is None and client.kill())
            shutil.copyfileobj(server.stdout, sink)
            code = client.wait(timeout=60)
            log.seek(0)
            self.assertEqual(code, 0, log.read())
        self.assertEqual(received.read_bytes(), data)
        relay.send_signal(signal.SIGTERM)
        relay.wait(timeout=20)
        return keys, capture


class RealSession(RealSessions):
    def test_a_session_through_a_lossy_relay_is_decrypted(self):
        size = 400_000
        keys, capture = self.transfer(size, "delay 10ms loss 5%")
        out, err = self.dump("-r", str(capture), "--keylog", str(keys), "-T", "json")
        shown = [json.loads(line) for line in out.splitlines()]
        self.assertEqual({s["decrypted"] for s in shown if s["type"] == "1rtt"}, {True}, err)
        sent = set()
        for record in shown:
            if record["direction"] == "client_to_server":
                for frame in record.get("frames", []):
                    if frame["type"] == "stream" and frame["stream_id"] == 0:
                        sent.update(range(frame["offset"], frame["offset"] + frame["length"]))
        self.assertEqual(len(sent), size)
        summary = json.loads(self.dump("-r", str(capture), "--keylog", str(keys), "--stats", "summary", "--json")[0])
        self.assertEqual(summary["connections"], 1)
        self.assertGreater(summary["lost"], 0)
        self.assertGreater(summary["retransmitted"], 0)
        self.assertGreaterEqual(summary["handshake_ms"], 20)

    def test_a_session_behind_a_nat_that_forgets_is_one_connection(self):
        # The server goes to each new address of the client with a fresh id of it, which only the encrypted packets tell.
        keys, capture = self.transfer(3_000_000, "delay 10ms rate 20mbit rebind 200ms")
        out, err = self.dump("-r", str(capture), "--keylog", str(keys), "-T", "json")
        shown = [json.loads(line) for line in out.splitlines()]
        packets = [s for s in shown if s["type"] == "1rtt"]
        self.assertEqual({s["decrypted"] for s in packets}, {True}, err)
        self.assertEqual({s["connection"] for s in shown}, {1})
        to_client = {s["destination_id"] for s in packets if s["direction"] == "server_to_client"}
        self.assertGreater(len(to_client), 3)
        self.assertGreater(len({s["src"] for s in packets if s["direction"] == "client_to_server"}), 4)
        summary = json.loads(self.dump("-r", str(capture), "--keylog", str(keys), "--stats", "summary", "--json")[0])
        self.assertEqual([summary[name] for name in ("connections", "other_udp", "damaged", "packets")], [1, 0, 0, len(shown)])
        self.assertEqual(summary["frames"], len({s["frame"] for s in shown}))
        self.assertEqual(summary["decrypted"], len(packets))
        # The log names first ids alone.
        self.assertEqual(len({line.split(" ")[1] for line in keys.read_text().splitlines()}), 2)
        self.assertGreaterEqual(summary["handshake_ms"], 20)

    def test_a_transfer_across_key_updates_is_decrypted_completely(self):
        # A rate and a short queue, so that the round trip stays short: each update has to wait for three probe timeouts after the
        # one before was confirmed (docs/protocol.md §3.1).
        keys, capture = self.transfer(28_000_000, "mtu 1500 rate 200mbit limit 300", listener_logs_keys=False)
        out, err = self.dump("-r", str(capture), "--keylog", str(keys), "-T", "json")
        turns = {"client_to_server": [], "server_to_client": []}
        opened = 0
        for line in out.splitlines():
            # Most of the lines differ only in numbers; only a few need to be looked at closely.
            if '"type":"1rtt"' in line and '"decrypted":true' in line and '"notes"' not in line:
                opened += 1
                continue
            record = json.loads(line)
            self.assertIn(record["type"], ("initial", "response", "1rtt"))
            if record["type"] == "1rtt":
                self.assertTrue(record["decrypted"], line)
                opened += 1
                turns[record["direction"]] += record["notes"]
        self.assertGreater(opened, 37_000, err)  # both sides of the relay
        for way in turns.values():
            self.assertGreater(len(way), 0)
            self.assertEqual(way, [f"key phase {n + 1} begins" for n in range(len(way))])
        # The server follows with its next packet; behind a turn at the very end there may be none.
        self.assertIn(len(turns["client_to_server"]) - len(turns["server_to_client"]), (0, 1))
        # The log has each phase once for each direction (docs/protocol.md §8).
        named = [line.split(" ")[0] for line in keys.read_text().splitlines()]
        self.assertEqual(sorted(named), sorted(f"MXP_{way}_TRAFFIC_SECRET_{phase}" for way in ("C2S", "S2C") for phase in range(len(named) // 2)))
        self.assertEqual(len(named) // 2 - 1, len(turns["client_to_server"]))


if __name__ == "__main__":
    unittest.main()
