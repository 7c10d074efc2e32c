#!/usr/bin/env python3
"""mxp-dump -Y on captures with known answers, and the JSON Schema of -T json."""
import json
import os
import subprocess
import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
import dump_wire as wire  # noqa: E402
from dump_test import DumpCase  # noqa: E402

try:
    import jsonschema
except ImportError:
    jsonschema = None

SESSION = wire.Session()
CAPTURE = wire.pcap(SESSION.frames, nanoseconds=True)
SCHEMA_FILE = Path(__file__).resolve().parents[2] / "docs" / "schema" / "mxp-dump-packet.schema.json"


def numbers(records):
    return [record["packet_number"] for record in records if record.get("direction") == "client_to_server" and "packet_number" in record]


class DisplayFilters(DumpCase):
    def test_lost_packets_are_those_that_never_arrived(self):
        shown = self.records(CAPTURE, "-Y", "mxp.lost", keys=True)
        self.assertEqual(numbers(shown), sorted(SESSION.lost))
        self.assertTrue(all(record["lost"] for record in shown))
        self.assertEqual(self.summary(CAPTURE, keys=True)["lost"], len(shown))
        rest = self.records(CAPTURE, "-Y", "not mxp.lost", keys=True)
        self.assertEqual(len(rest) + len(shown), len(SESSION.frames))

    def test_lost_packets_are_known_too_where_the_frames_are_not_in_order(self):
        frames = list(SESSION.frames)
        frames[10], frames[30] = frames[30], frames[10]
        shown = self.records(wire.pcap(frames, nanoseconds=True), "-Y", "mxp.lost", keys=True)
        self.assertEqual(numbers(shown), sorted(SESSION.lost))

    def test_without_keys_nothing_is_called_lost(self):
        self.dump("-r", self.file("c", CAPTURE), "-Y", "mxp.lost", "--exit-nomatch", code=7)

    def test_lost_as_a_column(self):
        out, _ = self.dump("-r", self.file("c", CAPTURE), "--keylog", self.file("k", wire.KEY_LOG), "-T", "fields", "-e", "mxp.packet_number", "-e", "lost", "-Y", "mxp.direction == client_to_server and mxp.decrypted")
        self.assertEqual([int(line.split("\t")[0]) for line in out.splitlines() if line.endswith("\t1")], sorted(SESSION.lost))

    def test_what_only_later_packets_tell_needs_a_file(self):
        out, err = self.dump("-r", "-", "-Y", "mxp.lost", stdin=CAPTURE, code=2)
        self.assertEqual(out, "")
        self.assertIn("needs a file", err)
        path = str(self.folder / "pipe")
        os.mkfifo(path)
        done = self.folder / "go"
        done.write_text(f"cat {self.file('c', CAPTURE)} > {path}")
        writer = subprocess.Popen(["sh", str(done)], stderr=subprocess.DEVNULL)
        self.assertIn("read only once", self.dump("-r", path, "-Y", "mxp.lost", code=2)[1])
        writer.wait(10)

    def test_a_filter_is_for_what_is_printed_counted_and_written(self):
        keys, capture = self.file("k", wire.KEY_LOG), self.file("c", CAPTURE)
        acks = [record for record in self.records(CAPTURE, keys=True) if any(frame["type"] == "ack" for frame in record.get("frames", []))]
        shown = self.records(CAPTURE, "-Y", "mxp.frame.type == ack", keys=True)
        self.assertEqual(shown, acks)
        self.assertEqual(len(self.records(CAPTURE, "-Y", "mxp.frame.type == ack", "-c", "3", keys=True)), 3)
        path = str(self.folder / "out.pcap")
        self.dump("-r", capture, "--keylog", keys, "-Y", "mxp.frame.type == ack", "-w", path)
        with open(path, "rb") as file:
            written = file.read()
        self.assertEqual(len(self.records(written, keys=True)), len(acks))

    def test_statistics_are_of_connections_with_a_packet_that_matches(self):
        second = ("10.0.0.1", 40001)
        other = [(10**9, wire.udp(second, wire.SERVER, wire.message_1(b"\x77" * 8, seed="other 1"))), (2 * 10**9, wire.udp(wire.SERVER, second, wire.message_2(b"\x77" * 8, seed="other 2")))]
        frames = [*SESSION.frames, *other]
        both = self.summary(wire.pcap(frames, nanoseconds=True))
        self.assertEqual(both["connections"], 2)
        one = self.summary(wire.pcap(frames, nanoseconds=True), "-Y", "udp.port == 40001 and mxp.type == response")
        self.assertEqual((one["connections"], one["packets"]), (1, 2))

    def test_what_matches_nothing_is_said_and_is_7_on_request(self):
        capture = self.file("c", CAPTURE)
        out, err = self.dump("-r", capture, "-Y", "udp.port == 1")
        self.assertEqual(out, "")
        self.assertIn(f"none of {len(SESSION.frames)} packets of MXP matches the filter", err)
        self.dump("-r", capture, "-Y", "udp.port == 1", "--exit-nomatch", code=7)
        self.dump("-r", capture, "-Y", "udp.port == 9000", "--exit-nomatch")

    def test_times_in_text_count_from_the_first_packet_though_it_is_not_shown(self):
        out, _ = self.dump("-r", self.file("c", CAPTURE), "-Y", "mxp.type == response")
        self.assertEqual(out.split()[1], "0.050000")

    def test_a_wrong_filter_is_2_with_its_column_and_the_nearest_name(self):
        capture = self.file("c", CAPTURE)
        for expression, words in (("mxp.lost && mxp.strem == 4", ["column 13", "mxp.strem", "mxp.stream"]), ("mxp.length == big", ["column 15", "a number"]),
                                  ("", ["column 1", "empty"]), ("mxp.a\x1b[31m == 1", ["column"])):
            out, err = self.dump("-r", capture, "-Y", expression, code=2)
            self.assertEqual(out, "")
            self.assertTrue(err.startswith("mxp-dump: "))
            self.assertNotIn("\x1b", err)
            for word in words:
                self.assertIn(word, err)


def every_frame():
    """Packets that have every type of frame, and every form of it (docs/protocol.md §4)."""
    v = wire.varint
    message = b""
    yield b"\0" * 5 + b"\1" + wire.ack((5, 9), (1, 2))
    yield b"\x03" + wire.ack((5, 9))[1:] + v(4) + v(0) + v(1)
    yield b"\x05" + v(1) + v(10) + v(25000) + v(3) + b"\x1f"
    yield b"\x06" + v(4) + v(7) + v(1000) + b"\x07" + v(4) + v(7)
    yield wire.stream(4, 100, b"data", fin=True) + wire.stream(0, 0, b"x")
    yield b"\x10" + v(1 << 20) + b"\x11" + v(4) + v(1 << 18) + b"\x12" + v(100) + b"\x13" + v(3)
    yield b"\x14" + v(1 << 20) + b"\x15" + v(4) + v(1 << 18) + b"\x16" + v(100) + b"\x17" + v(3)
    yield b"\x18" + v(1) + v(0) + b"\x91" * 8 + b"\x19" + v(0)
    yield b"\x1a" + bytes(range(8)) + b"\x1b" + bytes(range(8))
    yield b"\x31" + v(5) + b"hello" + b"\x34" + v(1024) + v(1 << 20) + b"\x38" + v(1 << 20) + v(77)
    yield b"\x33" + v(3) + v(2) + v(10) + b"\x36\0" + v(5000) + b"\x36\1" + b"\x36\2" + message
    yield b"\x32" + v(0) + v(12) + b"no message.." + b"\x1c" + v(10) + v(8) + v(3) + b"why"
    yield wire.close(b"enough")
    yield b"\x7f\xff"


class Schema(DumpCase):
    def schema(self):
        return json.loads(self.dump("--json-schema")[0])

    def captures(self):
        yield "session", CAPTURE
        yield "frames", wire.pcap([wire.udp(wire.CLIENT, wire.SERVER, wire.message_1()), wire.udp(wire.SERVER, wire.CLIENT, wire.message_2()), *(wire.c2s(i, body) for i, body in enumerate(every_frame()))])
        yield "cut", wire.pcap([data for _, data in SESSION.frames], snap_length=60)
        yield "damaged", wire.pcap([wire.damaged(data, 20 if i % 3 else 100) if i > 2 else data for i, (_, data) in enumerate(SESSION.frames)] + [data for _, data in SESSION.frames[3:9]])

    def test_the_schema_in_the_documentation_is_the_one_of_the_tool(self):
        self.assertEqual(SCHEMA_FILE.read_text(), self.dump("--json-schema")[0])

    @unittest.skipUnless(jsonschema, "python3-jsonschema is not installed")
    def test_every_line_is_as_the_schema_says(self):
        schema = self.schema()
        jsonschema.Draft202012Validator.check_schema(schema)
        validator = jsonschema.Draft202012Validator(schema)
        kinds = set()
        for name, capture in self.captures():
            for keys in (False, True):
                for record in self.records(capture, "-Y", "mxp.lost or not mxp.lost", keys=keys):
                    kinds |= {frame["type"] for frame in record.get("frames", [])}
                    for error in validator.iter_errors(record):
                        self.fail(f"{name}: {error.message}\n{record}")
        self.assertGreaterEqual(len(kinds), 24, kinds)

    @unittest.skipUnless(jsonschema, "python3-jsonschema is not installed")
    def test_the_schema_refuses_what_is_no_such_line(self):
        validator = jsonschema.Draft202012Validator(self.schema())
        good = self.records(CAPTURE, keys=True)[5]
        self.assertTrue(validator.is_valid(good))
        for change in ({"length": "1200"}, {"colour": 1}, {"time": "now"}, {"type": "2rtt"}, {"packet_number": -1}, {"frames": [{"type": "stream"}]}, {"frames": [{"type": "unheard"}]}):
            self.assertFalse(validator.is_valid({**good, **change}), change)
        self.assertFalse(validator.is_valid({key: value for key, value in good.items() if key != "src"}))


if __name__ == "__main__":
    unittest.main()
