#!/usr/bin/env python3
"""mxp-dump --stats connections, streams, loss and rtt on captures with known answers."""
import json
import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
import dump_wire as wire  # noqa: E402
from dump_filter_test import CAPTURE, SESSION  # noqa: E402
from dump_test import DumpCase  # noqa: E402

MS = 1_000_000
HANDSHAKE = [(0, wire.udp(wire.CLIENT, wire.SERVER, wire.message_1())), (5 * MS, wire.udp(wire.SERVER, wire.CLIENT, wire.message_2()))]
DATA = wire.stream(0, 0, b"x" * 50)


class Statistics(DumpCase):
    def rows(self, what, frames, *arguments, keys=True):
        capture = self.file("c", frames if isinstance(frames, bytes) else wire.pcap(frames, nanoseconds=True))
        more = ["--keylog", self.file("k", wire.KEY_LOG)] if keys else []
        out = json.loads(self.dump("-r", capture, "--stats", what, "--json", *more, *arguments)[0])
        return out["streams" if what == "streams" else "connections"]

    def test_round_trips_are_from_packet_to_acknowledgement_less_its_delay(self):
        [row] = self.rows("rtt", CAPTURE)
        way = row["to_server"]  # each acknowledgement comes 300 us after its largest packet, and says that it waited 25
        self.assertEqual((way["samples"], way["min_ms"], way["p50_ms"], way["p99_ms"], way["max_ms"]), (len(SESSION.s2c), 0.275, 0.275, 0.275, 0.275))
        self.assertEqual(way["histogram"], [{"below_ms": 0.512, "count": len(SESSION.s2c)}])
        self.assertNotIn("to_client", row)
        self.assertEqual(row["handshake_ms"], 50)

    def test_only_the_largest_of_an_acknowledgement_is_a_sample_and_only_once(self):
        frames = [*HANDSHAKE, *((10 * MS + i * MS, wire.c2s(i, DATA)) for i in range(5)), (20 * MS, wire.s2c(0, wire.ack((0, 3)))), (30 * MS, wire.s2c(1, wire.ack((0, 3)))),
                  (34 * MS, wire.s2c(2, wire.ack((0, 4)))), (35 * MS, wire.s2c(3, wire.ack((0, 2))))]
        way = self.rows("rtt", frames)[0]["to_server"]  # number 3: 13 to 20 ms; number 4: 14 to 34 ms
        self.assertEqual((way["samples"], way["min_ms"], way["max_ms"]), (2, 6.975, 19.975))

    def test_what_needs_no_acknowledgement_gives_no_sample(self):
        frames = [*HANDSHAKE, (10 * MS, wire.c2s(0, wire.ack((0, 0)))), (20 * MS, wire.s2c(0, wire.ack((0, 0))))]
        self.assertNotIn("to_server", self.rows("rtt", frames)[0])

    def test_percentiles_of_many_round_trips(self):
        frames = list(HANDSHAKE)
        for i in range(100):  # round trips of 1 to 100 ms
            frames += [((1 + i) * 1000 * MS, wire.c2s(i, DATA)), ((1 + i) * 1000 * MS + (i + 1) * MS + 25_000, wire.s2c(i, wire.ack((i, i))))]
        way = self.rows("rtt", frames)[0]["to_server"]
        self.assertEqual((way["samples"], way["min_ms"], way["max_ms"]), (100, 1, 100))
        for key, truth in (("p50_ms", 50), ("p90_ms", 90), ("p99_ms", 99)):
            self.assertAlmostEqual(way[key] / truth, 1, delta=0.017)
        self.assertEqual(sum(one["count"] for one in way["histogram"]), 100)

    def test_loss_has_its_runs(self):
        [row] = self.rows("loss", CAPTURE)
        way = row["client_to_server"]
        self.assertEqual((way["lost"], way["runs"]), (3, [{"length": 1, "count": 1}, {"length": 2, "count": 1}]))
        self.assertEqual((way["reordered"], way["duplicates"], way["unknown"]), (0, 0, len(SESSION.skipped)))
        self.assertEqual(row["server_to_client"]["packets"], 1 + len(SESSION.s2c))

    def test_reordering_has_its_extent(self):
        frames = [*HANDSHAKE, *((10 * MS + i * MS, wire.c2s(number, wire.stream(0, 50 * number, b"y" * 50))) for i, number in enumerate((0, 1, 5, 2, 3, 4, 6))), (30 * MS, wire.c2s(6, wire.stream(0, 300, b"y" * 50)))]
        way = self.rows("loss", frames)[0]["client_to_server"]
        self.assertEqual((way["reordered"], way["reordering_extent"], way["duplicates"]), (3, {"p50": 2, "max": 3}, 1))
        self.assertNotIn("lost", way)  # nothing was acknowledged

    def test_streams_have_their_bytes_once_and_repeated_ones_apart(self):
        [row] = self.rows("streams", CAPTURE)
        packets = len(SESSION.c2s)
        self.assertEqual((row["stream"], row["direction"], row["packets"]), (0, "client_to_server", packets))
        self.assertEqual((row["bytes"], row["retransmitted_bytes"], row["fin"]), (40 * (packets - 3), 120, False))
        frames = [*HANDSHAKE, (10 * MS, wire.c2s(0, wire.stream(4, 0, b"z" * 10, fin=True) + wire.stream(8, 0, b"z" * 20))), (12 * MS, wire.c2s(1, b"\x06\x08\x07\x14"))]
        first, second = self.rows("streams", frames)
        self.assertEqual((first["stream"], first["bytes"], first["fin"]), (4, 10, True))
        self.assertNotIn("reset", first)
        self.assertEqual((second["stream"], second["bytes"], second["fin"], second["reset"], second["packets"]), (8, 20, False, 7, 2))
        self.assertAlmostEqual(second["last"] - second["first"], 0.002, delta=1e-6)

    def test_connections_have_a_row_each(self):
        [row] = self.rows("connections", CAPTURE)
        self.assertEqual((row["client"], row["server"], row["handshake_ms"]), ("10.0.0.1:40000", "10.0.0.2:9000", 50))
        way = row["client_to_server"]
        self.assertEqual((way["packets"], way["lost"], way["retransmitted"]), (1 + len(SESSION.c2s), 3, 3))
        self.assertEqual(way["bytes"], sum(len(data) - 28 for _, data in SESSION.frames if data[12:16] == bytes([10, 0, 0, 1])))
        self.assertEqual(row["rtt"]["to_server"], {"p50_ms": 0.275, "p99_ms": 0.275})
        self.assertAlmostEqual(row["duration_s"], SESSION.frames[-1][0] / 1e9, places=6)
        self.assertNotIn("close", row)
        [row] = self.rows("connections", [*HANDSHAKE, (10 * MS, wire.c2s(0, wire.close(b"no \x1b[1m more")))])
        self.assertEqual((row["close"]["from"], row["close"]["by"], row["close"]["error_code"]), ("client", "application", 5))
        self.assertNotIn("\x1b", row["close"]["reason"])

    def test_what_keys_would_tell_is_absent_without_them(self):
        [row] = self.rows("connections", CAPTURE, keys=False)
        self.assertEqual(set(row["client_to_server"]), {"packets", "bytes"})
        self.assertNotIn("rtt", row)
        self.assertEqual(self.rows("streams", CAPTURE, keys=False), [])
        self.assertEqual(set(self.rows("loss", CAPTURE, keys=False)[0]["client_to_server"]), {"packets", "duplicates", "damaged"})
        self.assertEqual(set(self.rows("rtt", CAPTURE, keys=False)[0]), {"connection", "client", "server", "handshake_ms", "confirmation_ms"})

    def test_a_filter_chooses_connections(self):
        self.assertEqual(len(self.rows("connections", CAPTURE, "-Y", "mxp.lost")), 1)
        self.assertEqual(self.rows("connections", CAPTURE, "-Y", "udp.port == 1"), [])
        self.assertEqual(self.rows("streams", CAPTURE, "-Y", "udp.port == 1"), [])

    def test_text_is_a_table(self):
        capture, keys = self.file("c", CAPTURE), self.file("k", wire.KEY_LOG)
        for what, words in (("connections", ["10.0.0.1:40000", "0.275"]), ("streams", ["client_to_server", "no"]), ("loss", ["1: 1, 2: 1"]), ("rtt", ["to_server", "0.512: "])):
            lines = self.dump("-r", capture, "--keylog", keys, "--stats", what)[0].splitlines()
            self.assertTrue(lines[0].startswith("#"))
            for word in words:
                self.assertIn(word, "\n".join(lines[1:]))


if __name__ == "__main__":
    unittest.main()
