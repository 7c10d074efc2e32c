#!/usr/bin/env python3
"""`mxp-dump why` as a user runs it: text, JSON, exit codes, with keys and without.

MXP_BIN names the folder of the tools."""
import json
import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
import dump_test  # noqa: E402
import dump_wire as wire  # noqa: E402


class Why(dump_test.DumpCase):
    def why(self, capture, *arguments, code=0):
        out, err = self.dump("why", self.file("capture", capture), "-T", "json", *arguments, code=code)
        return [json.loads(line) for line in out.splitlines()], err

    def test_an_unanswered_handshake_is_the_first_finding_and_has_its_frames_and_page(self):
        found, _ = self.why(wire.pcap([dump_test.MESSAGE_1] * 3))
        self.assertEqual(len(found), 1)
        first = found[0]["findings"][0]
        self.assertEqual(first["id"], "handshake-unanswered")
        self.assertEqual(first["frames"], [1, 2, 3])
        self.assertTrue((Path(__file__).resolve().parents[2] / first["page"]).exists())
        out, _ = self.dump("why", self.file("capture", wire.pcap([dump_test.MESSAGE_1] * 3)))
        self.assertIn("1. The handshake was not answered [handshake-unanswered]", out)

    def test_a_close_with_an_error_needs_the_keys(self):
        capture = wire.pcap([dump_test.MESSAGE_1, dump_test.MESSAGE_2, wire.c2s(0, wire.stream(0, 0, b"hello")),
                             wire.s2c(0, wire.ack((0, 0)) + wire.close(b"no"))])
        with_keys, _ = self.why(capture, "--keylog", self.file("keys", wire.KEY_LOG))
        self.assertIn(with_keys[0]["findings"][0]["id"], ("closed-by-transport", "closed-by-application"))
        self.assertEqual(with_keys[0]["findings"][0]["frames"], [4])
        without, _ = self.why(capture)
        self.assertEqual(without[0]["findings"], [])

    def test_keys_in_the_capture_are_used(self):
        packets = [dump_test.MESSAGE_1, dump_test.MESSAGE_2, wire.c2s(0, wire.stream(0, 0, b"hello")),
                   wire.s2c(0, wire.ack((0, 0)) + wire.close(b"no"))]
        frames = [wire.enhanced("<", 0, wire.START // 1000 + 1000 * i, data) for i, data in enumerate(packets)]
        capture = wire.section("<") + wire.interface("<", wire.RAW) + wire.secrets("<", wire.KEY_LOG) + b"".join(frames)
        found, _ = self.why(capture)
        self.assertIn(found[0]["findings"][0]["id"], ("closed-by-transport", "closed-by-application"))
        out, _ = self.dump("why", "-", stdin=capture)
        self.assertIn("[closed-by-", out)

    def test_a_file_that_is_cut_and_out_of_order_is_no_success(self):
        whole = wire.pcap([dump_test.MESSAGE_1] * 3)
        record = (len(whole) - 24) // 3
        swapped = whole[:24] + whole[24 + record:24 + 2 * record] + whole[24:24 + record] + whole[24 + 2 * record:]
        out, err = self.dump("why", self.file("swapped", swapped[:-10]), code=2)
        self.assertIn("#1 ", out)
        self.assertIn("is truncated", err)

    def test_the_parts_of_the_time_add_up(self):
        capture = wire.pcap([dump_test.MESSAGE_1, dump_test.MESSAGE_2, wire.c2s(0, wire.stream(0, 0, b"hello"))])
        found, _ = self.why(capture)
        self.assertAlmostEqual(sum(found[0]["time_ms"]["limited_by"].values()), found[0]["duration_ms"], places=6)

    def test_a_server_key_tells_whether_message_1_was_made_with_it(self):
        found, _ = self.why(wire.pcap([dump_test.MESSAGE_1] * 2), "--server-key", "NYBy1jZYgNGu6jKa35EhODhR7SGijjt16WXQ0s0WYlQ")
        self.assertEqual(found[0]["findings"][0]["id"], "handshake-wrong-key")
        _, err = self.dump("why", "capture", "--server-key", "short", code=2)
        self.assertIn("43 characters", err)

    def test_exit_codes_and_wrong_use(self):
        other = self.file("other", wire.pcap([dump_test.OTHER]))
        self.assertIn("no MXP found", self.dump("why", other)[1])
        self.dump("why", other, "--exit-nomatch", code=7)
        self.dump("why", code=2)
        self.dump("why", str(self.folder / "missing"), code=2)
        self.dump("why", self.file("text", "this is no capture"), code=2)
        cut = wire.pcap([dump_test.MESSAGE_1, dump_test.MESSAGE_1])[:-10]
        out, err = self.dump("why", self.file("cut", cut), code=2)
        self.assertIn("#1 ", out)
        self.assertIn("is truncated", err)

    def test_standard_input_and_a_file_of_json(self):
        json_file = self.folder / "why.json"
        out, _ = self.dump("why", "-", f"--json={json_file}", stdin=wire.pcap([dump_test.MESSAGE_1] * 3))
        self.assertIn("[handshake-unanswered]", out)
        self.assertEqual(json.loads(json_file.read_text())["findings"][0]["id"], "handshake-unanswered")


class WhyOfARealSession(dump_test.RealSessions):
    def test_a_session_through_a_lossy_relay_shows_the_loss(self):
        keys, capture = self.transfer(3_000_000, "delay 10ms loss 5%")
        out, err = self.dump("why", str(capture), "--keylog", str(keys), "-T", "json")
        found = [json.loads(line) for line in out.splitlines()]
        ids = [finding["id"] for finding in found[0]["findings"]]
        self.assertIn(ids[0], ("loss-random", "loss-bursts"), out)
        self.assertNotIn("nat-rebinding", ids)
        self.assertNotIn("handshake-replayed", ids)

    def test_a_clean_session_has_no_findings(self):
        keys, capture = self.transfer(300_000, "delay 5ms")
        for more in (["--keylog", str(keys)], []):
            out, err = self.dump("why", str(capture), "-T", "json", *more)
            self.assertEqual([json.loads(line)["findings"] for line in out.splitlines()], [[]], err)


if __name__ == "__main__":
    unittest.main()
