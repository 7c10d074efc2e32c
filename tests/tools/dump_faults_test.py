#!/usr/bin/env python3
"""mxp-dump on captures that are not as they should be: with holes, damaged, forged, cut, in another order, of one direction, beside
other traffic. Each is made from a session with known answers, at places drawn with fixed seeds. MXP_BIN names the folder of the tools."""
import hashlib
import json
import os
import random
import re
import struct
import subprocess
import sys
import time
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
import dump_wire as wire  # noqa: E402
from dump_test import DUMP, ENVIRONMENT, DumpCase, unread_bytes  # noqa: E402
from sanitized import SANITIZED  # noqa: E402

SESSION = wire.Session()
FRAMES = SESSION.frames
C2S, S2C = len(SESSION.c2s), len(SESSION.s2c)
PACKETS = 2 + C2S + S2C

FORGED_KEY = wire.noise(36, "ephemeral key")


def same_ports(payload, from_client=True):
    return wire.udp(wire.CLIENT, wire.SERVER, payload) if from_client else wire.udp(wire.SERVER, wire.CLIENT, payload)


class FaultCase(DumpCase):
    def shows(self, capture, keys=True, **expected):
        summary = self.summary(capture, keys=keys)
        for name, value in expected.items():
            self.assertEqual(summary.get(name), value, f"{name}: {summary}")
        return summary

    def through_a_pipe(self, capture, keys=True):
        more = ["--keylog", self.file("keys", wire.KEY_LOG)] if keys else []
        done = subprocess.run([DUMP, "-r", "-", "--stats", "summary", "--json", *more], input=capture, capture_output=True, timeout=60, env=ENVIRONMENT)
        self.assertEqual(done.returncode, 0, done.stderr)
        return json.loads(done.stdout)


class WholeSession(FaultCase):
    def test_the_answers_of_the_session_itself(self):
        expected = dict(connections=1, packets=PACKETS, decrypted=C2S + S2C, lost=3, retransmitted=3, not_captured=0, unknown=2, duplicates=0, damaged=0,
                        cut=0, handshake_ms=50.0, confirmation_ms=81.0, other_udp=0, unanswered=None)
        self.shows(wire.pcap(FRAMES), **expected)
        summary = self.through_a_pipe(wire.pcap(FRAMES))
        self.assertEqual({name: summary.get(name) for name in expected}, expected)

    def test_without_keys_nothing_is_said_that_only_keys_tell(self):
        summary = self.shows(wire.pcap(FRAMES), keys=False, connections=1, packets=PACKETS, decrypted=0, without_key=C2S + S2C, handshake_ms=50.0)
        for name in ("lost", "not_captured", "unknown", "retransmitted"):
            self.assertNotIn(name, summary)
        text, _ = self.dump("-r", self.file("c", wire.pcap(FRAMES)), "--stats", "summary")
        self.assertRegex(text, r"(?m)^retransmitted +unknown without keys$")

    def test_keys_of_one_direction_say_nothing_of_both(self):
        half = self.file("half", wire.KEY_LOG.splitlines()[0] + "\n")
        summary = json.loads(self.dump("-r", self.file("c", wire.pcap(FRAMES)), "--keylog", half, "--stats", "summary", "--json")[0])
        self.assertNotIn("lost", summary)
        self.assertNotIn("retransmitted", summary)


class Holes(FaultCase):
    def test_a_stretch_that_was_not_captured_is_not_lost(self):
        dice = random.Random(1)
        for _ in range(25):
            begin = dice.randrange(2, len(FRAMES) - 8)
            end = min(len(FRAMES) - 4, begin + dice.randrange(2, 50))
            missing = set(range(begin, end))
            with self.subTest(begin=begin, end=end):
                summary = self.shows(wire.pcap(FRAMES[:begin] + FRAMES[end:]), connections=1, packets=PACKETS - len(missing), damaged=0)
                gone = [n for n, at in SESSION.c2s.items() if at in missing] + [n for n, at in SESSION.s2c.items() if at in missing]
                # No more is called lost than was, nothing that was captured and acknowledged is called missing, and what is missing is found:
                # as not captured, or as unknown where it could be a number left out on purpose.
                self.assertLessEqual(summary["lost"], 3)
                self.assertLessEqual(summary["not_captured"], len(gone) + len(SESSION.skipped))
                self.assertGreaterEqual(summary["not_captured"] + summary["unknown"], len(gone))

    def test_what_was_acknowledged_arrived_and_only_the_capture_lacks_it(self):
        for gone in ([20, 21, 22, 23], [30], [50, 52]):
            frames = [f for at, f in enumerate(FRAMES) if at not in [SESSION.c2s[n] for n in gone]]
            self.shows(wire.pcap(frames), not_captured=len(gone), lost=3, unknown=2)

    def test_what_never_arrived_and_is_not_in_the_capture_is_unknown(self):
        # As if the capture were behind the place of the loss.
        frames = [f for at, f in enumerate(FRAMES) if at not in [SESSION.c2s[n] for n in SESSION.lost]]
        self.shows(wire.pcap(frames), not_captured=0, lost=0, unknown=5)

    def test_a_loss_whose_acknowledgements_are_missing_is_not_claimed(self):
        # Everything of the server from before the loss to the end is gone, but its last packet, which speaks of later numbers.
        answers = [at for at in SESSION.s2c.values()]
        frames = [f for at, f in enumerate(FRAMES) if at not in answers[2:-1]]
        summary = self.shows(wire.pcap(frames), connections=1)
        self.assertLessEqual(summary["lost"], 1)  # 40 is still reported by the last one
        self.assertGreaterEqual(summary["unknown"], 2)

    def test_numbers_left_out_on_purpose_are_neither_lost_nor_not_captured(self):
        many = wire.Session(packets=60, skipped=range(5, 55, 4), lost=())
        self.shows(wire.pcap(many.frames), lost=0, not_captured=0, unknown=len(many.skipped), retransmitted=0)

    def test_more_holes_than_are_kept_are_counted_all_the_same(self):
        numbers = [n for n in range(0, 3 * 1500) if n % 3 != 1]
        packets = [wire.udp(wire.CLIENT, wire.SERVER, wire.message_1()), wire.udp(wire.SERVER, wire.CLIENT, wire.message_2())]
        packets += [wire.c2s(n, b"\1") for n in numbers]
        summary = self.shows(wire.pcap(packets), connections=1, not_captured=0, unknown=1500)
        self.assertNotIn("lost", summary)


class OneDirection(FaultCase):
    def test_one_direction_is_one_connection_and_nothing_is_said_of_the_other(self):
        for source in (wire.CLIENT, wire.SERVER):
            for keys in (True, False):
                with self.subTest(source=source, keys=keys):
                    mine = [f for f in FRAMES if f[1][12:16] == wire.socket.inet_aton(source[0])]
                    summary = self.shows(wire.pcap(mine), keys=keys, connections=1, packets=len(mine), unanswered=None, handshake_ms=None, lost=None, other_udp=0)
                    self.assertEqual(summary.get("confirmation_ms"), 81.0 if source == wire.CLIENT else None)
                    text, _ = self.dump("-r", self.file("c", wire.pcap(mine)), "--stats", "summary")
                    self.assertIn("nothing was captured", text)
                    self.assertNotIn("unanswered", text)

    def test_a_message_that_was_not_captured_makes_no_second_connection(self):
        for gone in ([0], [1], [0, 1]):
            for keys in (True, False):
                if gone == [0, 1] and not keys:
                    continue  # nothing shows that it is MXP
                frames = [f for at, f in enumerate(FRAMES) if at not in gone]
                with self.subTest(gone=gone, keys=keys):
                    self.shows(wire.pcap(frames), keys=keys, connections=1, packets=PACKETS - len(gone), handshake_ms=None, unanswered=None)

    def test_an_attempt_without_an_answer_keeps_its_hands_off_the_next(self):
        first = wire.udp(wire.CLIENT, wire.SERVER, wire.message_1(client_id=b"\xaaotherid", suite=2, seed="other"))
        self.shows(wire.pcap([(0, first)] + [(t + 10**9, f) for t, f in FRAMES]), connections=2, unanswered=1, decrypted=C2S + S2C)


class Order(FaultCase):
    """The counts of the whole session, whatever the order."""
    SAME = dict(connections=1, packets=PACKETS, decrypted=C2S + S2C, lost=3, retransmitted=3, not_captured=0, unknown=2, damaged=0, duplicates=0, handshake_ms=50.0, confirmation_ms=81.0)

    def test_frames_that_are_swapped_change_no_count(self):
        for at in list(range(6)) + random.Random(2).sample(range(6, len(FRAMES) - 1), 12):
            frames = list(FRAMES)
            frames[at], frames[at + 1] = frames[at + 1], frames[at]
            with self.subTest(at=at):
                self.shows(wire.pcap(frames), **self.SAME, out_of_order=1)

    def test_swapped_frames_in_a_pipe_make_no_second_connection(self):
        for at in (0, 1, 2):
            frames = list(FRAMES)
            frames[at], frames[at + 1] = frames[at + 1], frames[at]
            with self.subTest(at=at):
                summary = self.through_a_pipe(wire.pcap(frames))
                self.assertEqual({name: summary.get(name) for name in self.SAME}, self.SAME)

    def test_files_appended_in_any_order_change_no_count(self):
        for seed in range(8):
            dice = random.Random(seed)
            cuts = sorted(dice.sample(range(1, len(FRAMES)), 2))
            parts = [FRAMES[:cuts[0]], FRAMES[cuts[0]:cuts[1]], FRAMES[cuts[1]:]]
            dice.shuffle(parts)
            with self.subTest(seed=seed):
                # One file, three pcap files of different kinds, three sections.
                self.shows(wire.pcap(sum(parts, [])), **self.SAME)
                self.shows(b"".join(wire.pcap(part, order, nano) for part, order, nano in zip(parts, "<><", (False, True, True))), **self.SAME)
                sections = b"".join(wire.section(order) + wire.interface(order, wire.RAW) +
                                    b"".join(wire.enhanced(order, 0, (wire.START + time) // 1000, data) for time, data in part)
                                    for part, order in zip(parts, "<><"))
                self.shows(sections, **self.SAME)

    def test_order_that_times_do_not_tell(self):
        # All frames with one time: nothing but the packets tells what came first.
        halves = FRAMES[len(FRAMES) // 2:] + FRAMES[:len(FRAMES) // 2]
        self.shows(wire.pcap([(0, data) for _, data in halves]), connections=1, packets=PACKETS, decrypted=C2S + S2C, lost=3, not_captured=0, unknown=2)

    def test_lines_are_printed_in_the_order_of_time(self):
        out, _ = self.dump("-r", self.file("c", wire.pcap(FRAMES[10:] + FRAMES[:10])), "-T", "fields", "-e", "time")
        times = [float(line) for line in out.splitlines()]
        self.assertEqual(times, sorted(times))

    def test_another_format_appended_is_refused_and_named(self):
        ng = wire.section("<") + wire.interface("<", wire.RAW) + wire.enhanced("<", 0, 0, FRAMES[0][1])
        one = wire.pcap(FRAMES[:1])
        for both, word in ((one + ng, "pcapng file appended"), (ng + one, "pcap file appended")):
            self.assertIn(word, self.dump("-r", self.file("c", both), code=2)[1])


class TooLongToSort(FaultCase):
    def test_a_file_that_is_not_sorted_for_its_length_says_so(self):
        record = struct.pack("<IIII", 1_800_000_000, 0, 0, 0)  # a frame without bytes, long after the others
        path = Path(self.file("long", wire.pcap(FRAMES)))
        with path.open("ab") as file:
            file.write(record * 4_000_000)
            file.write(struct.pack("<IIII", 1_700_000_000, 0, 0, 0))
        out, err = self.dump("-r", str(path), "--stats", "summary", "--json")
        summary = json.loads(out)
        self.assertEqual((summary["out_of_order"], summary["unsorted"], summary["connections"]), (1, True, 1))
        self.assertIn("more than 4000000 of them at a time are not sorted", err)
        in_order = self.shows(wire.pcap(FRAMES[:3] + FRAMES[2:1:-1] + FRAMES[3:]))
        self.assertNotIn("unsorted", in_order)

    def test_a_file_of_any_length_is_sorted_if_its_frames_are_only_a_little_late(self):
        path = Path(self.file("late", wire.pcap(FRAMES)))
        with path.open("ab") as file:
            for second in range(410):  # frames without bytes, long after the others; in each second the last two are swapped
                times = [*range(9_998), 9_999, 9_998]
                file.write(b"".join(struct.pack("<IIII", 1_800_000_000 + second, time, 0, 0) for time in times))
        run = subprocess.Popen([DUMP, "-r", str(path), "--stats", "summary", "--json"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=ENVIRONMENT)
        out = run.stdout.read()
        _, status, usage = os.wait4(run.pid, 0)
        run.stdout.close()
        run.returncode = os.waitstatus_to_exitcode(status)
        self.assertEqual(run.returncode, 0)
        summary = json.loads(out)
        self.assertEqual(summary["out_of_order"], 410)
        self.assertNotIn("unsorted", summary)
        if not SANITIZED:
            self.assertLess(usage.ru_maxrss, 64 * 1024)  # KiB, which the interpreter that started it counts into


class Liars(FaultCase):
    def test_packets_after_acknowledgements_of_what_was_never_sent_still_count(self):
        packets = [wire.udp(wire.CLIENT, wire.SERVER, wire.message_1()), wire.udp(wire.SERVER, wire.CLIENT, wire.message_2())]
        packets += [wire.c2s(n, b"\1") for n in range(5)]
        gap, length = wire.varint(1), wire.varint(0)
        for n in range(40):  # 65 ranges each, far above everything that was sent
            ack = b"\x02" + wire.varint(1_000_000 + 300 * n) + wire.varint(0) + wire.varint(64) + wire.varint(0) + (gap + length) * 64
            packets.append(wire.s2c(n, ack))
        packets += [wire.c2s(n, b"\x0a\x00\x05hello") for n in range(5, 10)]  # the same data of stream 0
        self.shows(wire.pcap(packets), connections=1, packets=len(packets), decrypted=50, duplicates=0, retransmitted=4)


class Damage(FaultCase):
    REST = dict(connections=1, packets=PACKETS, other_udp=0)

    def test_a_flipped_bit_anywhere_before_the_number_is_one_damaged_packet(self):
        dice = random.Random(3)
        for at in (2, 3, *dice.sample(range(4, len(FRAMES)), 8)):
            bit = dice.choice((0, 1, *range(8, 72)))
            frames = list(FRAMES)
            frames[at] = (frames[at][0], wire.damaged(frames[at][1], bit))
            with self.subTest(at=at, bit=bit):
                self.shows(wire.pcap(frames), **self.REST, damaged=1, decrypted=C2S + S2C - 1, not_captured=0)
                if bit >= 8:
                    self.shows(wire.pcap(frames), keys=False, **self.REST, damaged=1)

    def test_a_flipped_bit_in_what_is_sealed_is_one_damaged_packet(self):
        dice = random.Random(4)
        for at in dice.sample(range(2, len(FRAMES)), 5):
            frames = list(FRAMES)
            frames[at] = (frames[at][0], wire.damaged(frames[at][1], dice.randrange(14 * 8, 8 * (len(frames[at][1]) - 28))))
            self.shows(wire.pcap(frames), **self.REST, damaged=1, decrypted=C2S + S2C - 1, not_captured=0, key_misfit=None)

    def test_a_damaged_copy_of_a_handshake_message_is_no_connection(self):
        dice = random.Random(5)
        for message, time in ((0, 0), (1, 50_000_000)):
            bits = [0, 1, 7, 8, 20, 39, *range(40, 48), *dice.sample(range(48, 112), 10), 8 * 600]
            for bit in bits:
                bad = wire.damaged(FRAMES[message][1], bit)
                # The good copy before (both sides of a relay), or after it, when the sender repeats it.
                for before in (True, False):
                    later = (time + (1_000 if before else -1_000), bad)
                    frames = sorted(FRAMES + [later]) if later[0] >= 0 else [(0, bad)] + [(t + 300_000_000, f) for t, f in FRAMES]
                    with self.subTest(message=message, bit=bit, before=before):
                        summary = self.shows(wire.pcap(frames), connections=1, packets=PACKETS + 1, decrypted=C2S + S2C, other_udp=0, unanswered=None)
                        self.assertEqual(summary["damaged"] + summary.get("not_verifying", 0), 1)

    def test_a_damaged_packet_in_a_batch_costs_only_itself(self):
        numbers = list(range(10))
        packets = [wire.one_rtt(wire.C2S_SECRET, wire.SERVER_ID, n, wire.stream(0, 20_000 + 400 * n, wire.noise(400 if n < 9 else 77, n))) for n in numbers]
        dice = random.Random(6)
        for victim in numbers:
            for bits in ([dice.randrange(8, 72)], dice.sample(range(8, 72), 5), [1], list(range(8, 72))):
                if len(bits) > 8 and victim in (0, 9):
                    continue  # its place is told by nothing
                batch = list(packets)
                bad = bytearray(batch[victim])
                for bit in bits:
                    bad[bit // 8] ^= 0x80 >> bit % 8
                batch[victim] = bytes(bad)
                with self.subTest(victim=victim, bits=bits):
                    frames = FRAMES[:2] + [(90_000_000, wire.udp(wire.CLIENT, wire.SERVER, b"".join(batch)))]
                    self.shows(wire.pcap(frames), connections=1, packets=12, decrypted=9, damaged=1, other_udp=0)
                    self.shows(wire.pcap(frames), keys=False, connections=1, packets=12, damaged=1)

    def test_a_packet_that_opens_with_its_id_put_right_is_known_by_its_number(self):
        at = SESSION.c2s[25]
        frames = list(FRAMES)
        frames[at] = (frames[at][0], wire.damaged(frames[at][1], 20))
        shown = self.records(wire.pcap(frames), keys=True)[at]
        self.assertEqual((shown["packet_number"], shown["damaged"], shown["decrypted"]), (25, True, False))
        self.assertEqual(shown["not_decrypted"], "damaged")


class Forgery(FaultCase):
    def test_a_forged_message_2_is_named_and_costs_nothing(self):
        for suite, seed in ((2, "message 2"), (2, "forged"), (1, "forged"), (77, "forged")):
            for time in (49_000_000, 51_000_000, 90_000_000):
                for keys in (True, False):
                    forged = (time, wire.udp(wire.SERVER, wire.CLIENT, wire.message_2(suite=suite, seed=seed)))
                    with self.subTest(suite=suite, seed=seed, time=time, keys=keys):
                        frames = sorted(FRAMES + [forged])
                        summary = self.shows(wire.pcap(frames), keys=keys, connections=1, packets=PACKETS + 1, not_verifying=1)
                        if keys:
                            self.assertEqual((summary["decrypted"], summary["lost"]), (C2S + S2C, 3))
                        if seed == "forged" and suite == 1 and time == 51_000_000:
                            continue  # both came before the client went on: which one it took is not to be seen
                        self.assertEqual(summary["handshake_ms"], 50.0)
                        named = [s for s in self.records(wire.pcap(frames), keys=keys) if "does not verify" in " ".join(s.get("notes", []))]
                        self.assertEqual([round((s["time"] % 1) * 1000) for s in named], [time // 1_000_000])

    def test_two_key_log_lines_for_one_id_are_both_tried(self):
        wrong = wire.KEY_LOG.replace(wire.C2S_SECRET.hex(), "ab" * 32).replace(wire.S2C_SECRET.hex(), "cd" * 32)
        for log in (wrong + wire.KEY_LOG, wire.KEY_LOG + wrong):
            keys = self.file("both", log)
            summary = json.loads(self.dump("-r", self.file("c", wire.pcap(FRAMES)), "--keylog", keys, "--stats", "summary", "--json")[0])
            self.assertEqual(summary["decrypted"], C2S + S2C)


class OtherTraffic(FaultCase):
    def test_other_udp_on_the_same_ports_is_other_udp(self):
        dice = random.Random(7)
        kinds = {"text": lambda i: f"keep{i:05}: are you still there, dear peer?".encode(),
                 "text with the fixed bit": lambda i: f"HEARTBEAT number {i} of a very talkative peer".encode(),
                 "one text": lambda i: b"PING-PING-PING-PING-PING-PING-PING",
                 "counter": lambda i: b"\x40" + struct.pack(">IQ", i, i * 160) + bytes(60),
                 "short": lambda i: b"\x41hello",
                 "random": lambda i: wire.noise(80, i)}
        for name, make in kinds.items():
            for from_client in (True, False):
                frames = sorted(FRAMES + [(dice.randrange(0, 140_000_000), same_ports(make(i), from_client)) for i in range(50)])
                for keys in (True, False):
                    with self.subTest(name, from_client=from_client, keys=keys):
                        self.shows(wire.pcap(frames), keys=keys, connections=1, packets=PACKETS, other_udp=50, damaged=0)

    def test_with_a_port_named_too(self):
        frames = sorted(FRAMES[2:] + [(81_500_000 + i, same_ports(f"HEARTBEAT {i:040}".encode())) for i in range(50)])
        summary = json.loads(self.dump("-r", self.file("c", wire.pcap(frames)), "--port", "9000", "--stats", "summary", "--json")[0])
        self.assertEqual((summary["connections"], summary["other_udp"]), (1, 50))

    def test_frames_that_are_not_looked_into_are_counted_and_named(self):
        inner = FRAMES[0][1]
        for name, link_type, data in (
                ("link type 147", 147, inner), ("GRE", 101, wire.ipv4(wire.CLIENT, wire.SERVER, b"\x40\0\x08\0" + inner, protocol=47)),
                ("IPsec ESP", 101, wire.ipv4(wire.CLIENT, wire.SERVER, bytes(60), protocol=50)), ("L2TP", 101, wire.ipv4(wire.CLIENT, wire.SERVER, bytes(60), protocol=115)),
                ("MACsec", 1, bytes(12) + b"\x88\xe5" + bytes(40)), ("encrypted 802.11", 105, b"\x08\x41" + bytes(80)),
                ("VXLAN", 101, wire.udp(("10.0.0.1", 5555), ("10.0.0.2", 4789), bytes(60))), ("Teredo", 101, wire.udp(("10.0.0.1", 3544), ("10.0.0.2", 5555), bytes(60)))):
            with self.subTest(name):
                capture = wire.pcap([data] * 3, link_type=link_type)
                self.shows(capture, packets=0, not_looked_into={name: 3}, other_udp=0)
                _, err = self.dump("-r", self.file("c", capture))
                self.assertIn(f"not looked into: 3 frames of {name}", err)
        v6 = struct.pack(">IHBB", 6 << 28, 60, 50, 64) + bytes(32) + bytes(60)
        self.shows(wire.pcap([v6]), not_looked_into={"IPsec ESP": 1})

    def test_mxp_on_the_port_of_a_tunnel_is_mxp(self):
        moved = [(time, data[:22] + struct.pack(">H", 4789) + data[24:] if data[22:24] == struct.pack(">H", 9000) else data[:20] + struct.pack(">H", 4789) + data[22:])
                 for time, data in FRAMES]
        self.shows(wire.pcap(moved), packets=PACKETS, not_looked_into=None)

    def test_compressed_and_foreign_files_are_named(self):
        for content, word in ((b"\xfd7zXZ\0", "unxz"), (b"BZh91AY", "bunzip2"), (b"\x04\x22\x4d\x18", "unlz4"),
                              (b"PK\x03\x04", "unzip"), (b"snoop\0\0\0", "editcap")):
            self.assertIn(word, self.dump("-r", self.file("c", content), code=2)[1])


class CopiesAndCuts(FaultCase):
    def test_a_packet_captured_twice_is_a_duplicate(self):
        for keys in (True, False):
            twice = [f for f in FRAMES for _ in range(2)]
            summary = self.shows(wire.pcap(twice), keys=keys, connections=1, packets=2 * PACKETS, duplicates=PACKETS, handshake_ms=50.0)
            if keys:
                self.assertEqual([summary[name] for name in ("lost", "retransmitted", "not_captured", "unknown")], [3, 3, 0, 2])
            else:
                self.assertNotIn("handshake_messages_repeated", summary)
        dice = random.Random(8)
        for _ in range(6):
            at = dice.randrange(len(FRAMES))
            frames = sorted(FRAMES + [(FRAMES[at][0] + 5_000_000, FRAMES[at][1])])
            self.shows(wire.pcap(frames), duplicates=1, retransmitted=3, lost=3, connections=1, handshake_ms=50.0)

    def test_message_1_sent_again_is_a_retransmission(self):
        frames = [(0, FRAMES[0][1])] + [(time + 300_000_000, data) for time, data in FRAMES]
        self.shows(wire.pcap(frames), duplicates=0, retransmitted=4, handshake_ms=350.0)
        self.shows(wire.pcap(frames), keys=False, retransmitted=None, handshake_messages_repeated=1)

    def test_cut_packets_are_counted_and_what_they_hide_is_not_claimed(self):
        longest = max(len(data) for _, data in FRAMES[2:])
        for snap_length in (40, 60, longest - 1, 1227, 65535):
            cut = sum(len(data) > snap_length for _, data in FRAMES)
            short_cut = sum(len(data) > snap_length for _, data in FRAMES[2:])
            with self.subTest(snap_length):
                capture = wire.pcap(FRAMES, snap_length=snap_length)
                summary = self.shows(capture, connections=1, packets=PACKETS, cut=cut, decrypted=C2S + S2C - short_cut)
                for name in ("lost", "not_captured", "unknown", "retransmitted"):
                    self.assertEqual(name in summary, short_cut == 0, name)
                _, err = self.dump("-r", self.file("c", capture), "--keylog", self.file("k", wire.KEY_LOG))
                self.assertEqual("snap length" in err, cut > 0)

    def test_a_batch_cut_by_the_snap_length_shows_what_is_whole(self):
        packets = [wire.one_rtt(wire.C2S_SECRET, wire.SERVER_ID, n, wire.stream(0, 20_000 + 400 * n, wire.noise(400, n))) for n in range(5)]
        batch = wire.udp(wire.CLIENT, wire.SERVER, b"".join(packets))
        capture = wire.pcap(FRAMES[:2] + [(90_000_000, batch)], snap_length=28 + 2 * len(packets[0]) + 50)
        summary = self.shows(capture, packets=7, decrypted=2, cut=2 + 3)
        self.assertNotIn("lost", summary)

    def test_a_truncated_file_has_its_summary_with_the_error_beside_it(self):
        whole = wire.pcap(FRAMES)
        dice = random.Random(9)
        for size in dice.sample(range(2600, len(whole) - 1), 6):
            path = self.file("c", whole[:size])
            report = self.folder / "report.json"
            arguments = ["-r", path, "--keylog", self.file("k", wire.KEY_LOG)]
            for more, text in ((["--stats", "summary", "--json"], None), (["--stats", "summary", "-T", "json"], None), ([f"--json={report}"], report)):
                out, err = self.dump(*arguments, *more, code=2)
                summary = json.loads(text.read_text() if text else out)
                self.assertEqual((summary["connections"], summary["error"]["kind"]), (1, "usage"))
                self.assertIn("truncated", summary["error"]["message"])
                self.assertIn("truncated", err)
        out, _ = self.dump("-r", path, "-c", "1", "-T", "json")  # enough before the damage: no error
        self.assertEqual(len(out.splitlines()), 1)


class Forged(FaultCase):
    """What anybody can make the tool see who sends a datagram past the place of the capture."""
    OTHER_CLIENT, OTHER_SERVER = ("10.0.0.3", 3333), ("10.0.0.4", 4444)
    GUESSED, BETTER = wire.noise(8, "guessed"), wire.noise(8, "better")

    @staticmethod
    def short(first_byte, destination, seed):
        return bytes([first_byte]) + destination + wire.noise(51, seed)

    def other(self, payload, from_client=True):
        way = (self.OTHER_CLIENT, self.OTHER_SERVER) if from_client else (self.OTHER_SERVER, self.OTHER_CLIENT)
        return wire.udp(*way, payload)

    def two_connections_with_one_id(self):
        """The second's client has the id that the first one's server is guessed to have."""
        return [same_ports(wire.message_1()), same_ports(wire.message_2(), from_client=False), same_ports(self.short(0x40, self.GUESSED, 1)),
                self.other(wire.message_1(client_id=self.GUESSED, seed="other"))]

    def test_an_id_that_two_connections_have_keeps_each_to_its_own_packets(self):
        capture = wire.pcap(self.two_connections_with_one_id() + [self.other(self.short(0x44, self.GUESSED, n), from_client=False) for n in range(3)])
        lines = self.dump("-r", "-", "-T", "fields", "-e", "connection", stdin=capture)[0].split()
        self.assertEqual(lines, ["1", "1", "1", "2", "2", "2", "2"])
        self.dump("-r", self.file("c", capture), "--stats", "summary")

    def test_an_id_whose_first_owner_gave_it_up_ends_no_capture(self):
        better = [same_ports(self.short(first, self.BETTER, first)) for first in (0x41, 0x42, 0x43)]
        late = [self.other(self.short(0x44, self.GUESSED, n), from_client=False) for n in range(2)]
        summary = self.through_a_pipe(wire.pcap(self.two_connections_with_one_id() + better + late), keys=False)
        self.assertEqual((summary["connections"], summary["packets"]), (2, 2 + 1 + 1 + 2 + 2))  # not the first that contradicts the guess

    def test_an_id_whose_first_owner_was_forgotten_ends_no_capture(self):
        def others(first, count):
            return [wire.udp((f"10.1.{n >> 8}.{n & 255}", 5000), ("10.2.0.1", 5000), wire.message_1(wire.noise(8, n), seed=n)[:14]) for n in range(first, first + count)]

        frames = self.two_connections_with_one_id()
        late = self.other(self.short(0x44, self.GUESSED, 1), from_client=False)
        frames = frames[:3] + others(0, 100) + frames[3:] + others(100, 4050) + [late] + others(4150, 4300)
        for path in ("-", self.file("c", wire.pcap(frames))):
            self.dump("-r", path, "--stats", "summary", stdin=wire.pcap(frames))

    def test_what_forged_messages_make_it_keep_is_bounded(self):
        def peak(count, same):
            process = subprocess.Popen([DUMP, "-r", "-", "--stats", "summary"], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=ENVIRONMENT)
            start = b"\xc0MXP1\x01"
            for n in range(count):
                unlike = hashlib.sha256(n.to_bytes(4, "big")).digest()
                body = wire.CLIENT_ID + bytes(4) + unlike + unlike[:18] if same == "id" else unlike[:8] + FORGED_KEY + bytes(18)
                process.stdin.write(wire.pcap([same_ports(start + body)])[0 if n == 0 else 24:])
            process.stdin.flush()
            while unread_bytes(process.stdin) > 0:
                time.sleep(0.01)
            peak_kib = int(re.search(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{process.pid}/status").read_text())[1])
            process.stdin.close()
            self.assertEqual(process.wait(60), 0)
            return peak_kib

        for same in ("id", "key"):
            with self.subTest(same):
                grown = peak(100_000, same) - peak(1000, same)
                if not SANITIZED:
                    self.assertLess(grown, 4096, "KiB")


if __name__ == "__main__":
    unittest.main()
