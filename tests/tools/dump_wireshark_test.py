#!/usr/bin/env python3
"""packaging/wireshark/mxp.lua in tshark: the clear part of a capture, and the frames in what mxp-dump --to-upper-pdu makes of it."""
import os
import shutil
import subprocess
import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
import dump_wire as wire  # noqa: E402
from dump_filter_test import SESSION, CAPTURE, every_frame  # noqa: E402
from dump_test import DumpCase  # noqa: E402

ROOT = Path(__file__).resolve().parents[2]
LUA = ROOT / "packaging" / "wireshark" / "mxp.lua"
GOLDEN = Path(__file__).resolve().parent / "wireshark"
FRAMES = wire.pcap([wire.udp(wire.CLIENT, wire.SERVER, wire.message_1()), wire.udp(wire.CLIENT, wire.SERVER, wire.message_1()), wire.udp(wire.SERVER, wire.CLIENT, wire.message_2()),
                    *(wire.c2s(i, body) for i, body in enumerate(every_frame())), wire.udp(("10.0.0.3", 53), wire.CLIENT, b"no packet of ours")])


class UpperPduCase(DumpCase):
    def convert(self, capture, *more, code=0):
        out = str(self.folder / "out.pcapng")
        said = self.dump("-r", self.file("c", capture), "--keylog", self.file("k", wire.KEY_LOG), "--to-upper-pdu", out, *more, code=code)
        return out, said


class ToUpperPdu(UpperPduCase):
    def test_an_existing_file_is_kept_without_force(self):
        self.file("out.pcapng", "precious")
        _, (out, err) = self.convert(FRAMES, code=2)
        self.assertIn("--force", err)
        self.assertEqual((self.folder / "out.pcapng").read_text(), "precious")
        path, _ = self.convert(FRAMES, "--force")
        self.assertTrue(Path(path).read_bytes().startswith(b"\x0a\x0d\x0d\x0a"))

    def test_the_capture_itself_is_not_overwritten(self):
        capture = self.file("c", FRAMES)
        self.dump("-r", capture, "--to-upper-pdu", capture, "--force", code=2)
        self.assertEqual(Path(capture).read_bytes(), FRAMES)

    def test_a_full_disk_is_1(self):
        self.assertIn("No space", self.dump("-r", self.file("c", CAPTURE), "--to-upper-pdu", "/dev/full", "--force", code=1)[1])

    def test_plain_frames_are_in_the_file_and_only_what_the_filter_lets_through(self):
        data = Path(self.convert(FRAMES, "-Y", "mxp.frame.type == close")[0]).read_bytes()
        self.assertIn(wire.close(b"enough"), data)
        self.assertIn(b"mxp_decrypted", data)
        self.assertNotIn(wire.stream(4, 100, b"data", fin=True), data)


@unittest.skipUnless(shutil.which("tshark"), "tshark is not installed")
class Dissector(UpperPduCase):
    def tshark(self, capture, *arguments, lua=True):
        environment = {**os.environ, "HOME": str(self.folder), "TZ": "UTC"}
        done = subprocess.run(["tshark", "-r", capture, *(["-X", f"lua_script:{LUA}"] if lua else []), *arguments], capture_output=True, text=True, timeout=60, env=environment)
        said = [line for line in done.stderr.splitlines() if "Running as user" not in line and line]
        self.assertEqual((done.returncode, said), (0, []))
        return done.stdout

    def golden(self, name, text):
        path = GOLDEN / name
        if os.environ.get("MXP_REWRITE_GOLDEN"):
            path.write_text(text)
        self.assertEqual(text, path.read_text(), f"{name} differs; MXP_REWRITE_GOLDEN=1 writes it anew")

    COLUMNS = ["-T", "fields", *(part for field in ("frame.number", "mxp.connection", "mxp.direction", "mxp.type", "mxp.suite", "mxp.client_id", "mxp.destination_id", "mxp.retransmission",
                                                     "mxp.first_frame", "mxp.request_in", "mxp.handshake_time", "_ws.expert.message", "_ws.col.Info") for part in ("-e", field))]

    def test_clear_parts(self):
        self.golden("clear.txt", self.tshark(self.file("c.pcap", FRAMES), *self.COLUMNS))

    def test_a_second_pass_says_the_same(self):
        self.assertEqual(self.tshark(self.file("c.pcap", FRAMES), "-2", *self.COLUMNS), self.tshark(self.file("c.pcap", FRAMES), *self.COLUMNS))

    def test_decrypted_frames(self):
        path, _ = self.convert(FRAMES)
        self.golden("decrypted.txt", self.tshark(path, "-T", "fields", *(part for field in ("exported_pdu.orig_fno", "mxp.packet_number", "mxp.frame.type", "mxp.stream.id", "mxp.ack.range", "mxp.close.reason", "_ws.expert.message", "_ws.col.Info") for part in ("-e", field))))

    def test_each_packet_has_the_number_and_frames_that_mxp_dump_says(self):
        path, _ = self.convert(CAPTURE)
        seen = [line.split("\t") for line in self.tshark(path, "-T", "fields", "-e", "exported_pdu.orig_fno", "-e", "mxp.packet_number", "-e", "mxp.frame.type").splitlines()]
        said = [[str(one["frame"]), str(one.get("packet_number", "")), ",".join(frame["type"] for frame in one.get("frames", []))] for one in self.records(CAPTURE, keys=True)]
        self.assertEqual(seen, said)
        self.assertEqual(len(said), len(SESSION.frames))

    def test_wireshark_opens_the_file_without_the_dissector(self):
        path, _ = self.convert(CAPTURE)
        self.assertEqual(len(self.tshark(path, lua=False).splitlines()), len(SESSION.frames))

    def test_the_port_of_the_preference_finds_a_connection_in_its_middle(self):
        capture = self.file("c.pcap", wire.pcap(SESSION.frames[2:], nanoseconds=True))
        self.assertEqual(self.tshark(capture, "-Y", "mxp"), "")
        self.assertEqual(len(self.tshark(capture, "-o", "mxp.port:9000", "-Y", 'mxp.type == "1rtt"').splitlines()), len(SESSION.frames) - 2)


if __name__ == "__main__":
    unittest.main()
