#!/usr/bin/env python3
"""mxp-dump --qlog: traces of captures with known answers, held against the rules of the draft and of qvis."""
import json
import os
import resource
import shutil
import stat
import subprocess
import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
import dump_wire as wire  # noqa: E402
import qlog_rules  # noqa: E402
from dump_filter_test import CAPTURE, SESSION  # noqa: E402
from dump_test import DUMP, ENVIRONMENT, DumpCase, RealSessions  # noqa: E402

MS = 1_000_000
NAME = wire.CLIENT_ID.hex() + "_network.sqlog"
HANDSHAKE = [(0, wire.udp(wire.CLIENT, wire.SERVER, wire.message_1())), (5 * MS, wire.udp(wire.SERVER, wire.CLIENT, wire.message_2()))]
DATA = wire.stream(0, 0, b"x" * 50)


class QlogCase(DumpCase):
    def qlog(self, frames, *arguments, keys=True, code=0):
        """The folder after --qlog, and what was said."""
        folder = self.folder / "traces"
        folder.mkdir(exist_ok=True)
        capture = self.file("c", frames if isinstance(frames, bytes) else wire.pcap(frames, nanoseconds=True))
        more = ["--keylog", self.file("k", wire.KEY_LOG)] if keys else []
        out, err = self.dump("-r", capture, "--qlog", str(folder), *more, *arguments, code=code)
        self.assertEqual(out, "")
        return folder, err

    def trace(self, frames, *arguments, keys=True):
        folder, _ = self.qlog(frames, *arguments, keys=keys)
        self.assertEqual([path.name for path in folder.iterdir()], [NAME])
        return qlog_rules.check((folder / NAME).read_bytes())

    @staticmethod
    def named(events, name):
        return [event for event in events if event["name"] == "mxp:" + name]

    def numbers(self, events, name):
        return [event["data"]["header"]["packet_number"] for event in self.named(events, name) if "packet_number" in event["data"]["header"]]


class Traces(QlogCase):
    def test_each_packet_and_each_loss_is_told_once(self):
        header, events = self.trace(CAPTURE)
        trace = header["trace"]
        self.assertEqual(trace["vantage_point"], {"name": "mxp-dump", "type": "network", "flow": "client"})
        self.assertEqual(trace["common_fields"]["group_id"], wire.CLIENT_ID.hex())
        self.assertEqual(trace["common_fields"]["reference_time"], {"clock_type": "system", "epoch": "2023-11-14T22:13:20.000Z", "wall_clock_time": "2023-11-14T22:13:20.000Z"})
        sent = [number for number in range(SESSION.packets) if number not in SESSION.skipped]
        self.assertEqual(self.numbers(events, "packet_sent"), sent)
        self.assertEqual(self.numbers(events, "packet_received"), list(range(len(SESSION.s2c))))
        self.assertEqual(sorted(self.numbers(events, "packet_lost")), sorted(SESSION.lost))
        self.assertEqual(self.named(events, "peer_packet_lost"), [])
        # A loss is told when an acknowledgement has passed by, three numbers or more above it.
        for lost in self.named(events, "packet_lost"):
            number = lost["data"]["header"]["packet_number"]
            passing = [event for event in self.named(events, "packet_received") if event["time"] == lost["time"]]
            [ack] = [frame for frame in passing[0]["data"]["frames"] if frame["frame_type"] == "ack"]
            self.assertGreaterEqual(ack["acked_ranges"][0][1], number + 3)
            self.assertEqual(lost["data"]["trigger"], "reordering_threshold")

    def test_times_are_those_of_the_capture(self):
        _, events = self.trace(CAPTURE)
        first, second = self.named(events, "packet_sent")[0], self.named(events, "packet_received")[0]
        self.assertEqual((first["time"], first["data"]["header"]), (0, {"packet_type": "initial"}))
        self.assertEqual((second["time"], second["data"]["header"]), (50, {"packet_type": "response"}))
        [established] = self.named(events, "connection_state_updated")
        self.assertEqual((established["time"], established["data"]["handshake_time"]), (81, 50))

    def test_round_trips_and_bytes_in_flight_are_what_the_keys_show(self):
        frames = [*HANDSHAKE, *((10 * MS + i * MS, wire.c2s(i, DATA)) for i in range(4)), (20 * MS + 25_000, wire.s2c(0, wire.ack((0, 1)))), (30 * MS + 25_000, wire.s2c(1, wire.ack((0, 3))))]
        _, events = self.trace(frames)
        size = self.named(events, "packet_sent")[-1]["data"]["raw"]["length"]
        metrics = [event["data"] for event in self.named(events, "recovery_metrics_updated")]
        self.assertEqual([one["bytes_in_flight"] for one in metrics], [2 * size, 0])
        # Numbers 1 and 3 left at 11 and 13 ms; the receiver says that it waited 25 us, which is not taken off the shortest.
        self.assertEqual(metrics[0]["latest_rtt"], 9.025)
        self.assertEqual(metrics[1]["latest_rtt"], 17)
        self.assertNotIn("congestion_window", metrics[0])

    def test_without_keys_it_tells_the_handshake_and_sizes(self):
        _, events = self.trace(CAPTURE, keys=False)
        packets = self.named(events, "packet_sent") + self.named(events, "packet_received")
        self.assertEqual(len(packets), len(SESSION.frames))
        self.assertEqual(sum("frames" in event["data"] or "packet_number" in event["data"]["header"] for event in packets), 0)
        self.assertEqual(sum(event["data"]["raw"]["length"] for event in packets), sum(len(frame) - 28 for _, frame in SESSION.frames))
        for name in ("packet_lost", "recovery_metrics_updated"):
            self.assertEqual(self.named(events, name), [])

    def test_the_flow_is_that_of_the_side_that_sends_more(self):
        frames = [*HANDSHAKE, (9 * MS, wire.c2s(0, b"\1"))]
        lost = (3,)
        frames += [(10 * MS + i * MS, wire.s2c(i, wire.stream(1, 50 * i, b"x" * 50))) for i in range(10)]
        frames += [(30 * MS, wire.c2s(1, wire.ack((4, 9), (0, 2)) + b"\1")), (31 * MS, wire.s2c(10, wire.ack((0, 1))))]
        header, events = self.trace(frames)
        self.assertEqual(header["trace"]["vantage_point"]["flow"], "server")
        self.assertEqual(tuple(self.numbers(events, "packet_lost")), lost)
        self.assertEqual(self.numbers(events, "packet_sent"), list(range(11)))
        self.assertEqual(self.named(events, "connection_started")[0]["data"]["role"], "server")

    def test_losses_of_the_other_side_are_told_apart(self):
        frames = [*HANDSHAKE, *((10 * MS + i * MS, wire.c2s(i, wire.stream(0, 900 * i, b"x" * 900))) for i in range(3))]
        frames += [(20 * MS + i * MS, wire.s2c(i, b"\1" if i else wire.ack((0, 2)))) for i in range(6)]
        frames += [(30 * MS, wire.c2s(3, wire.ack((2, 5), (0, 0)) + b"\1")), (31 * MS, wire.s2c(6, wire.ack((0, 3))))]
        _, events = self.trace(frames)
        self.assertEqual(self.numbers(events, "peer_packet_lost"), [1])
        self.assertEqual(self.numbers(events, "packet_lost"), [])

    def test_copies_and_damage_are_drops_and_no_packets(self):
        packet = wire.c2s(0, DATA)
        frames = [*HANDSHAKE, (10 * MS, packet), (11 * MS, packet), (12 * MS, wire.damaged(wire.c2s(1, DATA), 30 * 8))]
        _, events = self.trace(frames)
        self.assertEqual(self.numbers(events, "packet_sent"), [0])
        self.assertEqual([event["data"]["trigger"] for event in self.named(events, "packet_dropped")], ["duplicate packet", "authentication failed"])

    def test_a_close_is_told_with_its_reason_escaped(self):
        frames = [*HANDSHAKE, (10 * MS, wire.c2s(0, DATA)), (12 * MS, wire.s2c(0, wire.close(b"no\x1b[2Jthing\n<b>", code=9)))]
        _, events = self.trace(frames)
        [closed] = self.named(events, "connection_closed")
        self.assertEqual((closed["data"]["owner"], closed["data"]["application_code"]), ("remote", 9))
        self.assertNotIn("\x1b", closed["data"]["reason"])
        self.assertIn("thing", closed["data"]["reason"])

    def test_both_sides_of_a_relay_are_two_traces(self):
        # The client talks to 10.0.0.9, which talks to the server; number 2 is lost in between.
        relay_in, relay_out = ("10.0.0.9", 9000), ("10.0.0.9", 5555)
        frames = []

        def through(time, payload, from_client, lost=False):
            near, far = (wire.CLIENT, relay_in), (relay_out, wire.SERVER)
            hops = [near, far] if from_client else [far[::-1], near[::-1]]
            for i, (source, destination) in enumerate(hops[:1] if lost else hops):
                frames.append((time + i * MS, wire.udp(source, destination, payload)))

        through(0, wire.message_1(), True)
        through(5 * MS, wire.message_2(), False)
        for i in range(6):
            through((10 + 2 * i) * MS, wire.one_rtt(wire.C2S_SECRET, wire.SERVER_ID, i, DATA), True, lost=i == 2)
        through(30 * MS, wire.one_rtt(wire.S2C_SECRET, wire.CLIENT_ID, 0, wire.ack((3, 5), (0, 1)) + b"\1"), False)
        through(40 * MS, wire.one_rtt(wire.C2S_SECRET, wire.SERVER_ID, 6, wire.ack((0, 0))), True)
        folder, _ = self.qlog(frames)
        second = NAME.replace("_network", "_network-2")
        self.assertEqual(sorted(path.name for path in folder.iterdir()), sorted([NAME, second]))
        _, near = qlog_rules.check((folder / NAME).read_bytes())
        _, far = qlog_rules.check((folder / second).read_bytes())
        self.assertEqual(self.numbers(near, "packet_sent"), list(range(7)))
        self.assertEqual(self.numbers(near, "packet_lost"), [2])
        self.assertEqual(self.numbers(far, "packet_sent"), [0, 1, 3, 4, 5, 6])
        for events in (near, far):
            self.assertEqual(self.named(events, "packet_dropped"), [])
            self.assertEqual(self.numbers(events, "packet_received"), [0])

    def test_a_client_that_moves_stays_in_its_trace(self):
        moved = ("10.0.0.7", 41000)
        frames = [*HANDSHAKE, (10 * MS, wire.c2s(0, DATA)), (20 * MS, wire.udp(moved, wire.SERVER, wire.one_rtt(wire.C2S_SECRET, wire.SERVER_ID, 1, DATA)))]
        _, events = self.trace(frames)
        self.assertEqual(self.numbers(events, "packet_sent"), [0, 1])
        [path] = self.named(events, "path_changed")
        self.assertEqual(path["data"]["local"], "10.0.0.7:41000")

    def test_the_qvis_flavour_keeps_to_what_qvis_opens(self):
        folder, _ = self.qlog(CAPTURE, "--qlog-flavour", "qvis")
        header, *events = qlog_rules.sequence((folder / NAME).read_bytes())
        self.assertEqual(header["qlog_version"], "0.3")
        lost = [event["data"]["header"]["packet_number"] for event in events if event["name"] == "recovery:packet_lost"]
        self.assertEqual(sorted(lost), sorted(SESSION.lost))
        if shutil.which("node") is None:
            self.skipTest("there is no node here: the rules of qvis are not checked")
        checker = Path(__file__).resolve().parent / "qvis_rules.js"
        for keys in (True, False):
            self.qlog(CAPTURE, "--qlog-flavour", "qvis", "--force", keys=keys)
            good = subprocess.run(["node", checker, folder / NAME], capture_output=True, text=True, timeout=60)
            self.assertEqual(good.returncode, 0, good.stderr)


class Files(QlogCase):
    def test_what_is_there_is_replaced_only_by_force(self):
        folder, _ = self.qlog(CAPTURE)
        path = folder / NAME
        self.assertEqual(stat.S_IMODE(path.stat().st_mode), 0o600)
        whole = path.read_bytes()
        path.write_bytes(b"mine")
        _, err = self.qlog(CAPTURE, code=2)
        self.assertIn("exists and is not overwritten", err)
        self.assertEqual(path.read_bytes(), b"mine")
        self.qlog(CAPTURE, "--force")
        self.assertEqual(path.read_bytes(), whole)

    def test_a_pipe_in_place_of_the_file_is_refused(self):
        folder = self.folder / "traces"
        folder.mkdir()
        os.mkfifo(folder / NAME)
        reader = os.open(folder / NAME, os.O_RDONLY | os.O_NONBLOCK)
        self.addCleanup(os.close, reader)
        _, err = self.qlog(CAPTURE, "--force", code=2)
        self.assertIn("is no regular file", err)

    def test_links_are_not_followed(self):
        folder, target = self.folder / "traces", self.folder / "target"
        folder.mkdir()
        target.write_bytes(b"mine")
        (folder / NAME).symlink_to(target)
        _, err = self.qlog(CAPTURE, "--force", code=2)
        self.assertIn("symbolic link", err)
        self.assertEqual(target.read_bytes(), b"mine")

    def test_a_full_disk_is_an_error_with_the_name_of_the_file(self):
        (self.folder / "traces").mkdir()
        done = subprocess.run([DUMP, "-r", self.file("c", CAPTURE), "--qlog", str(self.folder / "traces"), "--keylog", self.file("k", wire.KEY_LOG)], capture_output=True, text=True,
                              timeout=60, env=ENVIRONMENT, preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000)))
        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertIn(NAME, done.stderr)

    def test_wrong_use_is_2_with_a_word(self):
        capture, folder = self.file("c", CAPTURE), str(self.folder)
        for arguments, word in ((["-r", capture, "--qlog", folder + "/none"], "must exist and be writable"), (["-r", capture, "--qlog", capture], "must exist and be writable"),
                                (["-r", "-", "--qlog", folder], "needs a file"), (["-r", capture, "--qlog", folder, "-Y", "mxp.lost"], "whole connections"),
                                (["-r", capture, "--qlog", folder, "--qlog-flavour", "draft"], "draft"), (["-r", capture, "--qlog-flavour", "qvis"], "needs --qlog"),
                                (["-r", capture, "--qlog="], "needs a value")):
            with self.subTest(arguments):
                self.assertIn(word, self.dump(*arguments, code=2)[1])

    def test_connections_that_take_turns_have_a_file_each(self):
        """More of them than are followed at a time: it is said how many files ended early, and what came behind their end."""
        for more, ended, behind in ((0, None, None),
                                    (1, "1 file of qlog ended before its connection, as more than 1024 were under way at a time", "2 packets are in no qlog: their files had ended"),
                                    (6, "6 files of qlog ended before their connections, as more than 1024 were under way at a time", "12 packets are in no qlog: their files had ended")):
            with self.subTest(more=more):
                count = 1024 + more
                frames = []
                for turn in range(3):
                    for i in range(count):
                        client, identity = (f"10.2.{i // 200}.{i % 200 + 1}", 40000), (0x2000 + i).to_bytes(8, "big")
                        frames.append(((turn * count + i) * 1000, wire.udp(client, wire.SERVER, wire.message_1(identity, seed=f"turn {i}"))))
                folder, err = self.qlog(frames, "--force", keys=False)
                self.assertEqual(len(list(folder.iterdir())), count)
                self.assertEqual([line.partition("warning: ")[2] for line in err.splitlines() if "qlog" in line], [text for text in (ended, behind) if text])

    def test_places_beyond_those_that_are_followed_are_counted(self):
        """The same message 1 passes by at many places, as with a chain of relays: four are traces, and of the others packets are counted."""
        said = "at further places than the 4 of a connection that are followed"
        for places, copies, warning in ((4, 1, None), (5, 1, f"1 packet {said} is in no qlog"), (6, 3, f"6 packets {said} are in no qlog")):
            with self.subTest(places=places, copies=copies):
                frames = [((100 * copy + place) * MS, wire.udp(("10.0.0.1", 40000 + place), (f"10.0.1.{place}", 9000), wire.message_1())) for copy in range(copies) for place in range(places)]
                folder, err = self.qlog(frames, "--force", keys=False)
                self.assertEqual(len(list(folder.iterdir())), 4)
                self.assertEqual([line.partition("warning: ")[2] for line in err.splitlines() if "qlog" in line], [warning] if warning else [])

    def test_many_connections_are_as_many_files_with_few_descriptors(self):
        frames = []
        for i in range(300):
            client, identity = (f"10.1.{i // 200}.{i % 200 + 1}", 40000), (0x1000 + i).to_bytes(8, "big")
            frames += [(i * MS, wire.udp(client, wire.SERVER, wire.message_1(identity, seed=f"one {i}"))), (i * MS + 500_000, wire.udp(wire.SERVER, client, wire.message_2(identity, seed=f"two {i}")))]
        (self.folder / "traces").mkdir()
        done = subprocess.run([DUMP, "-r", self.file("c", wire.pcap(frames, nanoseconds=True)), "--qlog", str(self.folder / "traces")], capture_output=True, text=True, timeout=60,
                              env=ENVIRONMENT, preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (24, 24)))
        self.assertEqual(done.returncode, 0, done.stderr)
        files = list((self.folder / "traces").iterdir())
        self.assertEqual(len(files), 300)
        for path in files[:20]:
            qlog_rules.check(path.read_bytes())


class Sessions(RealSessions):
    def test_a_session_through_a_lossy_relay_agrees_with_the_filter_for_lost_packets(self):
        keys, capture = self.transfer(300_000, "delay 5ms loss 5%")
        folder = self.folder / "traces"
        folder.mkdir()
        self.dump("-r", str(capture), "--keylog", str(keys), "--qlog", str(folder))
        lost = [json.loads(line) for line in self.dump("-r", str(capture), "--keylog", str(keys), "-T", "json", "-Y", "mxp.lost")[0].splitlines()]
        truth = {record["packet_number"] for record in lost if record["direction"] == "client_to_server"}
        self.assertGreater(len(truth), 0)
        told, covered = set(), set()
        for path in folder.iterdir():
            _, events = qlog_rules.check(path.read_bytes())
            numbers = [event["data"]["header"]["packet_number"] for event in events if event["name"] == "mxp:packet_lost"]
            self.assertEqual(len(numbers), len(set(numbers)))
            told.update(numbers)
            for event in events:
                for frame in event["data"].get("frames", ()) if event["name"] == "mxp:packet_sent" else ():
                    if frame["frame_type"] == "stream":
                        covered.update(range(frame["offset"], frame["offset"] + frame["length"]))
        self.assertEqual(told, truth)
        self.assertEqual(len(covered), 300_000)


if __name__ == "__main__":
    unittest.main()
